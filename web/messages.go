package web

import (
	"embed"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"path"
	"strings"

	"github.com/nikolalohinski/gonja/v2/exec"
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/internal/httpmw"
)

// Catalogues: one file per language other than English, from the English text to its translation. English texts stand where they are
// shown: _("text") and ngettext("one", "many", n) in templates, jht("text") in scripts, say("text") in Go.
//
//go:embed locale/*.json
var localeFiles embed.FS

// languageCookie remembers the language that somebody chose on a page; without it the browser's Accept-Language decides.
const languageCookie = "minihub-language"

// words are the texts of one language. The zero value is English.
type words struct {
	lang  string
	name  string            // of the language, in itself
	texts map[string]string // nil: English

	errors []errorText
}

// languages are all catalogues.
type languages struct {
	known   []words // English first
	matcher language.Matcher
}

func newLanguages() (*languages, error) {
	l := &languages{known: []words{{lang: "en", name: "English"}}}
	files, err := localeFiles.ReadDir("locale")
	if err != nil {
		return nil, fmt.Errorf("read the catalogues of messages: %w", err)
	}
	tags := []language.Tag{language.English}
	for _, f := range files {
		w := words{lang: strings.TrimSuffix(f.Name(), ".json")}
		tag, err := language.Parse(w.lang)
		w.name = display.Self.Name(tag)
		if err != nil {
			return nil, fmt.Errorf("catalogue of messages %s: its name is no language: %w", f.Name(), err)
		}
		data, err := localeFiles.ReadFile(path.Join("locale", f.Name()))
		if err == nil {
			err = json.Unmarshal(data, &w.texts)
		}
		if err != nil {
			return nil, fmt.Errorf("catalogue of messages %s: %w", f.Name(), err)
		}
		w.errors = newErrorTexts(w.texts)
		l.known, tags = append(l.known, w), append(tags, tag)
	}
	l.matcher = language.NewMatcher(tags)
	return l, nil
}

// named returns the catalogue of a language by its exact name.
func (l *languages) named(lang string) (words, bool) {
	for _, w := range l.known {
		if w.lang == lang {
			return w, true
		}
	}
	return words{lang: "en"}, false
}

// of chooses the language of a request: the cookie, else Accept-Language, else English.
func (l *languages) of(r *http.Request) words {
	if c, err := r.Cookie(languageCookie); err == nil {
		if w, ok := l.named(c.Value); ok {
			return w
		}
	}
	accepted, _, err := language.ParseAcceptLanguage(r.Header.Get("Accept-Language"))
	if err != nil || len(accepted) == 0 {
		return l.known[0]
	}
	_, i, _ := l.matcher.Match(accepted...)
	return l.known[i]
}

// script is a script that gives the texts of a language to jht in i18n.js.
func (w words) script() ([]byte, error) {
	data, err := json.Marshal(w.texts)
	return append(append([]byte("window.jhmessages = "), data...), ";\n"...), err
}

// words are the texts in the language of a request.
func (s *Site) words(r *http.Request) words { return s.languages.of(r) }

// find returns the translation of a text, or the text.
func (w words) find(text string) string {
	if t := w.texts[text]; t != "" {
		return t
	}
	return text
}

// expand fills the %(name)s and %(name)d of a text in; %% is a percent sign, and a name without value stays as it is.
func expand(text string, value func(name string) (string, bool)) string {
	percent := strings.IndexByte(text, '%')
	if percent < 0 {
		return text // as most are
	}
	var b strings.Builder
	for ; percent >= 0; percent = strings.IndexByte(text, '%') {
		b.WriteString(text[:percent])
		text = text[percent:]
		name, rest, found := strings.Cut(text[1:], ")")
		switch {
		case strings.HasPrefix(text, "%%"):
			b.WriteByte('%')
			text = text[2:]
			continue
		case found && strings.HasPrefix(name, "(") && (strings.HasPrefix(rest, "s") || strings.HasPrefix(rest, "d")):
			if v, ok := value(name[1:]); ok {
				b.WriteString(v)
				text = rest[1:]
				continue
			}
		}
		b.WriteByte('%')
		text = text[1:]
	}
	b.WriteString(text)
	return b.String()
}

