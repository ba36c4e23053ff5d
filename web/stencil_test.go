package web_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/minihub/minihub/auth"
	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/web"
)

var (
	anyNonce = regexp.MustCompile(`'nonce-([^']+)'`)
	anyToken = regexp.MustCompile(`name="_xsrf" value="([^"]+)"`)
)

// withoutSecrets replaces what differs in every answer, after it was checked that the page and its headers agree on it.
func withoutSecrets(t *testing.T, a answer) string {
	t.Helper()
	nonce := anyNonce.FindStringSubmatch(a.header.Get("Content-Security-Policy"))
	if nonce == nil {
		t.Fatalf("%d, policy %q", a.status, a.header.Get("Content-Security-Policy"))
	}
	if !strings.Contains(a.body, "nonce="+nonce[1]) {
		t.Error("the scripts of the page do not have the nonce of its policy")
	}
	text := strings.ReplaceAll(a.body+a.header.Get("Content-Security-Policy"), nonce[1], "NONCE")
	if token := anyToken.FindStringSubmatch(a.body); token != nil {
		if !strings.Contains(a.body, `"xsrf_token":"`+token[1]+`"`) {
			t.Error("form and script have different tokens")
		}
		text = strings.ReplaceAll(text, token[1], "TOKEN")
	}
	return text
}

// A login form that was rendered before is, but for nonce and token, the one that would be rendered now.
func TestLoginFormsFromStencils(t *testing.T) {
	quick := newWorld(t, worldOptions{})
	full := newWorld(t, worldOptions{edit: func(_ *world, o *web.Options) { // a function keeps stencils away
		o.Look.TemplateVars = map[string]any{"unused": web.TemplateFunc(func(context.Context, *orm.User) (any, error) { return nil, nil })}
	}})
	for _, page := range []auth.Page{{}, {Service: "<GitHub> & Co"}, {RequestOTP: true, OTPPrompt: "Code <now>"}, {NoForm: true}, {CustomHTML: "<b>{{ next }}</b>"}} {
		*quick.page, *full.page = page, page
		for _, lang := range []string{"en", "de"} {
			for _, next := range []string{"", "/hub/home", `/user/a b/?x=<"'&>+%25`, "/hub/ü#x", strings.Repeat("/long", 100)} {
				path := "/hub/login"
				if next != "" {
					path += "?next=" + url.QueryEscape(next)
				}
				want := withoutSecrets(t, full.as("").get(path, "Accept-Language", lang))
				var first string
				for range 2 {
					a := quick.as("").get(path, "Accept-Language", lang)
					if got := withoutSecrets(t, a); got != want {
						t.Fatalf("%+v %s %q:\n%s\nwant\n%s", page, lang, next, got, want)
					}
					if token := anyToken.FindStringSubmatch(a.body); token != nil && first == a.body {
						t.Error("two visitors got one page")
					}
					first = a.body
				}
			}
		}
	}
	// what cannot be cut is rendered
	*quick.page = auth.Page{}
	if a := quick.as("").get("/hub/login?username=ann"); !strings.Contains(a.body, `value="ann"`) {
		t.Error("the name of the link is not in the form")
	}
	if a := quick.as("").post("/hub/login", url.Values{"username": {"ann"}, "password": {"wrong"}, "_xsrf": {"x"}}); !strings.Contains(a.body, "login_error") {
		t.Errorf("no error after a wrong password: %d", a.status)
	}
}

// A token of one visitor never gets to another one.
func TestStencilsHoldNoToken(t *testing.T) {
	w := newWorld(t, worldOptions{})
	seen := map[string]bool{}
	for i := range 5 {
		a := w.as("").get("/hub/login", "User-Agent", strings.Repeat("x", i+1))
		token := anyToken.FindStringSubmatch(a.body)
		if token == nil || seen[token[1]] {
			t.Fatalf("visitor %d: token %v", i, token)
		}
		seen[token[1]] = true
		for other := range seen {
			if other != token[1] && strings.Contains(a.body, other) {
				t.Errorf("visitor %d sees the token of another one", i)
			}
		}
	}
}

func BenchmarkLoginPage(b *testing.B) {
	w := newWorld(b, worldOptions{})
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequest("GET", "/hub/login?next=%2Fhub%2Fhome", nil)
		rec := httptest.NewRecorder()
		if w.handler.ServeHTTP(rec, r); rec.Code != http.StatusOK {
			b.Fatal(rec.Code)
		}
	}
}
