package inspector

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/minihub/minihub/app"
	"github.com/minihub/minihub/devserver/trace"
	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/internal/httpmw"
	"github.com/minihub/minihub/web"
)

// files are the pages, their style and their script.
//
//go:embed assets
var files embed.FS

var pages = template.Must(template.New("").Funcs(template.FuncMap{
	"ms": milliseconds, "clock": func(t time.Time) string { return t.Format("15:04:05.000") }, "tone": tone, "more": func(list []string) int { return len(list) - 2 }, "join": strings.Join,
	"party": party, "iso": func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
}).ParseFS(files, "assets/*.html"))

// Table implements app.Inspect.Tables. The pages are public, since anybody can log in to this hub anyway.
func (i *Inspector) Table(inside app.Inside) []httpmw.Table {
	i.inside = inside
	i.base.Store(&inside.BaseURL)
	get := func(p string, h httpmw.Handler) httpmw.Route {
		return httpmw.Route{Method: http.MethodGet, Path: p, Access: httpmw.Public(), Handler: h}
	}
	post := func(p string, h httpmw.Handler) httpmw.Route {
		return httpmw.Route{Method: http.MethodPost, Path: p, Access: httpmw.Public(), Handler: h}
	}
	return []httpmw.Table{{Prefix: "/hub/dev", Routes: []httpmw.Route{
		get("/", i.home), get("", i.requests), get("/requests/{id}", i.request),
		get("/oauth", i.dances), get("/oauth/{id}", i.dance), get("/controls", i.controls),
		get("/events", i.events), get("/assets/{name}", i.asset), get("/waiting/{service}", i.waiting),
		post("/become", i.become), post("/revoke", i.revoke), post("/fault", i.fault), post("/clear-faults", i.clearFaults),
		post("/advance", i.advance), post("/restart", i.restart), post("/clear", i.clear),
	}}}
}

// home is the address with a slash at its end.
func (i *Inspector) home(w http.ResponseWriter, r *http.Request) error {
	http.Redirect(w, r, i.baseURL()+"hub/dev", http.StatusFound)
	return nil
}

// common are what all pages show.
type common struct {
	Base string // of the inspector, without a slash at the end
	Tab  string
	XSRF string
	Note string // what a button did
	Who  string // who is logged in
}

func (i *Inspector) common(r *http.Request, tab string) common {
	c := common{Base: i.baseURL() + "hub/dev", Tab: tab, XSRF: httpmw.PageToken(r), Note: i.noteOf(r.URL.Query().Get("note"))}
	if id := httpmw.Identity(r); id != nil {
		c.Who = id.Name()
	}
	return c
}

// show renders a page. live pages follow what happens.
func (i *Inspector) show(w http.ResponseWriter, r *http.Request, name, title string, data any) error {
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, name, data); err != nil {
		return fmt.Errorf("render %s: %w", name, err)
	}
	assets := i.baseURL() + "hub/dev/assets/"
	return i.inside.Page(w, r, web.EmbeddedPage{Title: title, Main: b.String(), Styles: []string{assets + "dev.css"}, Scripts: []string{assets + "dev.js"}})
}

// asset answers with style and script.
func (i *Inspector) asset(w http.ResponseWriter, r *http.Request) error {
	name := path.Base(httpmw.Param(r, "name"))
	b, err := files.ReadFile("assets/" + name)
	if err != nil || path.Ext(name) == ".html" {
		return &hub.Error{Kind: hub.NotFound}
	}
	w.Header().Set("Content-Type", mime.TypeByExtension(path.Ext(name)))
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = w.Write(b)
	return nil
}

// milliseconds is a duration as people compare them.
func milliseconds(d time.Duration) string {
	if d >= time.Second {
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
}

// tone is the class of a status badge.
func tone(status int) string {
	switch {
	case status == 0:
		return "badge-warn"
	case status >= 500:
		return "badge-danger"
	case status >= 400:
		return "badge-warn"
	case status >= 300:
		return "badge-accent"
	}
	return "badge-good"
}

// party is the lane of a party in the picture of a login.
func party(p trace.Party) int {
	return map[trace.Party]int{trace.Browser: 1, trace.Service: 2, trace.Hub: 3}[p]
}
