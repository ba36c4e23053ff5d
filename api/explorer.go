package api

import (
	"bytes"
	"embed"
	"html/template"
	"mime"
	"net/http"
	"path"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/internal/httpmw"
	"github.com/minihub/minihub/internal/urlpath"
)

// explorerFiles are the page at /docs, its script and its style. They need nothing from elsewhere.
//
//go:embed explorer
var explorerFiles embed.FS

var explorerPage = template.Must(template.ParseFS(explorerFiles, "explorer/explorer.html"))

// explorerCSP lets the page load its own script and style, ask this hub, and nothing else.
const explorerCSP = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"

// openAPI answers GET /openapi.json. The description is public: the same for every hub, but for custom scopes.
func (a *API) openAPI(w http.ResponseWriter, _ *http.Request) error {
	b, err := a.described()
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-cache")
	return httpmw.WriteEncoded(w, http.StatusOK, b)
}

// encodeDocument is called once.
func (a *API) encodeDocument() ([]byte, error) {
	d, err := a.Document()
	if err != nil {
		return nil, err
	}
	return httpmw.EncodeJSON(d)
}

// explorer answers GET /docs: a page to read and try the API.
func (a *API) explorer(w http.ResponseWriter, r *http.Request) error {
	prefix := urlpath.Join(a.o.URLs.BaseURL, "hub")
	data := struct{ API, Hub, XSRF, User string }{API: urlpath.Join(prefix, "api"), Hub: prefix + "/", XSRF: httpmw.PageToken(r)}
	if id := httpmw.Identity(r); id != nil {
		data.User = id.Name()
	}
	var page bytes.Buffer
	if err := explorerPage.Execute(&page, data); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", explorerCSP)
	h.Set("Cache-Control", "no-store") // it has the visitor's XSRF token
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(page.Bytes())
	return nil
}

// explorerAsset answers GET /docs/{asset}.
func (a *API) explorerAsset(w http.ResponseWriter, r *http.Request) error {
	name := httpmw.Param(r, "asset")
	b, err := explorerFiles.ReadFile("explorer/" + path.Base(name))
	if err != nil || path.Ext(name) == ".html" {
		return &hub.Error{Kind: hub.NotFound, Hint: "the page has explorer.js and explorer.css"}
	}
	h := w.Header()
	h.Set("Content-Type", mime.TypeByExtension(path.Ext(name)))
	h.Set("Cache-Control", "no-cache")
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(b)
	return nil
}
