package toy

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// settings are what a server takes from its environment.
type settings struct {
	token, clientID                string
	user, server                   string
	apiURL, activityURL            string
	host, base, prefix             string // prefix is percent-encoded, plain is not
	plainPrefix                    string
	callback                       string
	accessScopes                   []string
	tokenInURL, hostPrefixedCookie bool
	activityInterval               time.Duration
	names                          []string // of all environment variables
}

func readSettings(env map[string]string) (settings, error) {
	s := settings{
		token: env["JUPYTERHUB_API_TOKEN"], clientID: env["JUPYTERHUB_CLIENT_ID"],
		user: env["JUPYTERHUB_USER"], server: env["JUPYTERHUB_SERVER_NAME"],
		apiURL: strings.TrimSuffix(env["JUPYTERHUB_API_URL"], "/"), activityURL: env["JUPYTERHUB_ACTIVITY_URL"],
		host: env["JUPYTERHUB_HOST"], base: env["JUPYTERHUB_BASE_URL"], prefix: env["JUPYTERHUB_SERVICE_PREFIX"],
		callback:   env["JUPYTERHUB_OAUTH_CALLBACK_URL"],
		tokenInURL: isTrue(env["JUPYTERHUB_ALLOW_TOKEN_IN_URL"]), hostPrefixedCookie: isTrue(env["JUPYTERHUB_COOKIE_HOST_PREFIX_ENABLED"]),
		activityInterval: 5 * time.Minute,
	}
	for name := range env {
		s.names = append(s.names, name)
	}
	slices.Sort(s.names)
	for name, value := range map[string]string{
		"JUPYTERHUB_API_TOKEN": s.token, "JUPYTERHUB_CLIENT_ID": s.clientID, "JUPYTERHUB_API_URL": s.apiURL,
		"JUPYTERHUB_SERVICE_PREFIX": s.prefix,
	} {
		if value == "" {
			return settings{}, fmt.Errorf("read the environment of a toy server: %s is missing", name)
		}
	}
	if s.base == "" {
		s.base = "/"
	}
	if s.callback == "" {
		s.callback = s.prefix + "oauth_callback"
	}
	var err error
	if s.plainPrefix, err = url.PathUnescape(s.prefix); err != nil || !strings.HasPrefix(s.prefix, "/") || !strings.HasSuffix(s.prefix, "/") {
		return settings{}, fmt.Errorf("read the environment of a toy server: JUPYTERHUB_SERVICE_PREFIX %q is no path between slashes", s.prefix)
	}
	if text := env["JUPYTERHUB_ACTIVITY_INTERVAL"]; text != "" {
		seconds, err := time.ParseDuration(text + "s")
		if err != nil || seconds < 0 {
			return settings{}, fmt.Errorf("read the environment of a toy server: JUPYTERHUB_ACTIVITY_INTERVAL %q is no number of seconds", text)
		}
		s.activityInterval = seconds
	}
	return s, s.readScopes(env)
}

func (s *settings) readScopes(env map[string]string) error {
	for _, name := range []string{"JUPYTERHUB_OAUTH_ACCESS_SCOPES", "JUPYTERHUB_OAUTH_SCOPES"} {
		if env[name] == "" {
			continue
		}
		if err := json.Unmarshal([]byte(env[name]), &s.accessScopes); err != nil {
			return fmt.Errorf("read the environment of a toy server: %s is no JSON list of scopes: %w", name, err)
		}
		return nil
	}
	return nil // no scope gives access, then
}

// isTrue reads a boolean variable as JupyterHub does: everything but "", "0" and "false" is true.
func isTrue(text string) bool { return text != "" && text != "0" && !strings.EqualFold(text, "false") }

// maySee says whether scopes that a person holds give access to this server. Groups cannot be looked up here, so a
// !group filter gives nothing.
func (s *settings) maySee(held []string) bool {
	for _, required := range s.accessScopes {
		for _, scope := range held {
			if grants(scope, required) {
				return true
			}
		}
	}
	return false
}

// grants says whether holding one scope includes another: the same scope, one without a filter, or the filter of the
// user for a server of that user.
func grants(held, required string) bool {
	heldName, heldFilter, filtered := strings.Cut(held, "!")
	name, filter, _ := strings.Cut(required, "!")
	if heldName != name {
		return false
	}
	if !filtered || heldFilter == filter {
		return true
	}
	owner, ok := strings.CutPrefix(heldFilter, "user=")
	server, isServer := strings.CutPrefix(filter, "server=")
	return ok && isServer && strings.HasPrefix(server, owner+"/")
}
