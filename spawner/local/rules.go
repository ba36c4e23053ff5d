package local

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/minihub/minihub/spawner"
)

// logRule explains a line of a server's output.
type logRule struct {
	pattern *regexp.Regexp
	explain func(match []string, req spawner.Request) (cause, wayOut string)
}

// logRules are in order of how sure they are; the messages are those of Python, tornado, Jupyter and jupyterhub.
var logRules = []logRule{
	{regexp.MustCompile(`ModuleNotFoundError: No module named '?([^'\s]+)'?`), missingModule},
	{regexp.MustCompile(`No module named ([A-Za-z0-9_.]+)$`), missingModule},
	{regexp.MustCompile(`ImportError: (.+)`), func(m []string, req spawner.Request) (string, string) {
		return "import error: " + m[1], "the Python packages of the server do not fit together; reinstall them: " + pythonOf(req) + " install --upgrade jupyterhub jupyterlab"
	}},
	{regexp.MustCompile(`(?i)address already in use|EADDRINUSE|port \d+ is already in use`), func(_ []string, req spawner.Request) (string, string) {
		return fmt.Sprintf("address already in use: port %d of %s", req.Port, orAll(req.IP)),
			"start the server again, which takes another port; with a fixed Spawner.port only one server can run"
	}},
	{regexp.MustCompile(`(?i)cannot assign requested address|EADDRNOTAVAIL`), func(_ []string, req spawner.Request) (string, string) {
		return fmt.Sprintf("wrong address: this machine has no address %s", orAll(req.IP)), "set Spawner.ip to an address of the machine the server runs on, 127.0.0.1 for local servers"
	}},
	{regexp.MustCompile(`(?i)failed to connect to (?:my )?hub(?: api)? at '?([^'\s]+)`), unreachableHub},
	{regexp.MustCompile(`Cannot connect to host (\S+)`), unreachableHub},
	{regexp.MustCompile(`(?i)permission to check authorization with JupyterHub|invalid token in the (?:auth|login)`), func([]string, spawner.Request) (string, string) {
		return "the hub refuses the server's token", "start the server again; a server that outlived its row in the database has a token which is deleted"
	}},
	{regexp.MustCompile(`Running as root is not recommended`), func([]string, spawner.Request) (string, string) {
		return "the server refuses to run as root", "do not run the hub as root with spawner_class simple; for a test, add --allow-root to Spawner.args"
	}},
	{regexp.MustCompile(`(?:PermissionError|Permission denied).*?'([^']*(?:/runtime|/run/user)[^']*)'`), func(m []string, _ spawner.Request) (string, string) {
		return "runtime directory not usable: " + m[1], "it belongs to another user, often because a server ran as root before: give it to the server's user (chown), or set JUPYTER_RUNTIME_DIR in Spawner.environment"
	}},
	{regexp.MustCompile(`(?:PermissionError: .*|[Pp]ermission denied:? )'([^']+)'`), func(m []string, _ spawner.Request) (string, string) {
		return "permission denied: " + m[1], "give the server's user access to it, or check that HOME is that user's own directory"
	}},
	{regexp.MustCompile(`(\S+): (?:\d+: )?(?:exec: )?.*[Pp]ermission denied`), func(m []string, _ spawner.Request) (string, string) {
		return "permission denied: " + m[0], "give the server's user access to it"
	}},
	{regexp.MustCompile(`No space left on device|Disk quota exceeded|Errno (?:28|122)\]`), func(m []string, req spawner.Request) (string, string) {
		return "the disk is full (" + m[0] + ")", "free some space in " + orElse(req.Env["HOME"], "the user's home directory")
	}},
	{regexp.MustCompile(`(?i)([^\s:]+): (?:command )?not found`), func(m []string, _ spawner.Request) (string, string) {
		return "command not found: " + m[1], "set Spawner.cmd to its full path, or add its folder to PATH in Spawner.environment"
	}},
	{regexp.MustCompile(`(?i)(unrecognized arguments?:? .*|unrecognized (?:alias|flag|option).*|bad config encountered.*)`), func(m []string, _ spawner.Request) (string, string) {
		return "the server does not take its arguments: " + m[1], "correct Spawner.args"
	}},
	{regexp.MustCompile(`(?i)no such file or directory: '([^']+)'|no such (?:notebook |root )?dir\w*:? '?([^']+)'?|not a directory`), func(m []string, _ spawner.Request) (string, string) {
		return "no such file or directory: " + orElse(m[1]+m[2], m[0]), "create it, or correct Spawner.notebook_dir, which takes {username}; ~ is not expanded by the hub"
	}},
}

func missingModule(m []string, req spawner.Request) (string, string) {
	install := map[string]string{"jupyterhub": "\"jupyterhub==6.*\" jupyterlab", "jupyter_server": "jupyterlab", "notebook": "notebook"}
	name, _, _ := strings.Cut(m[1], ".")
	return fmt.Sprintf("import error: no module named '%s'", m[1]),
		"install it for the Python that runs the server: " + pythonOf(req) + " install " + orElse(install[name], name)
}

func unreachableHub(m []string, req spawner.Request) (string, string) {
	url := orElse(req.Env["JUPYTERHUB_API_URL"], m[1])
	wayOut := "the server must reach that address: set JupyterHub.hub_connect_ip (or hub_connect_url) to one it can, and look at firewalls"
	for name := range req.Env {
		if upper := strings.ToUpper(name); upper == "HTTP_PROXY" || upper == "ALL_PROXY" {
			wayOut += "; " + name + " is set, so no_proxy must hold the hub's host"
			break
		}
	}
	return "cannot reach the hub's API at " + url, wayOut
}

func orAll(ip string) string { return orElse(ip, "all addresses") }

func orElse(text, fallback string) string {
	if text != "" {
		return text
	}
	return fallback
}
