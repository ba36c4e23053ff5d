package config

import (
	"fmt"
	"regexp"
	"strings"
)

// roleName is the rule of JupyterHub's database.
var roleName = regexp.MustCompile(`^[a-z][a-z0-9\-_~.]{1,253}[a-z0-9]$`)

func validateRoles(c *Config, r *Report) {
	seen := map[string]bool{}
	for i, role := range c.JupyterHub.LoadRoles {
		where := fmt.Sprintf("JupyterHub.load_roles[%d]", i)
		switch {
		case role.Name == "":
			r.Errorf(where, `add "name"`, "the role has no name")
			continue
		case !roleName.MatchString(role.Name):
			r.Errorf(where, "use 3 to 255 of a-z, 0-9, - _ ~ . starting with a letter and ending with a letter or digit",
				"%q is not a role name", role.Name)
		case seen[role.Name]:
			r.Errorf(where, "join the entries", "the role %s is defined twice", role.Name)
		}
		seen[role.Name] = true
		where += " (" + role.Name + ")"
		if role.Name == "admin" && (role.Scopes != nil || role.Description != nil) {
			r.Errorf(where, "list its users or services only", "description and scopes of the role admin cannot be changed")
		}
		if role.Name == "user" && role.Scopes != nil && !contains(role.Scopes, "self") {
			r.Warnf(where, "add self, or use JupyterHub.extra_user_scopes", "without the scope self, users may not use the hub")
		}
		if c.AuthenticatorTraits().ManageRoles && (len(role.Users) > 0 || len(role.Groups) > 0) {
			r.Errorf(where, "remove users and groups", "Authenticator.manage_roles is set, so members come from the authenticator only")
		}
	}
}

func contains(list []string, word string) bool {
	for _, have := range list {
		if have == word {
			return true
		}
	}
	return false
}

func validateGroups(c *Config, r *Report) {
	for _, name := range sortedKeys(c.JupyterHub.LoadGroups) {
		where := fmt.Sprintf("JupyterHub.load_groups[%q]", name)
		if strings.TrimSpace(name) == "" {
			r.Errorf(where, "", "a group needs a name")
		}
		for _, user := range c.JupyterHub.LoadGroups[name].Users {
			if strings.TrimSpace(user) == "" || strings.Contains(user, "/") {
				r.Errorf(where, "", "a user name must not be empty or hold a slash")
			}
		}
	}
}

// customScope is the rule for names of custom scopes.
var customScope = regexp.MustCompile(`^custom:[a-z0-9][a-z0-9_\-:.*]+[a-z0-9*]$`)

func validateScopes(c *Config, r *Report) {
	for _, name := range sortedKeys(c.JupyterHub.CustomScopes) {
		where := fmt.Sprintf("JupyterHub.custom_scopes[%q]", name)
		if !customScope.MatchString(name) {
			r.Errorf(where, "for example custom:grades:read", "a custom scope starts with custom: and holds a-z, 0-9, - _ : . * only")
		}
		if c.JupyterHub.CustomScopes[name].Description == "" {
			r.Errorf(where, `add "description"`, "the scope has no description")
		}
		for _, sub := range c.JupyterHub.CustomScopes[name].Subscopes {
			if _, ok := c.JupyterHub.CustomScopes[sub]; !ok {
				r.Errorf(where, "define it in JupyterHub.custom_scopes", "the subscope %s is not a custom scope", sub)
			}
		}
	}
}

func validateServices(c *Config, r *Report) {
	names, clients := map[string]bool{}, map[string]string{}
	for i, s := range c.JupyterHub.Services {
		where := fmt.Sprintf("JupyterHub.services[%d]", i)
		if problem := serviceName(s.Name); problem != "" {
			r.Errorf(where, "", "%s", problem)
			continue
		}
		where += " (" + s.Name + ")"
		if names[s.Name] {
			r.Errorf(where, "rename one of them", "two services have this name")
		}
		names[s.Name] = true
		validateService(where, s, r)
		id := s.OAuthClientID
		if id == "" {
			id = "service-" + s.Name
		}
		if other, taken := clients[id]; taken {
			r.Errorf(where, "give each its own oauth_client_id", "the service %s has the same OAuth client id", other)
		}
		clients[id] = s.Name
	}
}

