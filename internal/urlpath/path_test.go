package urlpath_test

import (
	"errors"
	"math/rand/v2"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/minihub/minihub/internal/urlpath"
)

func TestUnescapeRefusesWhatIsNotEncoded(t *testing.T) {
	for _, s := range []string{"%", "%z", "%zz", "a%2", "%%41", "%ff", "%ed%a0%80", "\xff", "%C3"} {
		_, err := urlpath.Unescape(s)
		if e, ok := errors.AsType[*urlpath.EscapeError](err); !ok || e.Text != s || e.Reason == "" {
			t.Errorf("Unescape(%q): %v, want an EscapeError about it", s, err)
		}
	}
	if got, err := urlpath.Unescape("a+b%2bc"); err != nil || got != "a+b+c" {
		t.Errorf("Unescape(a+b%%2bc) = %q, %v, want the plus signs", got, err)
	}
	_, err := urlpath.Unescape("%" + strings.Repeat("x", 100_000))
	if err == nil || len(err.Error()) > 200 {
		t.Errorf("error text of a huge segment: %d bytes, want a short one", len(err.Error()))
	}
}

func TestCanonical(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", ""}, {"/", "/"}, {"/user/a@b/x", "/user/a@b/x"}, {"/user/a%40b/", "/user/a@b/"}, {"/%7Ea", "/~a"}, {"/a%2fb", "/a%2Fb"},
		{"/a%2Fb", "/a%2Fb"}, {"/a+b", "/a%2Bb"}, {"/é", "/%C3%A9"}, {"/%c3%a9", "/%C3%A9"}, {"/%ff", "/%FF"}, {"//a//", "//a//"},
		{"/%61", "/a"}, {"/%2e%2e/x", "/../x"}, {"/../x", "/../x"}, {"/a b", "/a%20b"}, {"/%25zz", "/%25zz"},
	} {
		if got, err := urlpath.Canonical(c.in); err != nil || got != c.want {
			t.Errorf("Canonical(%q) = %q, %v, want %q", c.in, got, err, c.want)
		}
	}
	for _, in := range []string{"/%", "/%z", "/%zz/", "/a%2", "/%%"} {
		if got, err := urlpath.Canonical(in); err == nil {
			t.Errorf("Canonical(%q) = %q, want an error", in, got)
		}
	}
	plain := "/user/alice@example.org/api/contents/x.ipynb"
	if n := testing.AllocsPerRun(100, func() { _, _ = urlpath.Canonical(plain) }); n != 0 {
		t.Errorf("Canonical of a canonical path allocates %v times, want 0", n)
	}
}

func TestEscapeBase(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", "/"}, {"/", "/"}, {"//", "/"}, {"jhub", "/jhub/"}, {"/jhub", "/jhub/"}, {"/@/space word", "/@/space%20word/"},
		{"/@/space%20word/", "/@/space%20word/"}, {"/%40/space%20word/", "/@/space%20word/"}, {"/a//b/", "/a/b/"}, {"/é", "/%C3%A9/"}, {"/a%2fb", "/a%2Fb/"},
	} {
		got, err := urlpath.EscapeBase(c.in)
		if err != nil || got != c.want {
			t.Errorf("EscapeBase(%q) = %q, %v, want %q", c.in, got, err, c.want)
		}
		if again, err := urlpath.EscapeBase(got); err != nil || again != got {
			t.Errorf("EscapeBase(%q) = %q, %v, want it unchanged", got, again, err)
		}
	}
	for _, in := range []string{"/%zz/", "/../x", "/a/%2e%2e/", "/.", "/a?b", "/a#b", "/a%0ab", "/a\nb", "/%ff"} {
		if got, err := urlpath.EscapeBase(in); err == nil {
			t.Errorf("EscapeBase(%q) = %q, want an error", in, got)
		}
	}
}

func TestServerSlugOfNothing(t *testing.T) {
	for _, in := range []string{"", "   ", "---", "日本", "😀"} {
		if got := urlpath.ServerSlug(in); got != "x" {
			t.Errorf("ServerSlug(%q) = %q, want x", in, got)
		}
		if err := urlpath.ValidServerName(urlpath.HashedServerSlug(in)); err != nil {
			t.Errorf("HashedServerSlug(%q): %v", in, err)
		}
	}
}

func TestValidDisplayNameRefusesBrokenText(t *testing.T) {
	if got, err := urlpath.ValidDisplayName("a\xffb"); err == nil {
		t.Errorf("ValidDisplayName of broken UTF-8 = %q, want an error", got)
	}
}

func TestSubdomainNeverTakesFoldedLettersLiterally(t *testing.T) {
	for _, name := range []string{"ſam", "Kim", "İx", "abc\n", "\x10a"} {
		got := urlpath.Subdomain(name, "d", urlpath.KindUser, urlpath.HookIDNA)
		label := strings.TrimSuffix(got, ".d")
		for i := range len(label) {
			if c := label[i]; c >= 0x80 || c <= ' ' {
				t.Errorf("Subdomain(%q) = %q, want ASCII letters, digits and hyphens", name, got)
			}
		}
	}
}

