package local

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/minihub/minihub/internal/supervise"
	"github.com/minihub/minihub/spawner"
)

// command turns a request into what is run. The request's map is not changed.
func (s *Spawner) command(req spawner.Request, own ownership, logDir string) supervise.Command {
	opts := s.driver.opts
	env := make(map[string]string, len(req.Env)+len(own.env)+2)
	maps.Copy(env, req.Env)
	maps.Copy(env, own.env)
	delete(env, supervise.EnvHubID)
	delete(env, supervise.EnvMarker)
	if opts.HubID != "" {
		env[supervise.EnvHubID] = opts.HubID
	}
	if req.Marker != "" {
		env[supervise.EnvMarker] = req.Marker
	}
	return supervise.Command{
		Argv: wrapShell(opts.ShellCmd, req.Argv()), Env: env, Dirs: own.dirs, Account: own.account, AllowRoot: opts.AllowRoot,
		LogPath: filepath.Join(logDir, logName(s.id)), LogLimit: opts.LogLimit, OnLine: s.onLine(),
	}
}

func (s *Spawner) onLine() func(string) {
	onLine := s.driver.opts.OnLine
	if onLine == nil {
		return nil
	}
	return func(line string) { onLine(s.id, line) }
}

// wrapShell makes the whole command line one argument of the shell, as JupyterHub's shell_cmd does.
func wrapShell(shell, argv []string) []string {
	if len(shell) == 0 || len(argv) == 0 {
		return argv
	}
	quoted := make([]string, len(argv))
	for i, arg := range argv {
		quoted[i] = shellQuote(arg)
	}
	return append(append([]string(nil), shell...), strings.Join(quoted, " "))
}

func shellQuote(arg string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("@%+=:,./_-", r)
	}
	if arg != "" && strings.TrimLeftFunc(arg, plain) == "" {
		return arg
	}
	return "'" + strings.ReplaceAll(arg, "'", `'"'"'`) + "'"
}

// logName is readable, and one to one: names differ in bytes which file names cannot have.
func logName(id spawner.Identity) string {
	readable := func(name string) string {
		return strings.Map(func(r rune) rune {
			if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
				return r
			}
			return '_'
		}, strings.ToLower(name[:min(len(name), 40)]))
	}
	sum := sha256.Sum256([]byte(id.UserName + "\x00" + id.ServerName))
	parts := []string{readable(id.UserName)}
	if id.ServerName != "" {
		parts = append(parts, readable(id.ServerName))
	}
	return strings.Join(append(parts, hex.EncodeToString(sum[:6])), ".") + ".log"
}

// withPort returns a request whose environment names the port; the caller's map is not changed.
func withPort(req spawner.Request, port int) spawner.Request {
	req.Port = port
	service, err := url.Parse(req.Env["JUPYTERHUB_SERVICE_URL"])
	if err != nil || service.Host == "" {
		return req
	}
	service.Host = net.JoinHostPort(service.Hostname(), strconv.Itoa(port))
	req.Env = maps.Clone(req.Env)
	req.Env["JUPYTERHUB_SERVICE_URL"] = service.String()
	return req
}

// serverURL is where the hub and the proxy reach the server.
func serverURL(req spawner.Request) string {
	scheme, host := "http", req.IP
	if req.Env["JUPYTERHUB_SSL_CERTFILE"] != "" {
		scheme = "https"
	}
	switch host {
	case "", "0.0.0.0":
		host = "127.0.0.1"
	case "::":
		host = "::1"
	}
	return scheme + "://" + net.JoinHostPort(host, strconv.Itoa(req.Port))
}
