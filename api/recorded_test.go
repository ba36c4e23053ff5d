package api_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

// exchange is one request and what JupyterHub 6.1.1 answered; see testdata/record.py.
type exchange struct {
	As, Method, Path, Body string
	Headers                map[string]string
	Status                 int
	AnswerHeaders          map[string]string `json:"answer_headers"`
	Answer                 any
	Save                   map[string]string
}

func (e exchange) String() string { return e.As + " " + e.Method + " " + e.Path + " " + e.Body }

// TestRecorded sends what was sent to a real JupyterHub and expects the same answers, but for the deviations listed in
// deviations_test.go.
func TestRecorded(t *testing.T) {
	files, err := filepath.Glob("testdata/recorded/*.json")
	noErr(t, err)
	if len(files) < 8 {
		t.Fatalf("only %d files of recorded exchanges", len(files))
	}
	used := map[string]bool{}
	for _, file := range files {
		subject := strings.TrimSuffix(filepath.Base(file), ".json")
		t.Run(subject, func(t *testing.T) {
			raw, err := os.ReadFile(file)
			noErr(t, err)
			var list []exchange
			noErr(t, json.Unmarshal(raw, &list))
			replay(t, list, used)
		})
	}
	if t.Failed() {
		return
	}
	for key := range deviations {
		if !used[key] {
			t.Errorf("deviation %q is not one: the recorded answer is given", key)
		}
	}
}

func replay(t *testing.T, list []exchange, used map[string]bool) {
	l := newLab(t)
	_, err := l.hub.Users.Create(t.Context(), nil, readSetup(t).Users, false)
	noErr(t, err)
	saved := map[string]string{}
	for _, e := range list {
		noErr(t, l.hub.Acts.Flush(t.Context())) // JupyterHub writes activity at once
		got := replayOne(t, l, e, saved)
		want := answerOf(e)
		key := e.String()
		d, ok := deviations[key]
		if !ok {
			key = fmt.Sprintf("%s(%d)", e, e.Status)
			d, ok = deviations[key]
		}
		if ok {
			before := gocmp.Diff(want, got)
			d.change(&want)
			if before != "" {
				used[key] = true
			}
		}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("%s\n(-JupyterHub +minihub) %s", e, diff)
		}
	}
}

// seen is the part of an answer that is compared.
type seen struct {
	Status      int
	ContentType string
	CSP         string
	CORS        string
	Answer      any
}

func answerOf(e exchange) seen {
	h := http.Header{}
	for k, v := range e.AnswerHeaders {
		h.Set(k, v)
	}
	s := seen{Status: e.Status, ContentType: h.Get("Content-Type"), CSP: h.Get("Content-Security-Policy"), CORS: h.Get("Access-Control-Allow-Origin"), Answer: clean(e.Answer, "")}
	s.forget()
	return s
}

var placeholder = regexp.MustCompile(`<<(\w+)>>`)

func replayOne(t *testing.T, l *lab, e exchange, saved map[string]string) seen {
	t.Helper()
	fill := func(s string) string {
		return placeholder.ReplaceAllStringFunc(s, func(m string) string { return saved[strings.Trim(m, "<>")] })
	}
	h := http.Header{}
	for k, v := range e.Headers {
		h.Set(k, v)
	}
	as := e.As
	if s, ok := saved[as]; ok {
		as = s
	}
	a := l.do(call{as: as, method: e.Method, path: fill(e.Path), body: fill(e.Body), header: h})
	s := seen{Status: a.status, ContentType: a.header.Get("Content-Type"), CSP: a.header.Get("Content-Security-Policy"), CORS: a.header.Get("Access-Control-Allow-Origin")}
	if a.text != "" && json.Unmarshal([]byte(a.text), &s.Answer) != nil {
		s.Answer = a.text
	}
	for name, key := range e.Save {
		m, _ := s.Answer.(map[string]any)
		saved[name], _ = m[key].(string)
	}
	s.Answer = clean(s.Answer, "")
	s.forget()
	return s
}

// forget drops what never has to be equal: minihub's extra keys, and the texts of HTML pages and event streams.
func (s *seen) forget() {
	s.ContentType, _, _ = strings.Cut(strings.ToLower(s.ContentType), ";")
	if strings.HasPrefix(s.ContentType, "text/") {
		s.Answer = nil
	}
	m, _ := s.Answer.(map[string]any)
	delete(m, "hint")
	delete(m, "request_id")
	if s.Status >= 400 {
		if text, ok := m["message"].(string); ok {
			m["message"] = messageClass(text)
		}
	}
}

// messageClass reduces a message to what clients look for; the wording is free.
func messageClass(text string) string {
	for _, known := range []string{"requires any of [", "Missing or invalid credentials", "No access to resources or resources not found"} {
		if strings.Contains(text, known) {
			return text
		}
	}
	return "<some message>"
}

var (
	timeText  = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`)
	nextAfter = regexp.MustCompile(`&after=\d+`)
	codeText  = regexp.MustCompile(`code=[\w-]{43}`)
	addrText  = regexp.MustCompile(`http://127.0.0.1:\d{4,5}`)
)

// unordered are the lists whose order says nothing.
var unordered = map[string]bool{"scopes": true, "roles": true, "groups": true, "users": true, "api_tokens": true}

// clean replaces what differs with each run, as record.py does.
func clean(v any, key string) any {
	switch v := v.(type) {
	case map[string]any:
		if key == "state" { // belongs to the spawner
			return nil
		}
		out := map[string]any{}
		for k, x := range v {
			if k != "managed" && k != "capabilities" {
				out[k] = clean(x, k)
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = clean(x, key)
		}
		if unordered[key] {
			slices.SortFunc(out, func(a, b any) int { return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		}
		return out
	case string:
		v = strings.ReplaceAll(timeText.ReplaceAllString(v, "<time>"), "hub.test", "<hub>")
		v = nextAfter.ReplaceAllString(v, "") // an addition, see docs/differences.md
		switch {
		case key == "last_activity": // depends on when it was written down; see TestActivity
			return nil
		case key == "class" || key == "python" || key == "sys_executable" || key == "routespec" || key == "target":
			return "<" + key + ">"
		case key == "token" || key == "code":
			return "<" + key + ">"
		case (key == "id" || key == "token_id" || key == "session_id") && v != "":
			return "<" + key + ">"
		}
		return addrText.ReplaceAllString(codeText.ReplaceAllString(v, "code=<code>"), "<addr>")
	case float64:
		if key == "pid" && v != 0 {
			return "<pid>"
		}
	}
	return v
}
