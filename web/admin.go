package web

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/internal/urlpath"
	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/rbac"
)

// maxAdminPage bounds how many users one page of the table may show.
const maxAdminPage = 500

// admin is the page with all users and their servers. Unlike other pages its buttons need JavaScript: they call the REST API.
func (s *Site) admin(w http.ResponseWriter, r *http.Request) error {
	user := pageUser(r)
	limit, err := s.namedLimit(r, user)
	if err != nil {
		return err
	}
	state, err := s.o.Hub.Logins.AuthState(r.Context(), user)
	if err != nil {
		return err
	}
	vars := map[string]any{"admin_access": true, "allow_named_servers": s.o.Traits.Servers.AllowNamed,
		"named_server_limit_per_user": limit, "server_version": s.o.Look.Version, "api_page_limit": s.o.Traits.PageLimit,
		"current_user": s.userVar(r.Context(), user), "auth_state": templateValue(state)}
	if arg(r, "tab") == "groups" {
		vars["tab"] = "groups"
		err = s.adminGroups(r, vars)
	} else {
		vars["tab"] = "users"
		err = s.adminUsers(r, vars)
	}
	if err != nil {
		return err
	}
	return s.render(w, r, view{template: "admin.html", vars: vars})
}

func (s *Site) adminUsers(r *http.Request, vars map[string]any) error {
	f, outcome := identity(r).Scopes.ListFilter("list:users", rbac.KindUser, rbac.KindGroup)
	vars["may_list"], vars["users"] = outcome == rbac.Granted, list{}
	if outcome != rbac.Granted {
		return nil
	}
	page := s.adminPage(r)
	q := orm.UserQuery{State: arg(r, "state"), NameFilter: arg(r, "name_filter"), Offset: page.offset, Limit: page.limit}
	q.Sort = arg(r, "sort")
	if len(q.Sort) > 0 && q.Sort[0] == '-' {
		q.Sort, q.Desc = q.Sort[1:], true
	}
	if !slices.Contains([]string{"id", "name", "last_activity"}, q.Sort) {
		q.Sort = "id" // links of older versions sort by other columns; the page is no place for an error about it
	}
	if q.State != "" {
		q.ActiveSpawners = s.o.Hub.Servers.PendingIDs()
	}
	if !f.All {
		q.OnlyUsers, q.OnlyGroups = names(f.Users), names(f.Groups)
	}
	found, err := s.o.Hub.Users.List(r.Context(), q)
	if err != nil {
		return err
	}
	users := make(list, len(found.Users))
	for i := range found.Users {
		users[i] = s.adminUser(&found.Users[i])
	}
	vars["users"], vars["state"], vars["name_filter"], vars["sort"] = users, q.State, q.NameFilter, arg(r, "sort")
	page.fill(vars, r, found.Total, len(users))
	spawning, active := s.o.Hub.Servers.Counts()
	vars["count_active"], vars["count_spawning"] = active, spawning
	return nil
}

func names(set map[string]struct{}) []string {
	out := make([]string, 0, len(set)) // never nil: that would mean no limit
	for name := range set {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// adminUser is a row of the table. Addresses for the REST API are made here, where escaping is known.
func (s *Site) adminUser(u *hub.UserView) object {
	api := s.hub + "api/users/" + urlpath.Escape(u.Name)
	servers := list{}
	for i := range u.Servers {
		v := &u.Servers[i]
		server := api + "/server"
		if v.Name != "" {
			server = api + "/servers/" + urlpath.Escape(v.Name)
		}
		servers = append(servers, object{"name": v.Name, "display_name": s.serverVar(v).displayName(), "ready": v.Ready, "active": v.Active,
			"pending": v.Pending, "url": s.o.URLs.ServerURL(u.Name, v.Name), "spawn_url": s.spawnURL(u.Name, v.Name),
			"pending_url": s.serverPage("spawn-pending", u.Name, v.Name), "api": server, "last_activity": moment(v.LastActivity),
			"started": moment(v.Started), "options": templateValue(map[string]any(v.UserOptions)), "failed": v.Failed != nil})
	}
	return object{"name": u.Name, "admin": u.Admin, "groups": texts(u.Groups), "roles": texts(u.Roles), "last_activity": moment(u.LastActivity),
		"created": moment(u.Created), "servers": servers, "api": api}
}

func (s *Site) adminGroups(r *http.Request, vars map[string]any) error {
	f, outcome := identity(r).Scopes.ListFilter("list:groups", rbac.KindGroup)
	vars["may_list"], vars["groups"] = outcome == rbac.Granted, list{}
	if outcome != rbac.Granted || s.o.Hub.Groups == nil {
		return nil
	}
	page := s.adminPage(r)
	q := orm.GroupQuery{Offset: page.offset, Limit: page.limit}
	if !f.All {
		q.Only = names(f.Groups)
	}
	found, total, err := s.o.Hub.Groups.List(r.Context(), q)
	if err != nil {
		return err
	}
	groups := make(list, len(found))
	for i, g := range found {
		groups[i] = object{"name": g.Name, "users": texts(g.Users), "roles": texts(g.Roles), "properties": templateValue(map[string]any(g.Properties)),
			"api": s.hub + "api/groups/" + urlpath.Escape(g.Name)}
	}
	vars["groups"] = groups
	page.fill(vars, r, total, len(groups))
	return nil
}

// adminPaging is one page of a table.
type adminPaging struct{ offset, limit int }

func (s *Site) adminPage(r *http.Request) adminPaging {
	p := adminPaging{limit: s.o.Traits.PageLimit}
	if n, err := strconv.Atoi(arg(r, "limit")); err == nil && n > 0 {
		p.limit = min(n, maxAdminPage)
	}
	if n, err := strconv.Atoi(arg(r, "offset")); err == nil && n > 0 {
		p.offset = n
	}
	return p
}

// fill adds the numbers and links below a table.
func (p adminPaging) fill(vars map[string]any, r *http.Request, total, shown int) {
	at := func(offset int) string {
		q := url.Values{}
		for _, key := range []string{"tab", "state", "name_filter", "sort", "limit"} {
			if v := arg(r, key); v != "" {
				q.Set(key, v)
			}
		}
		q.Set("offset", strconv.Itoa(offset))
		return "?" + q.Encode()
	}
	vars["total"], vars["offset"], vars["limit"] = total, p.offset, p.limit
	vars["first"], vars["last"] = min(p.offset+1, total), p.offset+shown
	if p.offset > 0 {
		vars["previous_url"] = at(max(0, p.offset-p.limit))
	}
	if p.offset+p.limit < total {
		vars["next_url"] = at(p.offset + p.limit)
	}
}
