package api

import (
	"maps"
	"net/http"
	"slices"

	"github.com/minihub/minihub/internal/httpmw"
)

func (a *API) proxyRoutes(w http.ResponseWriter, r *http.Request) error {
	p, err := a.paging(r)
	if err != nil {
		return err
	}
	routes, err := a.o.Proxy.Routes(r.Context())
	if err != nil {
		return err
	}
	specs := slices.Sorted(maps.Keys(routes))
	from := min(p.offset, len(specs))
	items := object{}
	for _, spec := range specs[from:min(from+p.limit, len(specs))] {
		items[spec] = routes[spec]
	}
	return httpmw.WriteJSON(w, http.StatusOK, p.answer(r, a.scheme(r), items, len(specs)))
}

func (a *API) checkProxy(w http.ResponseWriter, r *http.Request) error {
	if err := a.o.Proxy.Check(r.Context()); err != nil {
		return err
	}
	return empty(w, http.StatusOK)
}

func (a *API) repointProxy(w http.ResponseWriter, r *http.Request) error {
	m, err := httpmw.ReadObject(r)
	if err != nil {
		return err
	}
	if m == nil {
		return invalid("need JSON body")
	}
	var apiURL, token string
	if _, err := httpmw.Field(m, "api_url", &apiURL); err != nil {
		return err
	}
	if _, err := httpmw.Field(m, "auth_token", &token); err != nil {
		return err
	}
	if err := a.o.Proxy.Repoint(r.Context(), apiURL, token); err != nil {
		return err
	}
	return empty(w, http.StatusOK)
}
