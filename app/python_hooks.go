package app

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/internal/httpmw"
	"github.com/minihub/minihub/internal/urlpath"
	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/pybridge"
	"github.com/minihub/minihub/spawner"
	"github.com/minihub/minihub/web"
)

// hookError says what a person may know about an exception of a hook; the bridge has logged it with its traceback.
func hookError(err error, what string, id spawner.Identity) error {
	if errors.Is(err, pybridge.ErrUnavailable) {
		return &hub.Error{Kind: hub.Unavailable, Message: "The Python part of the hub is being restarted, try again", RetryAfter: 2 * time.Second, Err: err}
	}
	e, ok := errors.AsType[*pybridge.Error](err)
	if !ok {
		return err
	}
	out := &hub.Error{Kind: hub.Failed, Status: e.Status, Message: e.Say(), HTMLMessage: e.HTML, Reason: e.Reason, RetryAfter: time.Duration(e.RetryAfter) * time.Second, Err: err}
	if e.Expected() && out.Status == http.StatusBadRequest {
		out.Kind = hub.Invalid
	}
	if out.Message == "" {
		out.Message = "Unhandled error starting server " + id.String()
		out.Progress = e.Message // JupyterHub shows the exception's text there, and only there
		out.Hint = "an exception in Python code of the configuration (" + what + "); the hub's log has its traceback"
	}
	if out.Reason == "" {
		out.Reason = "error"
	}
	return out
}

// needsObjects reports whether starts need an object in Python.
func (p *pythonPart) needsObjects() bool {
	if p == nil {
		return false
	}
	if p.spawns() || p.auth != nil && (p.info.Authenticator.Has("pre_spawn_start") || p.info.Authenticator.Has("post_spawn_stop")) {
		return true
	}
	for _, trait := range []string{"pre_spawn_hook", "post_stop_hook", "auth_state_hook", "apply_user_options", "environment", "group_overrides",
		"server_token_scopes", "oauth_client_allowed_scopes", "oauth_roles"} {
		if p.spawnerHolds(trait) {
			return true
		}
	}
	return false
}

// addHooks puts the hooks of the configuration into those of the servers.
func (p *pythonPart) addHooks(h *hub.Hooks, logins *hub.Logins) {
	if p == nil {
		return
	}
	p.addForms(h)
	if p.spawns() && p.info.Spawner.Ready || p.spawnerHolds("progress_ready_hook") {
		h.ProgressReady = p.progressReady
	}
	if !p.needsObjects() {
		return
	}
	h.Prepare = p.prepare
	all := p.spawns()
	if p.auth != nil && p.info.Authenticator.Has("pre_spawn_start") {
		h.PreSpawnStart = func(ctx context.Context, user, server string) error {
			id := spawner.Identity{UserName: user, ServerName: server}
			return hookError(p.hooks.PreSpawnStart(ctx, id), "pre_spawn_start", id)
		}
	}
	if all || p.spawnerHolds("auth_state_hook") {
		h.AuthState = p.authState(logins)
	}
	if all || p.spawnerHolds("apply_user_options") {
		h.ApplyUserOptions = func(ctx context.Context, req *spawner.Request, options map[string]any) error {
			err := hookError(p.hooks.ApplyUserOptions(ctx, req, options), "apply_user_options", req.Identity)
			if e, ok := errors.AsType[*hub.Error](err); ok && e.Kind == hub.Failed && e.Status == 0 {
				return &hub.Error{Kind: hub.Invalid, Message: "Invalid user options", Reason: "options", Err: e.Err}
			}
			return err
		}
	}
	if all || p.spawnerHolds("pre_spawn_hook") || p.spawnerHolds("environment") {
		h.PreSpawn = func(ctx context.Context, req *spawner.Request) error {
			return hookError(p.hooks.PreSpawn(ctx, req), "pre_spawn_hook", req.Identity)
		}
	}
	if all || p.spawnerHolds("post_stop_hook") {
		h.PostStop = p.hooks.PostStop
	}
	h.PostSpawnStop = p.postSpawnStop(h.PostSpawnStop)
}

