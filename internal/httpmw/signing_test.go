package httpmw_test

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/minihub/minihub/internal/httpmw"
)

// signingCorpus is what JupyterHub 6.1.1 and Tornado do; testdata/signing_corpus.py records it.
type signingCorpus struct {
	Now       int64
	Secret    string
	Signed    [][4]string  // name, value, v2, v1
	Verify    [][4]*string // name, signed, value accepting v1, value accepting v2 only
	SetCookie []struct {
		Layout struct {
			HubPrefix string `json:"hub_prefix"`
			BaseURL   string `json:"base_url"`
			Domain    string
			Host      bool
		}
		Options, XSRF         map[string]any
		Proto                 string
		Public                *string
		Login, Session, Clear []string
		XSRFUser              []string `json:"xsrf_user"`
		XSRFAnonymous         []string `json:"xsrf_anonymous"`
	} `json:"set_cookie"`
	Headers     []json.RawMessage
	XSRFCookies [][3]string `json:"xsrf_cookies"`
	Anonymous   [][4]*string
	Decisions   struct {
		Methods, Modes, Sites, Given []string
		Token, Want                  string
		Texts                        []string
	}
}

const (
	testID    = "0123456789abcdef0123456789abcdef"
	testLogin = "jupyterhub-hub-login"
	twoWeeks  = 14 * 24 * time.Hour
)

func loadSigningCorpus(t *testing.T) (signingCorpus, httpmw.Signer) {
	t.Helper()
	raw, err := os.ReadFile("testdata/signing_corpus.json")
	if err != nil {
		t.Fatal(err)
	}
	var c signingCorpus
	if err := json.Unmarshal(raw, &c); err != nil {
		t.Fatal(err)
	}
	secret, err := hex.DecodeString(c.Secret)
	if err != nil {
		t.Fatal(err)
	}
	return c, httpmw.Signer{Secret: secret}
}

// at runs a test at a time of the corpus.
func at(t *testing.T, unix int64, f func(t *testing.T)) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Unix(unix, 0)))
		f(t)
	})
}

func testSigner() httpmw.Signer {
	secret := make([]byte, 32)
	for i := range secret {
		secret[i] = byte(i)
	}
	return httpmw.Signer{Secret: secret}
}

func TestSignMakesTornadosBytes(t *testing.T) {
	c, signer := loadSigningCorpus(t)
	at(t, c.Now, func(t *testing.T) {
		for _, row := range c.Signed {
			name, value := row[0], row[1]
			if got := signer.Sign(name, value, time.Now()); got != row[2] {
				t.Errorf("Sign(%q, %q)\ngot  %s\nwant %s", name, value, got, row[2])
			}
			if got, err := signer.Verify(name, row[2], twoWeeks); got != value || err != nil {
				t.Errorf("Verify v2 of %q: %q, %v", name, got, err)
			}
			if got, err := signer.VerifyLogin(name, row[3], twoWeeks); got != value || err != nil {
				t.Errorf("VerifyLogin v1 of %q: %q, %v", name, got, err)
			}
			if _, err := signer.Verify(name, row[3], twoWeeks); !errors.Is(err, httpmw.ErrNotSigned) {
				t.Errorf("Verify takes v1: %v", err)
			}
		}
	})
	const vector = "2|1:0|10:1700000000|20:jupyterhub-hub-login|44:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=|7fcc1a6f0657a3c89fe09bfacf91f43839bd91f762fe68153e551014b215304f"
	if got := signer.Sign(testLogin, testID, time.Unix(1700000000, 0)); got != vector {
		t.Errorf("schema.md's vector: got %s", got)
	}
}

func TestVerifyAsTornado(t *testing.T) {
	c, signer := loadSigningCorpus(t)
	at(t, c.Now, func(t *testing.T) {
		for _, row := range c.Verify {
			name, signed := *row[0], *row[1]
			for i, verify := range []func(string, string, time.Duration) (string, error){signer.VerifyLogin, signer.Verify} {
				got, err := verify(name, signed, twoWeeks)
				want := row[2+i]
				if (err == nil) != (want != nil) || want != nil && got != *want {
					t.Errorf("%q signed %q, v2 only %v: got %q, %v; Tornado: %v", name, signed, i == 1, got, err, want)
				}
			}
		}
	})
}

