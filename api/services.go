package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/internal/httpmw"
	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/rbac"
	"github.com/minihub/minihub/services"
)

// Services are the services of configuration and API; *services.Services implements it.
type Services interface {
	List(ctx context.Context) ([]services.View, error)
	Get(ctx context.Context, name string) (*services.View, error)
	Create(ctx context.Context, by *hub.Identity, spec hub.ServiceSpec) (*services.View, error)
	Delete(ctx context.Context, name string) error
}

func (a *API) serviceModel(scopes rbac.Scopes, s *services.View) object {
	keys := rbac.KeysFor(scopes, rbac.ModelService, rbac.Target{Kind: rbac.KindService, Service: s.Name})
	m := object{
		"kind": "service", "name": s.Name, "admin": s.Admin, "roles": list(s.Roles), "url": text(s.URL), "prefix": s.Prefix,
		"command": list(s.Command), "pid": s.PID, "info": dict(s.Info), "display": s.Display == nil || *s.Display,
	}
	m = only(m, keys)
	// Only where given: the model of a service that does not use minihub's own key is exactly JupyterHub's.
	if _, ok := keys["info"]; ok && len(s.Capabilities) > 0 {
		m["capabilities"] = s.Capabilities
	}
	return m
}

// serviceSelf is the model of the calling service, which JupyterHub makes from the row alone: unset fields are null.
func (a *API) serviceSelf(ctx context.Context, scopes rbac.Scopes, row *orm.Service) (object, error) {
	v, err := a.o.Services.Get(ctx, row.Name)
	if hub.KindOf(err) == hub.NotFound {
		v, err = &services.View{Service: *row}, nil
	}
	if err != nil {
		return nil, err
	}
	m := a.serviceModel(scopes, v)
	if _, ok := m["url"]; ok {
		m["url"], m["info"], m["display"], m["pid"] = v.URL, nullable(v.Info), v.Display, 0
		if v.FromConfig {
			m["display"] = nil // JupyterHub has it in memory only
		}
	}
	return m, nil
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// listServices answers GET /services; ?capability= keeps those with the word among their capabilities.
func (a *API) listServices(w http.ResponseWriter, r *http.Request) error {
	all, err := a.o.Services.List(r.Context())
	if err != nil {
		return err
	}
	scopes := httpmw.Identity(r).Scopes
	f, _ := scopes.ListFilter("list:services", rbac.KindService, rbac.KindUser, rbac.KindGroup, rbac.KindServer)
	want, _ := argument(r, "capability")
	items := object{}
	for i := range all {
		s := &all[i]
		if _, ok := f.Services[s.Name]; !f.All && !ok {
			continue
		}
		if want != "" && !slices.Contains(s.Capabilities, want) {
			continue
		}
		if m := a.serviceModel(scopes, s); len(m) > 0 {
			items[s.Name] = m
		}
	}
	return httpmw.WriteJSON(w, http.StatusOK, items)
}

func (a *API) getService(w http.ResponseWriter, r *http.Request) error {
	s, err := a.o.Services.Get(r.Context(), httpmw.Param(r, "service"))
	if err != nil {
		return err
	}
	return httpmw.WriteJSON(w, http.StatusOK, a.serviceModel(httpmw.Identity(r).Scopes, s))
}

func (a *API) createService(w http.ResponseWriter, r *http.Request) error {
	spec, err := readService(r, httpmw.Param(r, "service"))
	if err != nil {
		return err
	}
	id := httpmw.Identity(r)
	s, err := a.o.Services.Create(r.Context(), id, spec)
	if err != nil {
		return err
	}
	return httpmw.WriteJSON(w, http.StatusCreated, a.serviceModel(id.Scopes, s))
}

func (a *API) deleteService(w http.ResponseWriter, r *http.Request) error {
	if err := a.o.Services.Delete(r.Context(), httpmw.Param(r, "service")); err != nil {
		return err
	}
	return empty(w, http.StatusOK)
}

// readService reads the definition of a service. A command is refused: only the configuration may start programs.
func readService(r *http.Request, name string) (hub.ServiceSpec, error) {
	s := hub.ServiceSpec{Name: name, Display: true}
	m, err := httpmw.ReadObject(r)
	if err != nil {
		return s, err
	}
	if len(m) == 0 {
		return s, &hub.Error{Kind: hub.Invalid, Message: "The body must be a JSON object with at least one key", Hint: `for example {"admin": false}`}
	}
	fields := map[string]any{
		"name": new(string), "admin": &s.Admin, "url": &s.URL, "oauth_client_allowed_scopes": &s.OAuthClientAllowedScopes, "api_token": &s.APIToken,
		"info": &s.Info, "display": &s.Display, "oauth_no_confirm": &s.OAuthNoConfirm, "command": &s.Command, "cwd": &s.Cwd,
		"environment": &s.Environment, "user": &s.User, "oauth_client_id": &s.OAuthClientID, "oauth_redirect_uri": &s.OAuthRedirectURI,
		"capabilities": &s.Capabilities,
	}
	for key, raw := range m {
		dst, ok := fields[key]
		if !ok {
			return s, &hub.Error{Kind: hub.Invalid, Message: fmt.Sprintf("Invalid JSON keys: %q is not a key of a service", shorten(key))}
		}
		if string(raw) == "null" {
			return s, invalid("service.%s must not be null", key)
		}
		if _, err := httpmw.Field(map[string]json.RawMessage{key: raw}, key, dst); err != nil {
			return s, err
		}
	}
	if _, _, err := httpmw.Object(m, "info"); err != nil {
		return s, err
	}
	if given := *fields["name"].(*string); given != "" && given != name {
		return s, invalid("name in the body is %q, but the path names %q", given, name)
	}
	return s, nil
}
