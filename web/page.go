package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/nikolalohinski/gonja/v2/exec"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/internal/httpmw"
	"github.com/minihub/minihub/orm"
)

// view is one page about to be rendered.
type view struct {
	template string
	status   int // 0 is 200
	vars     map[string]any
	user     *orm.User // shown as logged in; nil for nobody
}

// buffers are reused, since every page is rendered completely before the first byte is sent.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// render renders a page for whoever makes the request.
func (s *Site) render(w http.ResponseWriter, r *http.Request, v view) error {
	if id := httpmw.Identity(r); id != nil && v.user == nil {
		v.user = id.User
	}
	return s.write(w, r, v)
}

// write renders a page for v.user. When an override in template_paths fails, the built-in template is used, and administrators see why.
func (s *Site) write(w http.ResponseWriter, r *http.Request, v view) error {
	out := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(out)
	out.Reset()
	vars := s.globals(r, v.user, v.vars)
	needs, err := s.renderInto(out, v.template, vars)
	if err != nil && len(s.o.Look.TemplatePaths)+len(s.o.Look.DataFiles) > 0 {
		s.log.ErrorContext(r.Context(), "template failed, using the built-in one", "template", v.template, "request_id", httpmw.RequestID(r), "err", err)
		if v.user != nil && v.user.Admin {
			vars["template_error"] = err.Error()
		}
		out.Reset()
		var used pageNeeds
		used, err = s.engine.render(out, v.template, true, vars)
		needs = needs.and(used)
	}
	if err != nil {
		return err
	}
	s.send(w, r, v.template, out, s.engine.nonce.fill(out), needs, v.status)
	return nil
}

// renderInto renders a template with the mark of the nonce still in it.
func (s *Site) renderInto(out *bytes.Buffer, template string, vars map[string]any) (pageNeeds, error) {
	vars["page_name"] = strings.TrimSuffix(template, ".html")
	needs := s.trustHTML(vars)
	used, err := s.engine.render(out, template, false, vars)
	return needs.and(used), err
}

// globals are the variables that every page has, then template_vars, then the page's own.
func (s *Site) globals(r *http.Request, user *orm.User, own map[string]any) map[string]any {
	token := httpmw.PageToken(r)
	vars := map[string]any{
		"base_url": s.hub, "prefix": s.o.URLs.BaseURL, "user": nil, "viewer": nil, "shares_page": false,
		"login_url": s.loginURL(), "login_service": s.loginPage().Service, "logout_url": s.logoutURL(),
		"static_url": s.static.function, "version_hash": s.static.version(), "xsrf": token, "xsrf_token": token,
		"services": list{}, "parsed_scopes": object{}, "expanded_scopes": list{},
		"request_id": httpmw.RequestID(r), "csp_nonce": string(s.engine.nonce), "own_logo": s.static.logo != nil,
	}
	s.translate(r, vars)
	s.announce(vars)
	id := httpmw.Identity(r)
	if user != nil {
		vars["user"] = s.userVar(r.Context(), user)
		vars["viewer"] = vars["user"] // pages about somebody else's server set user to that person, as JupyterHub does
	}
	if user != nil && id != nil {
		scopes := object{}
		for _, scope := range id.Expanded {
			name, _, _ := cutScope(scope)
			scopes[name] = true
		}
		vars["parsed_scopes"], vars["expanded_scopes"] = scopes, texts(id.Expanded)
		vars["services"] = s.menu(r, id)
		vars["shares_page"] = s.o.Hub.Shares != nil && scopes["shares"] == true
	}
	for name, value := range s.o.Look.TemplateVars {
		if f, ok := value.(TemplateFunc); ok {
			value = s.callVar(r.Context(), name, f, user)
		}
		vars[name] = templateValue(value)
	}
	maps.Copy(vars, own)
	vars["jhdata"] = s.jhdata(user, vars, token)
	return vars
}

// callVar calls a function of template_vars; one that fails is None on the page.
func (s *Site) callVar(ctx context.Context, name string, f TemplateFunc, user *orm.User) (value any) {
	defer func() {
		if v := recover(); v != nil {
			s.log.ErrorContext(ctx, "function in JupyterHub.template_vars failed", "variable", name, "err", fmt.Sprint(v))
			value = nil
		}
	}()
	value, err := f(ctx, user)
	if err != nil {
		s.log.ErrorContext(ctx, "function in JupyterHub.template_vars failed", "variable", name, "err", err)
		return nil
	}
	return value
}

func (s *Site) announce(vars map[string]any) {
	for page, text := range s.o.Look.Announcements {
		if page == "" {
			vars["announcement"] = text
		} else {
			vars["announcement_"+page] = text
		}
	}
}

// jhdata is what window.jhdata holds, as JSON that can stand in an HTML element: Marshal escapes <, > and &.
func (s *Site) jhdata(user *orm.User, vars map[string]any, token string) *exec.Value {
	data := struct {
		BaseURL     string  `json:"base_url"`
		Prefix      string  `json:"prefix"`
		User        *string `json:"user,omitempty"`
		AdminAccess bool    `json:"admin_access"`
		OptionsForm bool    `json:"options_form"`
		Token       string  `json:"xsrf_token"`
	}{BaseURL: s.hub, Prefix: s.o.URLs.BaseURL, Token: token, AdminAccess: vars["admin_access"] == true}
	if user != nil {
		data.User = &user.Name
		if about, ok := vars["user"].(*userVar); ok {
			data.User = &about.row.Name
		}
		data.OptionsForm = s.hasOptionsForm()
	}
	b, err := json.Marshal(data)
	if err != nil {
		return exec.AsSafeValue("{}") // strings and flags always encode
	}
	return exec.AsSafeValue(string(b))
}

func cutScope(scope string) (name, filter string, filtered bool) {
	for i := range len(scope) {
		if scope[i] == '!' {
			return scope[:i], scope[i+1:], true
		}
	}
	return scope, "", false
}

// menu are the services that this person may use.
func (s *Site) menu(r *http.Request, id *hub.Identity) list {
	if s.o.Services == nil {
		return nil
	}
	services, err := s.o.Services.Displayed(r.Context())
	if err != nil {
		s.log.ErrorContext(r.Context(), "list services for the menu", "err", err)
		return nil
	}
	var out list
	for _, service := range services {
		ok, err := s.o.Hub.Access.Holds(r.Context(), id, s.o.Hub.Access.OnService(service.Name), "access:services")
		if err != nil || !ok {
			continue
		}
		out = append(out, object{"name": service.Name, "href": service.Href, "url": service.URL, "prefix": service.Prefix,
			"info": templateValue(service.Info), "display": true, "admin": service.Admin})
	}
	return out
}

// fallbackPage is sent when not even the built-in error page can be rendered.
func (s *Site) fallbackPage(w http.ResponseWriter, r *http.Request, status int, err error) {
	var broken *TemplateError
	if errors.As(err, &broken) {
		s.log.ErrorContext(r.Context(), "error page cannot be rendered", "request_id", httpmw.RequestID(r), "err", err)
	}
	w.Header().Del("Content-Length")
	w.Header().Set("Content-Type", "text/html; charset=UTF-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte("<!DOCTYPE html><title>JupyterHub</title><h1>" + strconv.Itoa(status) + " : " + http.StatusText(status) + "</h1>"))
}
