package api

import (
	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/rbac"
)

// userModels writes models of users with the keys that scopes allow.
type userModels struct {
	a       *API
	scopes  rbac.Scopes
	stopped bool                // show servers that do not run, too
	same    map[string]struct{} // the keys, when they are the same for every user; else nil
	shown   []*hub.ServerView   // room
}

func (a *API) userModels(scopes rbac.Scopes, stopped bool) *userModels {
	m := &userModels{a: a, scopes: scopes, stopped: stopped}
	if rbac.Unfiltered(scopes, rbac.ModelUser) {
		m.same = rbac.KeysFor(scopes, rbac.ModelUser, rbac.Target{Kind: rbac.KindUser})
	}
	return m
}

// userModel is the model of one user. begin leaves the object open: the caller may add keys and must write auth_state when it is allowed.
func (a *API) userModel(scopes rbac.Scopes, u *hub.UserView, stopped bool) (o jsonObject, authState bool) {
	return a.userModels(scopes, stopped).begin(nil, u)
}

// encodedUser is the model of one user, with auth_state null; "null" when no key of it may be shown.
func (a *API) encodedUser(scopes rbac.Scopes, u *hub.UserView, stopped bool) ([]byte, error) {
	b, err := a.userModels(scopes, stopped).appendTo(nil, u)
	if len(b) == 0 {
		b = []byte("null")
	}
	return b, err
}

// appendTo writes the model of a user behind b, and nothing when no key of it may be shown.
func (m *userModels) appendTo(b []byte, u *hub.UserView) ([]byte, error) {
	o, authState := m.begin(b, u)
	if authState {
		o.null("auth_state")
	}
	if o.empty() {
		return b, nil
	}
	return o.end()
}

// appendItem writes the model of a user as the next item of a list. One of which nothing may be shown is left out, or null.
func (m *userModels) appendItem(b []byte, u *hub.UserView, null bool) ([]byte, error) {
	before := len(b)
	if before > 0 {
		b = append(b, ',')
	}
	out, err := m.appendTo(b, u)
	switch {
	case err != nil || len(out) > len(b):
		return out, err
	case null:
		return append(b, "null"...), nil
	}
	return b[:before], nil
}

func (m *userModels) begin(b []byte, u *hub.UserView) (o jsonObject, authState bool) {
	groups := func(string) []string { return u.Groups }
	keys := m.same
	if keys == nil {
		keys = rbac.KeysFor(m.scopes, rbac.ModelUser, rbac.Target{Kind: rbac.KindUser, User: u.Name, GroupsOf: groups})
	}
	o = beginObject(b)
	has := func(key string) bool { _, ok := keys[key]; return ok }
	if has("kind") {
		o.text("kind", "user")
	}
	if has("name") {
		o.text("name", u.Name)
	}
	if has("admin") {
		o.flag("admin", u.Admin)
	}
	if has("user_info") {
		o.dict("user_info", u.UserInfo)
	}
	if has("roles") {
		o.texts("roles", u.Roles)
	}
	if has("groups") {
		o.texts("groups", u.Groups)
	}
	if has("created") {
		o.time("created", u.Created)
	}
	if has("last_activity") {
		o.time("last_activity", u.LastActivity)
	}
	m.servers(&o, u, groups, has)
	return o, has("auth_state")
}

// servers writes the keys that are about servers. JupyterHub shows them also to whoever may read only one of them, but to nobody who may
// read nothing else of the user.
func (m *userModels) servers(o *jsonObject, u *hub.UserView, groups func(string) []string, has func(string) bool) {
	url, pending := "", ""
	m.shown = m.shown[:0]
	for i := range u.Servers {
		s := &u.Servers[i]
		if s.Name == "" {
			if pending = s.Pending; s.Ready {
				url = s.URL()
			}
		}
		target := rbac.Target{Kind: rbac.KindServer, User: u.Name, Server: s.Name, HasServer: true, GroupsOf: groups}
		if (!s.Active && !m.stopped) || m.scopes.Check(target, "read:servers") != rbac.Granted {
			continue
		}
		if n := len(m.shown); n > 0 && m.shown[n-1].Name == s.Name {
			m.shown = m.shown[:n-1] // two rows of one name: an object has a key once
		}
		m.shown = append(m.shown, s)
	}
	if has("server") {
		o.orNull("server", url)
	}
	if has("pending") {
		o.orNull("pending", pending)
	}
	if !has("servers") && (len(m.shown) == 0 || o.empty() && !has("auth_state")) {
		return
	}
	o.key("servers")
	list := beginObject(o.b)
	for _, s := range m.shown {
		if !list.empty() {
			list.b = append(list.b, ',')
		}
		list.quote(s.Name)
		list.b = append(list.b, ':')
		list.inner(m.a.serverModel(list.b, m.scopes, s, groups))
	}
	o.inner(list.end())
}

// serverModel writes the model of one server behind b; read:servers is granted already.
func (a *API) serverModel(b []byte, scopes rbac.Scopes, s *hub.ServerView, groups func(string) []string) ([]byte, error) {
	o := beginObject(b)
	o.text("name", s.Name)
	switch {
	case s.ID == 0: // a default server that never was: no row
		o.text("display_name", "")
		o.null("user_options")
	default:
		o.optional("display_name", s.DisplayName)
		o.any("user_options", dict(s.UserOptions))
	}
	o.text("full_name", s.UserName+"/"+s.Name)
	o.time("last_activity", s.LastActivity)
	o.time("started", s.Started)
	o.orNull("pending", s.Pending)
	o.flag("ready", s.Ready)
	o.flag("stopped", !s.Active)
	progress := a.progressURL(s)
	o.text("url", s.URL())
	o.text("progress_url", progress)
	o.any("full_url", a.fullURL(s))
	o.orNull("full_progress_url", a.public(progress))
	target := rbac.Target{Kind: rbac.KindServer, User: s.UserName, Server: s.Name, HasServer: true, GroupsOf: groups}
	if scopes.Check(target, "admin:server_state") == rbac.Granted {
		o.any("state", nullable(shownState(s.State)))
	}
	return o.end()
}
