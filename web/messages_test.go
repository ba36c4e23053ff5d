package web_test

import (
	"encoding/json"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/minihub/minihub/rbac"
	"github.com/minihub/minihub/web"
)

// How a text is marked, by kind of file. Only literals count: a text that is put together cannot be translated.
var marks = map[string]*regexp.Regexp{
	".html": regexp.MustCompile(`\b(?:_|gettext|ngettext)\(\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')(?:\s*,\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'))?`),
	".js":   regexp.MustCompile(`\b(?:jht|jhn|t|n)\(\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')(?:\s*,\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'))?`),
	".go":   regexp.MustCompile(`\.say\(\s*("(?:[^"\\]|\\.)*")()`),
}

// marked are all texts to be translated, with the file that has them.
func marked(t *testing.T) map[string]string {
	out := map[string]string{"Never": "engine_values.go"}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		mark := marks[filepath.Ext(path)]
		if err != nil || d.IsDir() || mark == nil || strings.HasSuffix(path, "_test.go") || filepath.Base(path) == "i18n.js" || filepath.Base(path) == "messages.go" {
			return err
		}
		source, err := os.ReadFile(path)
		for _, m := range mark.FindAllSubmatch(source, -1) {
			for i, literal := range m[1:] {
				// a second string is the plural of ngettext and jhn only
				if len(literal) > 0 && (i == 0 || strings.HasPrefix(string(m[0]), "n") || strings.HasPrefix(string(m[0]), "jhn")) {
					out[unquoted(string(literal))] = path
				}
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	catalog := need(rbac.NewCatalog(nil))
	for _, name := range catalog.Names() {
		definition, _ := catalog.Lookup(name)
		out[definition.Description] = "rbac"
	}
	for _, phrase := range rbac.FilterPhrases() {
		out[phrase] = "rbac"
	}
	for text, file := range errorTexts(t) {
		out[text] = file
	}
	for _, text := range moreErrorTexts {
		out[text] = "errors"
	}
	for _, status := range pageStatuses {
		out[http.StatusText(status)] = "errors"
	}
	return out
}

func unquoted(literal string) string {
	if s, err := strconv.Unquote(literal); err == nil {
		return s
	}
	return strings.ReplaceAll(literal[1:len(literal)-1], `\'`, `'`)
}

// TestEveryTextIsTranslated compares what the pages, scripts and handlers say with the catalogues.
func TestEveryTextIsTranslated(t *testing.T) {
	texts := marked(t)
	if len(texts) < 2 {
		t.Fatalf("found only %d texts, so the search is broken", len(texts))
	}
	files, err := filepath.Glob("locale/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal("there are no catalogues", err)
	}
	placeholder := regexp.MustCompile(`%\(\w+\)[sd]`)
	for _, file := range files {
		var catalogue map[string]string
		if err := json.Unmarshal(need(os.ReadFile(file)), &catalogue); err != nil {
			t.Fatal(file, err)
		}
		for text, source := range texts {
			translation, ok := catalogue[text]
			if !ok || translation == "" {
				t.Errorf("%s: no translation of %q (%s)", file, text, source)
				continue
			}
			want, got := placeholder.FindAllString(text, -1), placeholder.FindAllString(translation, -1)
			slices.Sort(want)
			slices.Sort(got)
			if !slices.Equal(want, got) {
				t.Errorf("%s: %q has the values %v, its translation %v", file, text, want, got)
			}
		}
		for text := range catalogue {
			if _, ok := texts[text]; !ok {
				t.Errorf("%s: nothing says %q any more", file, text)
			}
		}
	}
}

func TestLanguageOfAPage(t *testing.T) {
	w := newWorld(t, worldOptions{})
	for _, c := range []struct{ name, accept, want string }{
		{"nothing asked for", "", "en"},
		{"English", "en-GB,en;q=0.9,de;q=0.5", "en"},
		{"German of Austria", "de-AT,en;q=0.5", "de"},
		{"German second", "fr,de;q=0.8,en;q=0.7", "de"},
		{"a language that is not there", "tlh", "en"},
		{"nonsense", ";;q=x,,%%", "en"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := w.as("").get("/hub/login", "Accept-Language", c.accept)
			if !strings.Contains(a.body, `<html lang="`+c.want+`"`) {
				t.Errorf("want %s: %s", c.want, a.body[:min(400, len(a.body))])
			}
			if loads := strings.Contains(a.body, "locale/de.js"); loads != (c.want == "de") {
				t.Errorf("the German texts for scripts are loaded: %v", loads)
			}
		})
	}
	t.Run("chosen on a page", func(t *testing.T) {
		b := w.as("")
		a := b.get("/hub/language/de", "Referer", w.url+"/hub/login?next=%2Fhub%2Ftoken")
		if a.status != http.StatusFound || a.location() != "/hub/login?next=%2Fhub%2Ftoken" {
			t.Errorf("%d to %q, want the page it was chosen on", a.status, a.location())
		}
		if a := b.get("/hub/login", "Accept-Language", "en"); !strings.Contains(a.body, `<html lang="de"`) {
			t.Error("the choice is not remembered")
		}
		if a := b.get("/hub/language/de", "Referer", "https://elsewhere.test/x"); a.location() != "/hub/home" {
			t.Errorf("a foreign page led to %q", a.location())
		}
		if a := b.get("/hub/language/de", "Referer", w.url+"/hub/token/request"); a.location() != "/hub/token" {
			t.Errorf("from the answer to a form to %q, where there is no page", a.location())
		}
		if a := b.get("/hub/login"); !strings.Contains(a.body, `<a href="/hub/language/en" lang="en" hreflang="en">English</a>`) ||
			!strings.Contains(a.body, `<a href="/hub/language/de" lang="de" hreflang="de" aria-current="true">Deutsch</a>`) {
			t.Error("the page does not offer its languages", a.body)
		}
		if a := b.get("/hub/language/xx"); a.status != http.StatusNotFound {
			t.Errorf("a language that is not there: %d", a.status)
		}
	})
}

func TestTextsInOverrides(t *testing.T) {
	dir := t.TempDir()
	page := `{% extends "templates/page.html" %}{% block main %}{% set link %}<a href="/x">x</a>{% endset %}
A{{ _("Never") }} B{{ _("<b>own</b> %(name)s", name="<i>") }} C{{ _("see %(link)s", link=link) }} D{{ ngettext("%(num)s user", "%(num)s users", 1) }} E{{ ngettext("%(num)s user", "%(num)s users of %(name)s", 2, name="a&b") }}
{% endblock %}`
	if err := os.WriteFile(filepath.Join(dir, "login.html"), []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, worldOptions{edit: func(_ *world, o *web.Options) { o.Look.TemplatePaths = []string{dir} }})
	a := w.as("").get("/hub/login", "Accept-Language", "de")
	for _, want := range []string{"ANie", "B&lt;b&gt;own&lt;/b&gt; &lt;i&gt;", `Csee <a href="/x">x</a>`, "D1 ", "E2 ", "a&amp;b"} {
		if !strings.Contains(a.body, want) {
			t.Errorf("no %q in %s", want, a.body)
		}
	}
}
