package app

import (
	"log/slog"
	"net/http"
	"strconv"
)

// proxyError shows the hub's own page for a failure of the proxy: no route, or a server that does not answer.
func (a *App) proxyError(w http.ResponseWriter, r *http.Request, code int, err error) {
	if code >= http.StatusInternalServerError {
		a.o.Logger.Log(r.Context(), slog.LevelWarn, "proxy: backend does not answer", "route", r.URL.Path, "status", code, "err", err)
	}
	page := r.Clone(r.Context())
	page.Method = http.MethodGet
	page.URL.Path, page.URL.RawPath = "", ""
	page.URL.RawQuery, page.Body = "", http.NoBody
	u := a.urls.HubPrefix + "error/" + strconv.Itoa(code)
	target, perr := page.URL.Parse(u)
	if perr != nil {
		http.Error(w, http.StatusText(code), code)
		return
	}
	page.URL = target
	a.edge.handler.ServeHTTP(&forcedStatus{ResponseWriter: w, code: code}, page)
}

// forcedStatus answers with a status that the page below does not know.
type forcedStatus struct {
	http.ResponseWriter
	code  int
	wrote bool
}

// WriteHeader sends the forced status once.
func (f *forcedStatus) WriteHeader(int) {
	if !f.wrote {
		f.wrote = true
		f.ResponseWriter.WriteHeader(f.code)
	}
}

// Write sends the status first.
func (f *forcedStatus) Write(b []byte) (int, error) {
	f.WriteHeader(f.code)
	return f.ResponseWriter.Write(b)
}

// Unwrap gives http.ResponseController the writer below.
func (f *forcedStatus) Unwrap() http.ResponseWriter { return f.ResponseWriter }
