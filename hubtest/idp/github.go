package idp

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// gitHub serves what GitHub's web application flow and REST API answer, at the addresses of an Enterprise server.
func (p *Provider) gitHub(mux *http.ServeMux) {
	mux.HandleFunc("GET /login/oauth/authorize", p.authorize)
	mux.HandleFunc("POST /login/oauth/authorize", p.authorize)
	mux.HandleFunc("POST /login/oauth/access_token", p.gitHubToken)
	api := func(pattern string, answer func(w http.ResponseWriter, r *http.Request, person Person, scopes []string)) {
		mux.HandleFunc("GET /api/v3"+pattern, func(w http.ResponseWriter, r *http.Request) {
			person, g, ok := p.person(r)
			if !ok {
				reply(w, http.StatusUnauthorized, map[string]any{"message": "Bad credentials"})
				return
			}
			answer(w, r, person, strings.Fields(strings.ReplaceAll(g.scope, ",", " ")))
		})
	}
	api("/user", func(w http.ResponseWriter, _ *http.Request, person Person, _ []string) {
		var email any
		if !person.Hidden && person.Email != "" {
			email = person.Email
		}
		reply(w, http.StatusOK, map[string]any{"login": person.Name, "id": 4711, "name": person.Name, "email": email, "type": "User", "site_admin": false})
	})
	api("/user/emails", func(w http.ResponseWriter, _ *http.Request, person Person, scopes []string) {
		if !slices.Contains(scopes, "user:email") {
			reply(w, http.StatusNotFound, map[string]any{"message": "Not Found"})
			return
		}
		reply(w, http.StatusOK, []any{map[string]any{"email": "old@" + person.Name + ".test", "primary": false, "verified": true},
			map[string]any{"email": person.Email, "primary": true, "verified": true}})
	})
	api("/user/teams", p.gitHubTeams)
	member := func(w http.ResponseWriter, r *http.Request, _ Person, scopes []string) {
		p.mu.Lock()
		asked := p.people[r.PathValue("user")]
		p.mu.Unlock()
		in := slices.ContainsFunc(asked.Teams, func(team string) bool {
			org, name, _ := strings.Cut(team, ":")
			return org == r.PathValue("org") && (r.PathValue("team") == "" || name == r.PathValue("team"))
		})
		if !in || !slices.Contains(scopes, "read:org") {
			reply(w, http.StatusNotFound, map[string]any{"message": "Not Found"})
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}
	api("/orgs/{org}/members/{user}", member)
	api("/orgs/{org}/teams/{team}/members/{user}", member)
}

// gitHubTeams gives one team a page, so that a client has to follow the links.
func (p *Provider) gitHubTeams(w http.ResponseWriter, r *http.Request, person Person, _ []string) {
	number := 1
	_, _ = fmt.Sscan(r.URL.Query().Get("page"), &number)
	teams := []any{}
	if number >= 1 && number <= len(person.Teams) {
		org, team, _ := strings.Cut(person.Teams[number-1], ":")
		teams = append(teams, map[string]any{"slug": team, "name": team, "organization": map[string]any{"login": org}})
	}
	if number < len(person.Teams) {
		w.Header().Set("Link", fmt.Sprintf(`<%s/api/v3/user/teams?page=%d>; rel="next"`, p.URL, number+1))
	}
	reply(w, http.StatusOK, teams)
}

// gitHubToken answers errors with status 200, as GitHub does.
func (p *Provider) gitHubToken(w http.ResponseWriter, r *http.Request) {
	g, ok := p.take(p.codes, r.FormValue("code"))
	if r.FormValue("client_id") != p.ClientID || r.FormValue("client_secret") != p.Secret || !ok {
		reply(w, http.StatusOK, map[string]any{"error": "bad_verification_code", "error_description": "The code passed is incorrect or expired."})
		return
	}
	reply(w, http.StatusOK, map[string]any{"access_token": p.issue(p.tokens, g), "token_type": "bearer",
		"scope": strings.Join(strings.Fields(g.scope), ",")})
}
