package web

import (
	"context"
	"encoding/json"
	"html"
	"strings"

	"github.com/nikolalohinski/gonja/v2/exec"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/internal/urlpath"
	"github.com/minihub/minihub/orm"
)

// userVar is `user` in templates. Servers and groups are loaded only when a template asks for them.
type userVar struct {
	s   *Site
	ctx context.Context // of the request, whose page this value lives in
	row *orm.User

	servers []hub.ServerView // nil: not loaded yet
	groups  []string         // likewise
}

func (s *Site) userVar(ctx context.Context, row *orm.User) *userVar {
	return &userVar{s: s, ctx: ctx, row: row}
}

// String is the name, escaped for HTML.
func (u *userVar) String() string { return html.EscapeString(u.row.Name) }

// loadServers returns the person's servers; there is always the default one, unless the database fails.
func (u *userVar) loadServers() []hub.ServerView {
	if u.servers == nil {
		views, err := u.s.o.Hub.Servers.Views(u.ctx, []orm.User{*u.row})
		if err != nil {
			u.s.log.ErrorContext(u.ctx, "load servers for a page", "user", u.row.Name, "err", err)
		}
		u.servers = views[u.row.ID]
	}
	return u.servers
}

func (u *userVar) loadGroups() []string {
	if u.groups == nil {
		u.groups = []string{}
		if view, err := u.s.o.Hub.Users.View(u.ctx, u.row); err != nil {
			u.s.log.ErrorContext(u.ctx, "load groups for a page", "user", u.row.Name, "err", err)
		} else {
			u.groups = append(u.groups, view.Groups...)
		}
	}
	return u.groups
}

func (u *userVar) server(name string) any {
	for i := range u.loadServers() {
		if v := &u.loadServers()[i]; v.Name == name {
			return u.s.serverVar(v)
		}
	}
	return u.s.serverVar(&hub.ServerView{UserName: u.row.Name})
}

func (u *userVar) serverList(includeDefault bool) list {
	var out list
	for i := range u.loadServers() {
		if v := &u.loadServers()[i]; v.Name != "" || includeDefault {
			out = append(out, u.s.serverVar(v))
		}
	}
	return out
}

func (u *userVar) anyServer(is func(*hub.ServerView) bool) bool {
	for i := range u.loadServers() {
		if is(&u.loadServers()[i]) {
			return true
		}
	}
	return false
}

// GetAttribute implements exec.AttributeGetter: the attributes that templates use.
func (u *userVar) GetAttribute(name string) (*exec.Value, bool) {
	switch name {
	case "name":
		return exec.AsValue(u.row.Name), true
	case "admin":
		return exec.AsValue(u.row.Admin), true
	case "url":
		return exec.AsValue(u.s.o.URLs.ServerURL(u.row.Name, "")), true
	case "escaped_name":
		return exec.AsValue(urlpath.Escape(u.row.Name)), true
	case "json_escaped_name":
		b, _ := json.Marshal(u.row.Name) // a string always encodes
		return exec.AsValue(strings.Trim(string(b), `"`)), true
	case "id":
		return exec.AsValue(u.row.ID), true
	case "created":
		return exec.ToValue(moment(u.row.Created)), true
	case "last_activity":
		return exec.ToValue(moment(u.row.LastActivity)), true
	case "user_info":
		return exec.ToValue(templateValue(map[string]any(u.row.UserInfo))), true
	case "orm_user":
		return exec.AsValue(u), true
	}
	return u.loaded(name)
}

// loaded are the attributes that need the database.
func (u *userVar) loaded(name string) (*exec.Value, bool) {
	switch name {
	case "groups":
		return exec.AsValue(texts(u.loadGroups())), true
	case "active":
		return exec.AsValue(u.anyServer(func(v *hub.ServerView) bool { return v.Active })), true
	case "running":
		return exec.AsValue(u.anyServer(func(v *hub.ServerView) bool { return v.Ready })), true
	case "spawner":
		return exec.ToValue(u.server("")), true
	case "spawners":
		out := object{}
		for _, v := range u.serverList(true) {
			out[v.(*serverVar).v.Name] = v
		}
		return exec.AsValue(out), true
	case "all_spawners":
		return method(func(va *exec.VarArgs) *exec.Value {
			include := argument(va, 0, "include_default")
			return exec.AsValue(u.serverList(include == nil || include.IsTrue()))
		}), true
	case "server_url":
		return method(func(va *exec.VarArgs) *exec.Value {
			name := ""
			if v := argument(va, 0, "server_name"); v != nil {
				name = v.String()
			}
			return exec.AsValue(u.s.o.URLs.ServerURL(u.row.Name, name))
		}), true
	}
	return exec.AsValue(nil), false
}

// serverVar is `spawner` in templates.
type serverVar struct {
	s *Site
	v *hub.ServerView
}

func (s *Site) serverVar(v *hub.ServerView) *serverVar { return &serverVar{s: s, v: v} }

// String names the server, escaped for HTML.
func (v *serverVar) String() string { return html.EscapeString(v.v.UserName + "/" + v.v.Name) }

func (v *serverVar) displayName() string {
	if v.v.DisplayName != nil && *v.v.DisplayName != "" {
		return *v.v.DisplayName
	}
	return v.v.Name
}

// GetAttribute implements exec.AttributeGetter.
func (v *serverVar) GetAttribute(name string) (*exec.Value, bool) {
	switch name {
	case "name":
		return exec.AsValue(v.v.Name), true
	case "display_name":
		return exec.AsValue(v.displayName()), true
	case "ready":
		return exec.AsValue(v.v.Ready), true
	case "active":
		return exec.AsValue(v.v.Active), true
	case "pending":
		if v.v.Pending == "" {
			return exec.AsValue(nil), true
		}
		return exec.AsValue(v.v.Pending), true
	case "url":
		return exec.AsValue(v.s.o.URLs.ServerURL(v.v.UserName, v.v.Name)), true
	case "last_activity":
		return exec.ToValue(moment(v.v.LastActivity)), true
	case "started":
		return exec.ToValue(moment(v.v.Started)), true
	case "user_options":
		return exec.ToValue(templateValue(map[string]any(v.v.UserOptions))), true
	case "options_form":
		return exec.AsValue(v.s.hasOptionsForm()), true
	case "failed":
		return exec.AsValue(v.v.Failed != nil), true
	case "orm_spawner":
		return exec.AsValue(v), true
	}
	return exec.AsValue(nil), false
}
