package hub

import (
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/minihub/minihub/internal/urlpath"
	"github.com/minihub/minihub/spawner"
)

// request builds what the spawner gets, environment included (env.md A).
func (s *Servers) request(l *liveServer, j *spawnJob, marker string) (spawner.Request, error) {
	t := &j.traits
	prefix := s.URLPath(l.userName, l.name)
	names := map[string]string{"username": l.userName, "base_url": prefix}
	dir, err := format("Spawner.notebook_dir", t.NotebookDir, names)
	if err != nil {
		return spawner.Request{}, err
	}
	page, err := format("Spawner.default_url", t.DefaultURL, names)
	if err != nil {
		return spawner.Request{}, err
	}
	req := spawner.Request{
		Identity: l.identity(), Cmd: t.Cmd, Args: t.Args, IP: t.IP, Port: t.Port, BaseURL: prefix,
		UserOptions: j.row.UserOptions, Marker: marker, MemLimit: t.MemLimit, MemGuarantee: t.MemGuarantee,
		CPULimit: t.CPULimit, CPUGuarantee: t.CPUGuarantee, NotebookDir: dir, Overrides: t.Other,
	}
	if req.UserOptions == nil {
		req.UserOptions = map[string]any{}
	}
	if j.row.DisplayName != nil {
		req.DisplayName = *j.row.DisplayName
	}
	env := maps.Clone(s.o.Traits.KeptEnv)
	if env == nil {
		env = map[string]string{}
	}
	s.hubEnv(env, l, j, prefix)
	setIf(env, "JUPYTERHUB_ROOT_DIR", req.NotebookDir)
	setIf(env, "JUPYTERHUB_DEFAULT_URL", page)
	limitEnv(env, t)
	if t.Debug {
		env["JUPYTERHUB_DEBUG"] = "1"
	}
	if t.DisableUserConfig {
		env["JUPYTERHUB_DISABLE_USER_CONFIG"] = "1"
	}
	maps.Copy(env, t.Environment)
	req.Env = env
	return req, nil
}

// format is Python's str.format for {name}; "{{" and "}}" are braces.
func format(trait, template string, names map[string]string) (string, error) {
	var out strings.Builder
	for rest := template; rest != ""; {
		i := strings.IndexAny(rest, "{}")
		if i < 0 {
			out.WriteString(rest)
			break
		}
		out.WriteString(rest[:i])
		rest = rest[i:]
		if len(rest) > 1 && rest[1] == rest[0] {
			out.WriteByte(rest[0])
			rest = rest[2:]
			continue
		}
		name, after, closed := strings.Cut(rest[1:], "}")
		value, known := names[name]
		if rest[0] == '}' || !closed || !known {
			return "", fmt.Errorf("%s = %q: after %q there is no {username} or {base_url}; write {{ and }} for braces", trait, template, out.String())
		}
		out.WriteString(value)
		rest = after
	}
	return out.String(), nil
}

func setIf(env map[string]string, key, value string) {
	if value != "" {
		env[key] = value
	}
}

// hubEnv sets the variables that a server needs to find and ask the hub.
func (s *Servers) hubEnv(env map[string]string, l *liveServer, j *spawnJob, prefix string) {
	u := &s.o.Traits.URLs
	api := u.HubAPIURL
	if j.traits.HubConnectURL != "" {
		api = connectURL(api, j.traits.HubConnectURL)
	}
	access := s.o.Traits.ListText([]string{"access:servers!server=" + l.userName + "/" + l.name, "access:servers!user=" + l.userName})
	env["JUPYTERHUB_API_TOKEN"], env["JPY_API_TOKEN"] = j.token, j.token
	env["JUPYTERHUB_CLIENT_ID"] = j.clientID
	env["JUPYTERHUB_COOKIE_HOST_PREFIX_ENABLED"] = boolEnv(s.o.Traits.CookieHostPrefix)
	env["JUPYTERHUB_HOST"] = u.PublicHost
	env["JUPYTERHUB_OAUTH_CALLBACK_URL"] = u.host(l.userName) + prefix + "oauth_callback"
	env["JUPYTERHUB_OAUTH_ACCESS_SCOPES"], env["JUPYTERHUB_OAUTH_SCOPES"] = access, access
	env["JUPYTERHUB_OAUTH_CLIENT_ALLOWED_SCOPES"] = s.o.Traits.ListText(j.traits.OAuthClientAllowedScopes)
	env["JUPYTERHUB_USER"], env["JUPYTERHUB_SERVER_NAME"] = l.userName, l.name
	env["JUPYTERHUB_API_URL"] = api
	env["JUPYTERHUB_ACTIVITY_URL"] = api + "/users/" + urlpath.Escape(l.userName) + "/activity"
	env["JUPYTERHUB_BASE_URL"], env["JUPYTERHUB_SERVICE_PREFIX"] = u.BaseURL, prefix
	env["JUPYTERHUB_SERVICE_URL"] = "http://" + net.JoinHostPort(j.traits.IP, strconv.Itoa(j.traits.Port)) + prefix
	env["JUPYTERHUB_PUBLIC_URL"], env["JUPYTERHUB_PUBLIC_HUB_URL"] = "", ""
	if u.PublicURL != "" {
		env["JUPYTERHUB_PUBLIC_URL"] = strings.TrimSuffix(u.PublicURL, u.BaseURL) + prefix
		env["JUPYTERHUB_PUBLIC_HUB_URL"] = u.PublicURL + "hub/"
	}
	if host := u.host(l.userName); host != "" {
		env["JUPYTERHUB_PUBLIC_URL"] = host + prefix
	}
	if s.o.Traits.AdminAccess {
		env["JUPYTERHUB_ADMIN_ACCESS"] = "1"
	}
	setIf(env, "JUPYTERHUB_COOKIE_OPTIONS", s.o.Traits.CookieOptions)
}

// connectURL is the path of api below connect (Spawner.hub_connect_url).
func connectURL(api, connect string) string {
	a, err := url.Parse(api)
	if err != nil {
		return api
	}
	return strings.TrimRight(connect, "/") + a.EscapedPath()
}

func limitEnv(env map[string]string, t *SpawnTraits) {
	for key, n := range map[string]int64{"MEM_LIMIT": t.MemLimit, "MEM_GUARANTEE": t.MemGuarantee} {
		if n > 0 {
			env[key] = strconv.FormatInt(n, 10)
		}
	}
	for key, f := range map[string]float64{"CPU_LIMIT": t.CPULimit, "CPU_GUARANTEE": t.CPUGuarantee} {
		if f > 0 {
			text := strconv.FormatFloat(f, 'f', -1, 64)
			if !strings.Contains(text, ".") {
				text += ".0" // as Python prints a float
			}
			env[key] = text
		}
	}
}

func boolEnv(b bool) string {
	if b {
		return "1"
	}
	return "0"
}

// sameMajor compares a server's JupyterHub version with the one this hub is compatible with.
func sameMajor(version string) bool {
	major, _, _ := strings.Cut(version, ".")
	return slices.Contains([]string{"4", "5", "6"}, major)
}