// say translates a text and fills in its %(name)s from pairs of a name and a value. The result is plain text.
func (w words) say(text string, pairs ...any) string {
	return expand(w.find(text), func(name string) (string, bool) {
		for i := 0; i+1 < len(pairs); i += 2 {
			if pairs[i] == name {
				return fmt.Sprint(pairs[i+1]), true
			}
		}
		return "", false
	})
}

// gettext is _("text with %(name)s", name=value) of templates. The result is plain text, escaped where it is printed; when a value is safe
// HTML, such as a link made by {% set %}, it is HTML with the text and the other values escaped.
func (w words) gettext(va *exec.VarArgs) *exec.Value {
	text := argument(va, 0, "message")
	if text == nil {
		return exec.AsValue("")
	}
	return w.fill(text.String(), va)
}

// ngettext is ngettext("%(num)s user", "%(num)s users", n) of templates; num is n.
func (w words) ngettext(va *exec.VarArgs) *exec.Value {
	one, many, n := argument(va, 0, "singular"), argument(va, 1, "plural"), argument(va, 2, "n")
	if one == nil || many == nil || n == nil {
		return exec.AsValue(fmt.Errorf("ngettext needs a text for one, a text for many, and the number"))
	}
	text := many
	if n.Integer() == 1 {
		text = one
	}
	args := &exec.VarArgs{KwArgs: map[string]*exec.Value{"num": n}}
	for name, v := range va.KwArgs {
		args.KwArgs[name] = v
	}
	return w.fill(text.String(), args)
}

func (w words) fill(text string, va *exec.VarArgs) *exec.Value {
	text, safe := w.find(text), false
	for _, v := range va.KwArgs {
		safe = safe || v.Safe
	}
	if safe {
		text = html.EscapeString(text)
	}
	text = expand(text, func(name string) (string, bool) {
		v, ok := va.KwArgs[name]
		switch {
		case !ok:
			return "", false
		case safe && !v.Safe:
			return html.EscapeString(v.String()), true
		}
		return v.String(), true
	})
	if safe {
		return exec.AsSafeValue(text)
	}
	return exec.AsValue(text)
}

// translate adds to a page's variables what its language needs.
func (s *Site) translate(r *http.Request, vars map[string]any) {
	w := s.words(r)
	vars["_"], vars["gettext"], vars["ngettext"] = w.gettext, w.gettext, w.ngettext
	vars["lang"] = w.lang
	choices := make(list, len(s.languages.known))
	for i, known := range s.languages.known {
		choices[i] = object{"code": known.lang, "name": known.name, "current": known.lang == w.lang, "url": s.hub + "language/" + known.lang}
	}
	vars["languages"] = choices
}

// chooseLanguage remembers a language in a cookie and goes back to the page.
func (s *Site) chooseLanguage(w http.ResponseWriter, r *http.Request) error {
	lang := httpmw.Param(r, "lang")
	if _, ok := s.languages.named(lang); !ok {
		return &hub.Error{Kind: hub.NotFound, Message: "There is no such language"}
	}
	http.SetCookie(w, &http.Cookie{Name: languageCookie, Value: lang, Path: s.hub, MaxAge: forever, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	next := s.safeNext(r, r.Header.Get("Referer")) // no ?next=: addresses of pages may hold codes, which do not belong into another's log line
	for form, page := range map[string]string{"token/request": "token", "token/revoke": "token", "home/servers": "home"} {
		if path, _, _ := strings.Cut(next, "?"); path == s.hub+form { // the page was the answer to a form
			next = s.hub + page
		}
	}
	if next == "" {
		next = s.hub + "home"
	}
	http.Redirect(w, r, next, http.StatusFound)
	return nil
}
