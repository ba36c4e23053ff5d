package web

import (
	"encoding/json"
	"net/http"

	"github.com/nikolalohinski/gonja/v2/exec"

	"github.com/minihub/minihub/rbac"
)

// adminFacts is what the scripts of the admin page start from.
type adminFacts struct {
	Scopes  []string `json:"scopes"` // the viewer's, expanded: buttons that would be refused are not shown
	Limit   int      `json:"limit"`  // users per page
	Tab     string   `json:"tab"`
	MayList bool     `json:"may_list"`
}

// admin is the page with users, groups and services. Unlike other pages it needs JavaScript: all it shows and does goes through the REST
// API, which decides again about everything.
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
	words, scopes := s.words(r), identity(r).Scopes
	texts := map[string]string{"users": words.say("Users"), "groups": words.say("Groups"), "services": words.say("Services")}
	facts := adminFacts{Scopes: identity(r).Expanded, Limit: s.o.Traits.PageLimit, Tab: "users"}
	tabs := list{}
	for _, name := range []string{"users", "groups", "services"} {
		_, outcome := scopes.ListFilter("list:"+name, rbac.KindUser, rbac.KindGroup, rbac.KindService)
		if arg(r, "tab") == name {
			facts.Tab = name
		}
		if outcome == rbac.Granted || name == "users" {
			tabs = append(tabs, object{"name": name, "text": texts[name]})
		}
		if facts.Tab == name {
			facts.MayList = outcome == rbac.Granted
		}
	}
	data, err := json.Marshal(facts)
	if err != nil {
		return err
	}
	return s.render(w, r, view{template: "admin.html", vars: map[string]any{
		"admin_access": true, "allow_named_servers": s.o.Traits.Servers.AllowNamed, "named_server_limit_per_user": limit,
		"server_version": s.o.Look.Version, "api_page_limit": s.o.Traits.PageLimit, "current_user": s.userVar(r.Context(), user),
		"auth_state": templateValue(state),
		"tab":        facts.Tab, "tab_text": texts[facts.Tab], "tabs": tabs, "may_list": facts.MayList, "admin_data": exec.AsSafeValue(string(data)),
		"may_stop": holdsAll(scopes, "delete:servers"), "may_shutdown": holdsAll(scopes, "shutdown"),
	}})
}

// holdsAll tells whether a scope is held without a filter.
func holdsAll(scopes rbac.Scopes, scope string) bool {
	f, outcome := scopes.ListFilter(scope, rbac.KindUser, rbac.KindGroup, rbac.KindServer)
	return outcome == rbac.Granted && f.All
}
