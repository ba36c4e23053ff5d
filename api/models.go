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
	return string(appendTime(nil, *t))
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
