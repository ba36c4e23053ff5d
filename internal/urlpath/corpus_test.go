package urlpath_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/minihub/minihub/internal/urlpath"
)

// corpus is what testdata/record.py wrote.
type corpus struct {
	Version string
	Names   []struct {
		Name, Escape, Client, Slug, Hashed, NFC, IDNA, Legacy string
		ValidServer                                           bool   `json:"valid_server"`
		Display                                               bool   `json:"display"`
		IDNAService                                           string `json:"idna_service"`
		LegacyService                                         string `json:"legacy_service"`
	}
	Join []struct {
		Parts []string
		Want  string
	}
	Next []struct{ Next, Plain, Sub string }
}

func readCorpus(t testing.TB) corpus {
	t.Helper()
	raw, err := os.ReadFile("testdata/corpus.json")
	if err != nil {
		t.Fatal(err)
	}
	var c corpus
	if err := json.Unmarshal(raw, &c); err != nil {
		t.Fatal(err)
	}
	if len(c.Names) < 500 || len(c.Join) < 1000 || len(c.Next) < 100 {
		t.Fatalf("corpus is short: %d names, %d joins, %d next URLs", len(c.Names), len(c.Join), len(c.Next))
	}
	return c
}

// TestCorpusIsCurrent repeats the recording when MINIHUB_REF_PYTHON names a Python with jupyterhub installed.
func TestCorpusIsCurrent(t *testing.T) {
	python := os.Getenv("MINIHUB_REF_PYTHON")
	if python == "" {
		t.Skip("set MINIHUB_REF_PYTHON to a python that has jupyterhub==6.1.1 to record the corpus again and compare")
	}
	got, err := exec.CommandContext(t.Context(), python, "testdata/record.py").Output()
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("testdata/corpus.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("testdata/corpus.json differs from what testdata/record.py records now")
	}
}

// foldsToASCII names the letters that Python's case-insensitive [a-z] takes for ASCII; see Subdomain.
const foldsToASCII = "ſKıİ"

func TestNamesAsJupyterHub(t *testing.T) {
	for _, n := range readCorpus(t).Names {
		if got := urlpath.Escape(n.Name); got != n.Escape {
			t.Errorf("Escape(%q) = %q, want %q", n.Name, got, n.Escape)
		}
		if got, err := urlpath.Unescape(n.Escape); err != nil || got != n.Name {
			t.Errorf("Unescape(%q) = %q, %v, want %q", n.Escape, got, err, n.Name)
		}
		if got := urlpath.ClientID(n.Name, ""); got != "jupyterhub-user-"+n.Client {
			t.Errorf("ClientID(%q) = %q, want …%q", n.Name, got, n.Client)
		}
		if got, want := urlpath.ClientID("u", n.Name), "jupyterhub-user-u-"+n.Client; n.Name != "" && got != want {
			t.Errorf("ClientID(u, %q) = %q, want %q", n.Name, got, want)
		}
		if err := urlpath.ValidServerName(n.Name); (err == nil) != n.ValidServer {
			t.Errorf("ValidServerName(%q) = %v, want valid = %t", n.Name, err, n.ValidServer)
		}
		if n.Name != "" {
			if got := urlpath.ServerSlug(n.Name); got != n.Slug {
				t.Errorf("ServerSlug(%q) = %q, want %q", n.Name, got, n.Slug)
			}
			if got := urlpath.HashedServerSlug(n.Name); got != n.Hashed {
				t.Errorf("HashedServerSlug(%q) = %q, want %q", n.Name, got, n.Hashed)
			}
		}
		got, err := urlpath.ValidDisplayName(n.Name)
		if (err == nil) != n.Display {
			t.Errorf("ValidDisplayName(%q) = %v, want valid = %t", n.Name, err, n.Display)
		}
		if err == nil && got != n.NFC {
			t.Errorf("ValidDisplayName(%q) = %q, want %q", n.Name, got, n.NFC)
		}
	}
}

func TestSubdomainAsJupyterHub(t *testing.T) {
	for _, n := range readCorpus(t).Names {
		if strings.ContainsAny(n.Name, foldsToASCII) {
			continue
		}
		for _, c := range []struct{ kind, hook, want string }{
			{urlpath.KindUser, urlpath.HookIDNA, n.IDNA},
			{urlpath.KindService, urlpath.HookIDNA, n.IDNAService},
			{urlpath.KindUser, urlpath.HookLegacy, n.Legacy},
			{urlpath.KindService, urlpath.HookLegacy, n.LegacyService},
		} {
			if got := urlpath.Subdomain(n.Name, "d", c.kind, c.hook); got != c.want {
				t.Errorf("Subdomain(%q, %s, %s) = %q, want %q", n.Name, c.kind, c.hook, got, c.want)
			}
		}
	}
}

func TestJoinAsJupyterHub(t *testing.T) {
	for _, c := range readCorpus(t).Join {
		if got := urlpath.Join(c.Parts...); got != c.Want {
			t.Errorf("Join(%q) = %q, want %q", c.Parts, got, c.Want)
		}
	}
}

// refusedHere lists what JupyterHub lets through and we do not, with the reason.
var refusedHere = map[string]string{
	"//":  "browsers find no host and fail",
	"///": "same after collapsing", "////": "same after collapsing",
	"//?x": "same", "//#x": "same",
}

func TestSafeNextAsJupyterHub(t *testing.T) {
	plain := urlpath.NextOptions{Scheme: "http", Host: "hub.example.org:8000"}
	sub := plain
	sub.SubdomainHost = "sub.example.org"
	for _, c := range readCorpus(t).Next {
		for _, v := range []struct {
			o    urlpath.NextOptions
			want string
		}{{plain, c.Plain}, {sub, c.Sub}} {
			if refusedHere[c.Next] != "" {
				v.want = ""
			}
			got, ok := urlpath.SafeNext(c.Next, v.o)
			if got != v.want || ok != (v.want != "") {
				t.Errorf("SafeNext(%q, %+v) = %q, %t, want %q", c.Next, v.o, got, ok, v.want)
			}
		}
	}
}