var percentEncoded = regexp.MustCompile(`%[0-9A-Fa-f]{2}`)

// serviceName returns what is wrong with a name, or "".
func serviceName(name string) string {
	switch {
	case name == "":
		return `the service has no name; add "name"`
	case name != strings.TrimSpace(name):
		return "a service name must not start or end with a space"
	case strings.Trim(name, ".") == "":
		return "a service name must not be all dots"
	case strings.ContainsAny(name, "/"):
		return "a service name must not hold a slash"
	case percentEncoded.MatchString(name):
		return "a service name must not be percent-encoded"
	}
	return ""
}

func validateService(where string, s Service, r *Report) {
	if s.Managed != nil && *s.Managed != s.IsManaged() {
		if *s.Managed {
			r.Errorf(where, "add command, or remove managed", "managed is True, but there is no command that the hub could start")
		} else {
			r.Errorf(where, "remove command, or set managed to True", "managed is False, but there is a command")
		}
	}
	if s.URL != "" {
		checkURL(r, where+".url", s.URL, "http", "https")
	}
	if s.OAuthClientID != "" && !strings.HasPrefix(s.OAuthClientID, "service-") {
		r.Errorf(where, "start it with service-", "oauth_client_id must start with service-")
	}
	if s.WantsOAuth() && s.URL == "" && s.OAuthRedirectURI == "" {
		r.Errorf(where, "add oauth_redirect_uri", "OAuth without url needs oauth_redirect_uri")
	}
	if s.Given["command"] && len(s.Command) > 0 && s.Command[0] == "" {
		r.Errorf(where, "", "the command is empty")
	}
	if s.Timeout < 0 {
		r.Errorf(where, "use 0 or a positive number of seconds", "timeout must not be negative")
	}
	if s.Given["api_token"] {
		checkToken(r, where+".api_token", string(s.APIToken), !s.IsManaged())
	}
	if s.WantsOAuth() && !s.IsManaged() && s.APIToken == "" {
		r.Warnf(where, "set api_token to a random text", "an external service without api_token has no OAuth client secret")
	}
	for _, word := range s.Capabilities {
		if word == "" || strings.ContainsAny(word, " \t\r\n,") {
			r.Errorf(where, "for example data-processing", "a capability is one word without spaces or commas")
		}
	}
	if !s.IsManaged() {
		for _, key := range []string{"cwd", "environment", "user"} {
			if s.Given[key] {
				r.Warnf(where, "add command to make the hub start it", "%s has no effect for a service that the hub does not start", key)
			}
		}
	}
	if s.Given["admin"] && s.Admin {
		r.Warnf(where, "list the service in a role of JupyterHub.load_roles", "admin is deprecated")
	}
	if s.Given["oauth_roles"] {
		r.Warnf(where, "use oauth_client_allowed_scopes", "oauth_roles is deprecated")
	}
}

// checkToken applies JupyterHub's length rule, which counts characters.
func checkToken(r *Report, where, token string, required bool) {
	switch n := len([]rune(token)); {
	case n == 0 && !required:
	case n == 0:
		r.Errorf(where, "openssl rand -hex 32 makes one", "the token is empty")
	case n < 8 || n > 64:
		r.Errorf(where, "openssl rand -hex 32 makes one", "the token has %d characters; 8 to 64 are allowed", n)
	}
}

func validateTokens(c *Config, r *Report) {
	for trait, tokens := range map[string]SecretKeys{"api_tokens": c.JupyterHub.APITokens, "service_tokens": c.JupyterHub.ServiceTokens} {
		for i, token := range sortedKeys(tokens) {
			where := fmt.Sprintf("JupyterHub.%s[entry %d]", trait, i+1)
			checkToken(r, where, token, true)
			if strings.TrimSpace(tokens[token]) == "" {
				r.Errorf(where, "", "the token has no owner")
			}
		}
	}
	for i, s := range c.JupyterHub.Services {
		if owner, ok := c.JupyterHub.ServiceTokens[string(s.APIToken)]; ok && s.APIToken != "" && owner != s.Name {
			r.Errorf(fmt.Sprintf("JupyterHub.services[%d].api_token", i), "give each its own token", "service_tokens gives the same token to %s", owner)
		}
	}
}