func TestVerifyErrors(t *testing.T) {
	signer := testSigner()
	now := time.Now()
	for _, tc := range []struct {
		signed string
		want   error
	}{
		{signer.Sign("n", "v", now), nil},
		{signer.Sign("n", "v", now.Add(-time.Hour-time.Second)), httpmw.ErrSignedTooLong},
		{signer.Sign("n", "v", now.Add(25*time.Hour)), httpmw.ErrSignedAhead},
		{signer.Sign("other", "v", now), httpmw.ErrWrongName},
		{httpmw.Signer{Secret: []byte("other")}.Sign("n", "v", now), httpmw.ErrWrongSign},
		{"rubbish", httpmw.ErrNotSigned},
		{"2|99999999999999999999:x|", httpmw.ErrNotSigned},
		{"2|" + strings.Repeat("1:0|", 20000), httpmw.ErrNotSigned},
	} {
		if _, err := signer.Verify("n", tc.signed, time.Hour); !errors.Is(err, tc.want) {
			t.Errorf("%.60q: %v, want %v", tc.signed, err, tc.want)
		}
	}
}

// TestTornadoAcceptsOurs asks a real Tornado and JupyterHub about cookies that minihub makes.
func TestTornadoAcceptsOurs(t *testing.T) {
	python := os.Getenv("MINIHUB_TEST_PYTHON")
	if python == "" {
		t.Skip("set MINIHUB_TEST_PYTHON to a python that has jupyterhub==6.1.1 to check our cookies against it")
	}
	signer := testSigner()
	type rows [][]string
	q := map[string]any{"secret": hex.EncodeToString(signer.Secret)}
	signed, xsrf, login := rows{}, rows{}, rows{}
	for _, value := range []string{testID, "", "ü|;\"\\ x", strings.Repeat("x", 3000)} {
		signed = append(signed, []string{"name", value, signer.Sign("name", value, time.Now())})
	}
	x, err := httpmw.NewXSRF(signer, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, hostPrefix := range []bool{false, true} {
		cookies := newCookies(t, httpmw.CookieOptions{BaseURL: "/", HubPrefix: "/hub/", HostPrefix: hostPrefix})
		h := make(map[string][]string)
		cookies.SetLogin(h, true, testID)
		login = append(login, []string{h["Set-Cookie"][0], cookies.LoginName(), testID})
		h = make(map[string][]string)
		id := x.UserTokenID("5e5510", testID)
		cookies.SetXSRF(h, x.New(id), true)
		xsrf = append(xsrf, []string{h["Set-Cookie"][0], id})
	}
	q["signed"], q["xsrf"], q["login"] = signed, xsrf, login
	in, err := json.Marshal(q)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python, "-W", "ignore", "testdata/signing_corpus.py", "verify")
	cmd.Stdin = strings.NewReader(string(in))
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, &stderr)
	}
	var got []bool
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if want := []bool{true, true, true, true, true, true, true, true}; !cmp.Equal(got, want) {
		t.Errorf("accepted by Tornado: %v, want all", got)
	}
}

func FuzzVerify(f *testing.F) {
	signer := testSigner()
	// At a fixed time: every process of a fuzz run makes this value for itself, and has to know it when it gets it from another one.
	made := time.Unix(1_700_000_000, 0)
	good := signer.Sign("n", "value", made)
	age := time.Since(made) + 24*time.Hour
	f.Add(good, "n", "value")
	f.Add("2|1:0|10:1700000000|1:n|0:|", "n", "")
	f.Add("dmFsdWU=|1700000000|00", "", "ü")
	f.Fuzz(func(t *testing.T, text, name, value string) {
		// What was not made with the secret is not accepted.
		if text != good {
			for _, verify := range []func(string, string, time.Duration) (string, error){signer.Verify, signer.VerifyLogin} {
				if got, err := verify("n", text, age); err == nil {
					t.Errorf("accepted %q as %q", text, got)
				}
			}
		}
		// What was signed comes back, unless it is larger than any cookie.
		signed := signer.Sign(name, value, time.Now())
		got, err := signer.Verify(name, signed, time.Hour)
		if len(signed) <= 8192 && (got != value || err != nil) {
			t.Errorf("%q: got %q, %v", value, got, err)
		}
		// Any changed byte is noticed.
		i := len(text) % len(signed)
		changed := []byte(signed)
		changed[i] ^= 1
		if _, err := signer.Verify(name, string(changed), time.Hour); err == nil {
			t.Errorf("byte %d of %q changed, and accepted", i, signed)
		}
	})
}
