package api

import (
	"net/http"
	"strconv"
	"time"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/internal/urlpath"
	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/rbac"
)

// object is a JSON object; keys that the caller may not read are absent.
type object = map[string]any

// timestamp is JupyterHub's form of a time: UTC, microseconds unless they are zero, "Z". nil stays null.
func timestamp(t *time.Time) any {
	if t == nil {
		return nil
	}
	u := t.UTC().Truncate(time.Microsecond)
	if u.Nanosecond() == 0 {
		return u.Format("2006-01-02T15:04:05Z")
	}
	return u.Format("2006-01-02T15:04:05.000000Z")
}

// includeStopped reads include_stopped_servers: any value but 0 and false.
func includeStopped(r *http.Request) bool {
	value, given := argument(r, "include_stopped_servers")
	if !given {
		return false
	}
	switch value {
	case "0", "false", "False", "FALSE":
		return false
	}
	return true
}

// userModel is the model of a user with the keys that scopes allow; nil when none is.
func (a *API) userModel(scopes rbac.Scopes, u *hub.UserView, stopped bool) object {
	groups := func(string) []string { return u.Groups }
	keys := rbac.KeysFor(scopes, rbac.ModelUser, rbac.Target{Kind: rbac.KindUser, User: u.Name, GroupsOf: groups})
	if len(keys) == 0 {
		keys = nil
	}
	m := object{}
	put := func(key string, v any) {
		if _, ok := keys[key]; ok {
			m[key] = v
		}
	}
	put("kind", "user")
	put("name", u.Name)
	put("admin", u.Admin)
	put("user_info", nullable(u.UserInfo))
	put("roles", list(u.Roles))
	put("groups", list(u.Groups))
	put("created", timestamp(u.Created))
	put("last_activity", timestamp(u.LastActivity))
	put("auth_state", nil)
	put("server", nil)
	put("pending", nil)
	servers := object{}
	for i := range u.Servers {
		s := &u.Servers[i]
		if s.Name == "" {
			if s.Ready {
				put("server", s.URL())
			}
			put("pending", orNull(s.Pending))
		}
		target := rbac.Target{Kind: rbac.KindServer, User: u.Name, Server: s.Name, HasServer: true, GroupsOf: groups}
		if (s.Active || stopped) && scopes.Check(target, "read:servers") == rbac.Granted {
			servers[s.Name] = a.serverModel(scopes, s, groups)
		}
	}
	if _, ok := keys["servers"]; ok || (len(servers) > 0 && len(m) > 0) {
		m["servers"] = servers
	}
	if len(m) == 0 {
		return nil
	}
	return m
}

// serverModel is the model of one server; read:servers is granted already.
func (a *API) serverModel(scopes rbac.Scopes, s *hub.ServerView, groups func(string) []string) object {
	m := object{
		"name": s.Name, "display_name": s.DisplayName, "full_name": s.UserName + "/" + s.Name,
		"last_activity": timestamp(s.LastActivity), "started": timestamp(s.Started),
		"pending": orNull(s.Pending), "ready": s.Ready, "stopped": !s.Active,
		"url": s.URL(), "user_options": dict(s.UserOptions), "progress_url": a.progressURL(s),
		"full_url": a.fullURL(s), "full_progress_url": orNull(a.public(a.progressURL(s))),
	}
	switch {
	case s.ID == 0: // a default server that never was: no row
		m["display_name"], m["user_options"] = "", nil
	case s.UserOptions == nil:
		m["user_options"] = object{}
	}
	target := rbac.Target{Kind: rbac.KindServer, User: s.UserName, Server: s.Name, HasServer: true, GroupsOf: groups}
	if scopes.Check(target, "admin:server_state") == rbac.Granted {
		m["state"] = nullable(shownState(s.State))
	}
	return m
}

// fullURL is the whole URL of a server: its own host with subdomains, else below the hub's public URL; nil when that is unknown.
func (a *API) fullURL(s *hub.ServerView) any {
	if s.Host != "" {
		return s.URL()
	}
	return orNull(a.public(s.URLPath))
}

// public turns a path of this hub into a public URL, "" when the public URL is unknown.
func (a *API) public(path string) string {
	pub, base := a.o.URLs.PublicURL, a.o.URLs.BaseURL
	if pub == "" {
		return ""
	}
	return pub[:len(pub)-len(base)] + path
}

func (a *API) progressURL(s *hub.ServerView) string {
	p := urlpath.Join(a.o.URLs.BaseURL, "hub/api/users", urlpath.Escape(s.UserName))
	if s.Name == "" {
		return urlpath.Join(p, "server/progress")
	}
	return urlpath.Join(p, "servers", urlpath.Escape(s.Name), "progress")
}

func (a *API) groupModel(scopes rbac.Scopes, g *hub.GroupView) object {
	keys := rbac.KeysFor(scopes, rbac.ModelGroup, rbac.Target{Kind: rbac.KindGroup, Group: g.Name})
	all := object{"kind": "group", "name": g.Name, "roles": list(g.Roles), "users": list(g.Users), "properties": dict(g.Properties)}
	return only(all, keys)
}

func (a *API) tokenModel(t *hub.TokenView) object {
	return object{
		t.OwnerKind: t.OwnerName, "id": tokenID(t.ID), "kind": "api_token", "roles": []string{}, "scopes": list(t.Effective),
		"created": timestamp(t.Created), "last_activity": timestamp(t.LastActivity), "expires_at": timestamp(t.ExpiresAt),
		"note": t.Note, "session_id": t.SessionID, "oauth_client": t.ClientDescription,
	}
}

func tokenID(id int64) string { return "a" + strconv.FormatInt(id, 10) }

func only(m object, keys map[string]struct{}) object {
	for k := range m {
		if _, ok := keys[k]; !ok {
			delete(m, k)
		}
	}
	return m
}

// list makes an absent list an empty one.
func list[T any](l []T) []T {
	if l == nil {
		return []T{}
	}
	return l
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// nullable is a stored object as it is shown; one that another program broke (orm.OpaqueKey) shows as null.
func nullable(m orm.JSONDict) any {
	if _, broken := m[orm.OpaqueKey]; m == nil || broken {
		return nil
	}
	return m
}

// dict is nullable for keys that are always objects.
func dict(m orm.JSONDict) any {
	if v := nullable(m); v != nil {
		return v
	}
	return object{}
}