// prepare begins a start in the child.
func (p *pythonPart) prepare(ctx context.Context, user *orm.User, row *orm.Spawner, t *hub.SpawnTraits) error {
	id := spawner.Identity{UserName: user.Name, ServerName: row.Name}
	var traits map[string]any
	if !p.spawns() {
		traits = map[string]any{"cmd": t.Cmd, "args": append([]string{}, t.Args...), "environment": t.Environment, "default_url": t.DefaultURL,
			"notebook_dir": t.NotebookDir, "ip": t.IP, "port": t.Port, "debug": t.Debug, "disable_user_config": t.DisableUserConfig,
			"oauth_client_allowed_scopes": t.OAuthClientAllowedScopes, "server_token_scopes": t.ServerTokenScopes, "hub_connect_url": textOrNil(t.HubConnectURL),
			"env_keep": p.cfg.SpawnerTraits().EnvKeep, "poll_interval": p.cfg.SpawnerTraits().PollInterval,
			"consecutive_failure_limit": p.cfg.SpawnerTraits().ConsecutiveFailureLimit, "start_timeout": t.StartTimeout.Seconds(), "http_timeout": t.HTTPTimeout.Seconds()}
		for name, n := range map[string]int64{"mem_limit": t.MemLimit, "mem_guarantee": t.MemGuarantee} {
			traits[name] = orNil(n)
		}
		for name, f := range map[string]float64{"cpu_limit": t.CPULimit, "cpu_guarantee": t.CPUGuarantee} {
			traits[name] = orNil(f)
		}
		for name, v := range t.Other {
			traits[name] = v
		}
	}
	b, err := p.hooks.Begin(ctx, id, traits)
	if err != nil {
		return hookError(err, "start", id)
	}
	if b.TokenScopes != nil {
		t.ServerTokenScopes = *b.TokenScopes
	}
	if b.ClientScopes != nil {
		t.OAuthClientAllowedScopes = *b.ClientScopes
	}
	if b.OAuthRoles != nil {
		t.OAuthRoles = *b.OAuthRoles
	}
	if b.StartTimeout != nil && *b.StartTimeout > 0 {
		t.StartTimeout = fseconds(*b.StartTimeout)
	}
	if b.HTTPTimeout != nil && *b.HTTPTimeout > 0 {
		t.HTTPTimeout = fseconds(*b.HTTPTimeout)
	}
	for _, override := range b.Overrides {
		for name, v := range override {
			if err := t.Set(name, v); err != nil {
				return err
			}
		}
	}
	return nil
}