func TestSafeNextRefusals(t *testing.T) {
	o := urlpath.NextOptions{Scheme: "https", Host: "hub.example.org", SubdomainHost: "hub.example.org"}
	for _, next := range []string{
		"/\t/evil.com", "/\n/evil.com", "\t//evil.com", "\x00//evil.com", "/x\r\nLocation: //evil.com", "/\x7f", "\x1f/x", "/x\x00",
		"/%", "/%zz", "/x%2", "//", "https://hub.example.org/%zz", "http://hub.example.org:x:y@evil.com/", "//[hub.example.org/",
	} {
		if got, ok := urlpath.SafeNext(next, o); ok || got != "" {
			t.Errorf("SafeNext(%q) = %q, %t, want a refusal", next, got, ok)
		}
	}
	for _, next := range []string{"http:///x", "///x", "//x", "https:///x"} {
		if got, ok := urlpath.SafeNext(next, urlpath.NextOptions{Scheme: "http"}); ok {
			t.Errorf("SafeNext(%q) without a known host = %q, want a refusal", next, got)
		}
	}
}

// browserHost finds the host that a browser would go to, by the rules of the URL standard that matter for redirects.
func browserHost(location string) (host string, path bool) {
	s := strings.TrimFunc(location, func(r rune) bool { return r <= ' ' })
	s = strings.NewReplacer("\t", "", "\r", "", "\n", "", `\`, "/").Replace(s)
	if i := strings.IndexAny(s, ":/?#"); i > 0 && s[i] == ':' {
		return s, false
	}
	if strings.HasPrefix(s, "//") {
		return strings.TrimLeft(s, "/"), false
	}
	return "", strings.HasPrefix(s, "/")
}

func FuzzSafeNext(f *testing.F) {
	for _, c := range readCorpus(f).Next {
		f.Add(c.Next)
	}
	o := urlpath.NextOptions{Scheme: "http", Host: "hub.example.org:8000", SubdomainHost: "sub.example.org"}
	f.Fuzz(func(t *testing.T, next string) {
		got, ok := urlpath.SafeNext(next, o)
		if !ok {
			if got != "" {
				t.Fatalf("SafeNext(%q) = %q, false", next, got)
			}
			return
		}
		if host, path := browserHost(got); host != "" || !path {
			t.Errorf("SafeNext(%q) = %q, which a browser takes to %q", next, got, host)
		}
		if u, err := url.Parse(got); err != nil || u.Host != "" || u.Scheme != "" {
			t.Errorf("SafeNext(%q) = %q, which parses as %+v, %v", next, got, u, err)
		}
		if again, ok := urlpath.SafeNext(got, o); !ok || again != got {
			t.Errorf("SafeNext is not stable: %q gives %q, that gives %q, %t", next, got, again, ok)
		}
	})
}

func FuzzCanonical(f *testing.F) {
	for _, s := range []string{"/", "/user/a%40b/x", "/%zz", "//a%2fb/../", "/é/%C3%A9"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, path string) {
		got, err := urlpath.Canonical(path)
		if err != nil {
			return
		}
		if again, err := urlpath.Canonical(got); err != nil || again != got {
			t.Errorf("Canonical(%q) = %q, of which it makes %q, %v", path, got, again, err)
		}
		if strings.Count(got, "/") != strings.Count(path, "/") {
			t.Errorf("Canonical(%q) = %q changes the segments", path, got)
		}
	})
}

func FuzzNames(f *testing.F) {
	for _, n := range readCorpus(f).Names {
		f.Add(n.Name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if got, err := urlpath.Unescape(urlpath.Escape(name)); err == nil && got != name {
			t.Errorf("Unescape(Escape(%q)) = %q", name, got)
		}
		for _, slug := range []string{urlpath.ServerSlug(name), urlpath.HashedServerSlug(name)} {
			if err := urlpath.ValidServerName(slug); err != nil {
				t.Errorf("slug of %q: %v", name, err)
			}
		}
		label := strings.TrimSuffix(urlpath.Subdomain(name, "d", urlpath.KindService, urlpath.HookIDNA), ".d")
		if len(label) > 63+len("--service") || strings.Trim(label, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") != "" {
			t.Errorf("label of %q is %q", name, label)
		}
	})
}

// TestNamesStayApart takes random names, of few characters so that they nearly meet: display names get server names of their own, and two
// servers get the same OAuth client id only when user and server joined by a hyphen are the same text. The hub gives the second of those an
// id with "!", which no names make.
func TestNamesStayApart(t *testing.T) {
	pairs := 10_000
	if text := os.Getenv("MINIHUB_PAIRS"); text != "" {
		var err error
		if pairs, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	random := rand.New(rand.NewPCG(1, uint64(pairs)))
	pieces := []string{"a", "b", "A", "-", "--", "%", "%2D", "!", "@", ".", "~", "_", "é", "e\u0301", "日", "x1", "0", " ", "+", "user", "\xff"}
	name := func() string {
		var b strings.Builder
		for range 1 + random.IntN(5) {
			b.WriteString(pieces[random.IntN(len(pieces))])
		}
		return b.String()
	}
	shown, clients := map[string]string{}, map[string]string{}
	for range pairs {
		display, user, server := name(), name(), ""
		slug := urlpath.HashedServerSlug(display)
		if before, ok := shown[slug]; ok && before != display {
			t.Errorf("%q and %q are both server %s", before, display, slug)
		}
		shown[slug] = display
		joined := user
		if random.IntN(3) > 0 {
			server = slug
			joined += "-" + slug
		}
		id := urlpath.ClientID(user, server)
		if before, ok := clients[id]; ok && before != joined {
			t.Errorf("%q and %q are both client %s", before, joined, id)
		}
		clients[id] = joined
		if strings.ContainsAny(id, "! ") {
			t.Errorf("client id %q of %q and %q", id, user, server)
		}
	}
}
