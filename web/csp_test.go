package web_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/minihub/minihub/auth"
	"github.com/minihub/minihub/web"
)

func policyOf(a answer) string { return a.header.Get("Content-Security-Policy") }

var nonceOf = regexp.MustCompile(`script-src 'nonce-([\w-]{20,})'`)

// everyTagHasNonce checks that the scripts, styles and links of a page carry the nonce of its policy.
func everyTagHasNonce(t *testing.T, name string, a answer) {
	t.Helper()
	m := nonceOf.FindStringSubmatch(policyOf(a))
	if m == nil {
		t.Errorf("%s: no nonce in the policy %q", name, policyOf(a))
		return
	}
	for _, tag := range regexp.MustCompile(`<(?:script|style|link)\b[^>]*>`).FindAllString(a.body, -1) {
		if !strings.Contains(tag, " nonce="+m[1]+" ") && !strings.Contains(tag, " nonce="+m[1]+">") {
			t.Errorf("%s: %s has not the nonce %s", name, tag, m[1])
		}
	}
}

// TestStrictPolicy: no page of minihub's own allows inline scripts, styles, other hosts or frames.
func TestStrictPolicy(t *testing.T) {
	seen := map[string]bool{}
	check := func(name string, a answer) {
		everyTagHasNonce(t, name, a)
		if nonce := nonceOf.FindStringSubmatch(policyOf(a)); nonce != nil && seen[nonce[1]] {
			t.Errorf("%s: the nonce was used before", name)
		} else if nonce != nil {
			seen[nonce[1]] = true
		}
		policy := policyOf(a)
		for _, want := range []string{"frame-ancestors 'none'", "default-src 'none'", "base-uri 'none'", "report-uri /hub/security/csp-report"} {
			if !strings.Contains(policy, want) {
				t.Errorf("%s: the policy %q has not %s", name, policy, want)
			}
		}
		if strings.Contains(name, "custom") || strings.Contains(name, "form") {
			return
		}
		for _, bad := range []string{"unsafe", "http", "*", "strict-dynamic"} {
			if strings.Contains(policy, bad) {
				t.Errorf("%s: the policy %q has %s", name, policy, bad)
			}
		}
		if leaves := strings.Contains(name, "login") || name == "share" || name == "consent"; strings.Contains(policy, "form-action 'self'") == leaves {
			t.Errorf("%s: form-action: %q", name, policy)
		}
	}
	everyPage(t, func(_ *world, o *web.Options) { o.Look.Announcements = nil }, func(name string, a answer) {
		if name != "consent" { // rendered outside of the middleware, which sets the beginning of the policy
			check(name, a)
		}
	})
}

// TestPolicyWithCustomHTML: scripts of an administrator's templates and HTML run, those that come out of data do not.
func TestPolicyWithCustomHTML(t *testing.T) {
	for _, row := range []struct {
		name      string
		edit      func(w *world, o *web.Options)
		want, not []string // of the policy
		tags      int      // inline scripts with the nonce
	}{
		{"an override with a script", func(w *world, o *web.Options) {
			o.Look.TemplatePaths = []string{overrides(w.t, map[string]string{"page.html": `{% extends "templates/page.html" %}{% block script %}<script>window.own = 1</script>{% endblock %}`})}
		}, []string{"'strict-dynamic'", "style-src 'self' 'unsafe-inline'"}, []string{"script-src-attr", "form-action"}, 1},
		{"an override with a handler", func(w *world, o *web.Options) {
			o.Look.TemplatePaths = []string{overrides(w.t, map[string]string{"home.html": `{% extends "templates/home.html" %}{% block main %}<b onclick="go()">{{ super() }}</b>{% endblock %}`})}
		}, []string{"script-src-attr 'unsafe-inline'"}, nil, 0},
		{"a tag that is put together", func(w *world, o *web.Options) {
			o.Look.TemplatePaths = []string{overrides(w.t, map[string]string{"home.html": `{% extends "templates/home.html" %}{% block main %}{{ ("<scr" ~ "ipt nonce=" ~ csp_nonce ~ ">2</script>") | safe }}{% endblock %}`})}
		}, []string{"'strict-dynamic'"}, nil, 1},
		{"a tag in a string of a template", func(w *world, o *web.Options) {
			o.Look.TemplatePaths = []string{overrides(w.t, map[string]string{"home.html": `{% extends "templates/home.html" %}{% block main %}{{ "<script>1</script>" | safe }}{% raw %}<script>3</script>{% endraw %}{% endblock %}`})}
		}, []string{"'strict-dynamic'"}, nil, 2},
		{"an announcement with a script", func(_ *world, o *web.Options) {
			o.Look.Announcements = map[string]string{"": "<script>1</script><img src='https://elsewhere.test/x.png'>"}
		}, []string{"'strict-dynamic'", "img-src *"}, nil, 1},
		{"a script out of data", func(_ *world, o *web.Options) {
			o.Look.TemplateVars = map[string]any{"announcement_shown": "<script>1</script>"}
		}, []string{"style-src 'nonce-"}, []string{"unsafe", "strict-dynamic"}, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(t, worldOptions{edit: row.edit})
			w.user("alice")
			a := w.as("alice").get("/hub/home")
			everyTagHasNonce(t, row.name, a)
			policy := policyOf(a)
			for _, want := range row.want {
				if !strings.Contains(policy, want) {
					t.Errorf("the policy %q has not %s", policy, want)
				}
			}
			for _, not := range row.not {
				if strings.Contains(policy, not) {
					t.Errorf("the policy %q has %s", policy, not)
				}
			}
			if n := len(regexp.MustCompile(`<script nonce=[\w-]+>`).FindAllString(a.body, -1)); n != row.tags {
				t.Errorf("%d inline scripts have the nonce, want %d: %s", n, row.tags, a.body)
			}
		})
	}
	t.Run("custom_html", func(t *testing.T) {
		w := newWorld(t, worldOptions{})
		*w.page = auth.Page{CustomHTML: `<form>{{ username }}</form><script>own()</script>`}
		a := w.as("").get("/hub/login?username=%3Cscript%3E1")
		everyTagHasNonce(t, "custom_html", a)
		if !strings.Contains(a.body, "&lt;script&gt;1</form>") {
			t.Error(a.body)
		}
	})
	t.Run("a broken template does not tell the mark", func(t *testing.T) {
		w := newWorld(t, worldOptions{edit: func(w *world, o *web.Options) {
			o.Look.TemplatePaths = []string{overrides(w.t, map[string]string{"home.html": "<script>{% nonsense %}"})}
		}})
		a := w.as("root").get("/hub/home")
		if !strings.Contains(a.body, "home.html line 1") || strings.Contains(w.log.String(), "nonce=") {
			t.Errorf("%s\n%s", a.body, w.log.String())
		}
	})
	t.Run("a policy of the configuration stays", func(t *testing.T) {
		w := newWorld(t, worldOptions{headers: map[string]string{"Content-Security-Policy": "frame-ancestors https://portal.test"}})
		if got := policyOf(w.as("").get("/hub/login")); got != "frame-ancestors https://portal.test" {
			t.Error(got)
		}
	})
}
