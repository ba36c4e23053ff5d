package web

import (
	"net/http"

	"github.com/nikolalohinski/gonja/v2/exec"
)

// EmbeddedPage is a page of another package in the frame of the hub's pages: navigation, style, theme and Content-Security-Policy.
type EmbeddedPage struct {
	Title   string
	Main    string   // HTML of the part below the navigation; the caller has escaped what is data
	Styles  []string // addresses of more style sheets
	Scripts []string // addresses of scripts, which run when the page is there
	Refresh int      // seconds after which a browser without JavaScript loads the page again; 0: never
	Status  int      // 0 is 200
}

// Embed answers with such a page.
func (s *Site) Embed(w http.ResponseWriter, r *http.Request, p EmbeddedPage) error {
	styles, scripts := make(list, len(p.Styles)), make(list, len(p.Scripts))
	for i, u := range p.Styles {
		styles[i] = u
	}
	for i, u := range p.Scripts {
		scripts[i] = u
	}
	return s.render(w, r, view{template: "embedded.html", status: p.Status, vars: map[string]any{
		"heading": p.Title, "content": exec.AsSafeValue(p.Main), "styles": styles, "more_scripts": scripts, "refresh": p.Refresh}})
}