func textOrNil(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// orNil makes an unset limit None.
func orNil[T int64 | float64](n T) any {
	if n == 0 {
		return nil
	}
	return n
}

func (p *pythonPart) authState(logins *hub.Logins) func(context.Context, *orm.User, *spawner.Request) error {
	return func(ctx context.Context, user *orm.User, req *spawner.Request) error {
		var state any
		if logins.Traits().EnableAuthState {
			row, err := p.dir.user(ctx, user.Name)
			if err == nil {
				state, err = logins.AuthState(ctx, row)
			}
			if err != nil {
				return err
			}
		}
		return hookError(p.hooks.AuthState(ctx, state, req), "auth_state_hook", req.Identity)
	}
}

// postSpawnStop runs the authenticator's hook, of the hub's own or of one in Python, and drops the object of the server.
func (p *pythonPart) postSpawnStop(own func(context.Context, string, string) error) func(context.Context, string, string) error {
	inPython := p.auth != nil && p.info.Authenticator.Has("post_spawn_stop")
	return func(ctx context.Context, user, server string) error {
		id := spawner.Identity{UserName: user, ServerName: server}
		var err error
		switch {
		case inPython:
			err = p.hooks.PostSpawnStop(ctx, id)
		case own != nil:
			err = own(ctx, user, server)
		}
		return errors.Join(err, p.hooks.Forget(ctx, id))
	}
}

func (p *pythonPart) addForms(h *hub.Hooks) {
	i := p.info.Spawner
	if i != nil && (i.Has("options_form") || i.Has("get_options_form")) || p.spawnerHolds("options_form") {
		h.OptionsForm = func(ctx context.Context, id spawner.Identity) (string, error) {
			html, err := p.hooks.OptionsForm(ctx, id)
			return html, hookError(err, "options_form", id)
		}
	}
	if i != nil || p.spawnerHolds("options_from_form") {
		h.OptionsFromForm = p.optionsFromForm
	}
}

func (p *pythonPart) optionsFromForm(ctx context.Context, id spawner.Identity, form map[string][]string, files map[string][]hub.FormFile, query bool) (map[string]any, error) {
	all := map[string]any{}
	for key, values := range form {
		list := make([]any, len(values))
		for i, v := range values {
			list[i] = v
		}
		all[key] = list
	}
	for key, uploads := range files {
		list := make([]any, len(uploads))
		for i, f := range uploads {
			list[i] = map[string]any{"filename": f.Filename, "body": f.Body, "content_type": f.ContentType}
		}
		all[key+"_file"] = list
	}
	options, err := p.hooks.OptionsFromForm(ctx, id, all, query)
	if e, ok := errors.AsType[*pybridge.Error](err); ok && e.Status == 0 { // as JupyterHub: the text is for the person who filled in the form
		message := e.Public
		if message == "" {
			message = e.Message
		}
		return nil, &hub.Error{Kind: hub.Invalid, Message: message, HTMLMessage: e.HTML, Err: err}
	}
	return options, hookError(err, "options_from_form", id)
}

func (p *pythonPart) progressReady(ctx context.Context, id spawner.Identity, e hub.ProgressEvent) (hub.ProgressEvent, error) {
	m, err := p.hooks.ProgressReady(ctx, id, map[string]any{"progress": e.Progress, "ready": true, "message": e.Message, "html_message": e.HTMLMessage, "url": e.URL})
	if err != nil {
		return e, err
	}
	for key, text := range map[string]*string{"message": &e.Message, "html_message": &e.HTMLMessage, "url": &e.URL} {
		if v, ok := m[key].(string); ok {
			*text = v
		} else {
			*text = ""
		}
	}
	if n, ok := m["progress"].(float64); ok {
		e.Progress = int(n)
	}
	return e, nil
}

// loginTraits adds reconcile_auth_state_hook.
func (p *pythonPart) loginTraits(t hub.LoginTraits) hub.LoginTraits {
	if p != nil && (p.auth != nil && p.info.Authenticator.Reconciles || p.auth == nil && p.authenticatorHolds("reconcile_auth_state_hook")) {
		t.ReconcileAuthState = p.bridge.Reconcile
	}
	return t
}

// namedLimit is a callable named_server_limit_per_user.
func (p *pythonPart) namedLimit(ctx context.Context, user *orm.User) (int, error) {
	about, err := p.dir.describe(ctx, user)
	if err != nil {
		return 0, err
	}
	return p.bridge.NamedServerLimit(ctx, about)
}

// serverTraits adds callables that concern servers.
func (p *pythonPart) serverTraits(t hub.ServerTraits) hub.ServerTraits {
	if p.hubHolds("named_server_limit_per_user") {
		t.NamedServerLimit = p.namedLimit
	}
	return t
}

// subdomain is subdomain_hook for one kind of names. Its answers are kept: addresses must not change while the hub runs.
func (p *pythonPart) subdomain(domain, kind string) func(name string) string {
	return func(name string) string {
		if host, ok := p.hosts.Load(kind + " " + name); ok {
			return host.(string)
		}
		host, err := p.bridge.SubdomainHook(context.Background(), name, domain, kind)
		if err != nil || host == "" {
			p.log.Error("subdomain_hook of the configuration failed, the usual name is used", "name", name, "err", err)
			return urlpath.Subdomain(name, domain, kind, "idna")
		}
		p.hosts.Store(kind+" "+name, host)
		return host
	}
}

// addPages adds the functions of the configuration to what the pages need.
func (p *pythonPart) addPages(o *web.Options) {
	if p == nil {
		return
	}
	p.addForms(&o.Hub.Hooks)
	if p.hubHolds("named_server_limit_per_user") {
		o.Traits.Servers.NamedLimit = p.namedLimit
	}
	if p.hubHolds("default_url") {
		o.Traits.Redirects.DefaultURL = p.defaultURL
	}
	if p.hubHolds("user_redirect_hook") {
		o.Traits.Redirects.UserRedirect = func(r *http.Request, path string, user *orm.User) (string, error) {
			about, err := p.dir.describe(r.Context(), user)
			if err != nil {
				return "", err
			}
			return p.bridge.UserRedirect(r.Context(), path, about)
		}
	}
	if p.hubHolds("template_vars") {
		o.Look.TemplateVars = p.templateVars(o.Look.TemplateVars)
	}
}

func (p *pythonPart) defaultURL(r *http.Request, user *orm.User) string {
	var about *pybridge.User
	if user != nil {
		if u, err := p.dir.describe(r.Context(), user); err == nil {
			about = &u
		}
	}
	url, err := p.bridge.DefaultURL(r.Context(), about)
	if err != nil {
		p.log.ErrorContext(r.Context(), "default_url of the configuration failed, the usual target is used", "err", err)
		return ""
	}
	return url
}

// templateVars replaces functions by calls of them.
func (p *pythonPart) templateVars(vars map[string]any) map[string]any {
	out := make(map[string]any, len(vars))
	for key, value := range vars {
		out[key] = value
		if !p.hubHolds("template_vars[" + strconv.Quote(key) + "]") {
			continue
		}
		out[key] = web.TemplateFunc(func(ctx context.Context, user *orm.User) (any, error) {
			var about *pybridge.User
			if user != nil {
				u, err := p.dir.describe(ctx, user)
				if err != nil {
					return nil, err
				}
				about = &u
			}
			return p.bridge.TemplateVar(ctx, key, about)
		})
	}
	return out
}

// wrap puts around the hub's handler what Python needs.
func (p *pythonPart) wrap(prefix string, own []httpmw.Table, next http.Handler) http.Handler {
	return p.withRequest(p.routePages(prefix, ownPaths(own), next))
}

// withRequest lets hooks see the request that the hub is working on.
func (p *pythonPart) withRequest(next http.Handler) http.Handler {
	if p == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		about := &pybridge.Request{Method: r.Method, URI: r.URL.RequestURI(), Host: r.Host, Protocol: "http", RemoteIP: httpmw.RemoteIP(r), Headers: r.Header,
			Query: r.URL.Query()}
		about.Complete = func(ctx context.Context, out *pybridge.Request) {
			inner := r.WithContext(ctx)
			out.RemoteIP = httpmw.RemoteIP(inner)
			id := httpmw.Identity(inner)
			if id != nil && id.Service != nil {
				out.Service = id.Service.Name
			}
			if id != nil && id.User != nil {
				out.User = &pybridge.User{Name: id.User.Name, ID: id.User.ID, Admin: id.User.Admin, Groups: append([]string{}, id.Groups...)}
			}
		}
		if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" {
			about.Protocol = "https"
		}
		next.ServeHTTP(w, r.WithContext(pybridge.WithRequest(r.Context(), about)))
	})
}
