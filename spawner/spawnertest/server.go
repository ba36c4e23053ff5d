package spawnertest

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/minihub/minihub/spawner"
)

// serverArg makes a test binary a server.
const serverArg = "minihub-spawnertest-server"

// Main turns this process into a single-user server when it was started by ServerCmd, and does not return then. Call it
// first in TestMain.
func Main() {
	if len(os.Args) < 2 || os.Args[1] != serverArg {
		return
	}
	if os.Getenv("MINIHUB_SPAWNERTEST_WAIT") != "" {
		select {}
	}
	if err := serve(os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		syscall.Exit(1)
	}
	syscall.Exit(0) // os.Exit of a race-enabled binary takes a second
}

// ServerCmd is the command of a small server at JUPYTERHUB_SERVICE_URL; the test binary must call Main. It answers
// everything below its prefix with its environment and arguments as JSON, and ends on INT and TERM. With the argument
// "ignore" it ends on neither, with "fail" at once with exit code 3.
func ServerCmd(t *testing.T, args ...string) []string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return append([]string{path, serverArg}, args...)
}

// About is what the server of ServerCmd answers.
type About struct {
	Env  map[string]string
	Args []string
	PID  int
	UID  int
	Dir  string
}

func serve(args []string) error {
	fmt.Println("server is starting")
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGINT, syscall.SIGTERM)
	for _, arg := range args {
		switch arg {
		case "fail":
			fmt.Println("ModuleNotFoundError: No module named 'jupyterhub'")
			syscall.Exit(3)
		case "ignore":
			stop = nil
		}
	}
	service, err := url.Parse(os.Getenv("JUPYTERHUB_SERVICE_URL"))
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", service.Host)
	if err != nil {
		return err
	}
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.EscapedPath(), service.EscapedPath()) {
			http.NotFound(w, r)
			return
		}
		_ = json.NewEncoder(w).Encode(about())
	})}
	go func() {
		<-stop
		_ = server.Close()
	}()
	_ = server.Serve(listener)
	fmt.Println("server has ended")
	return nil
}

func about() About {
	a := About{Env: map[string]string{}, Args: os.Args[1:], PID: os.Getpid(), UID: os.Getuid()}
	a.Dir, _ = os.Getwd()
	for _, entry := range os.Environ() {
		name, value, _ := strings.Cut(entry, "=")
		a.Env[name] = value
	}
	return a
}

// Ask returns what the server of ServerCmd says about itself.
func Ask(t *testing.T, url string) About {
	t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var a About
	if err := json.NewDecoder(resp.Body).Decode(&a); err != nil {
		t.Fatal(err)
	}
	return a
}

// Env returns the JUPYTERHUB_* variables that a server gets in any case.
func Env(req spawner.Request, apiURL string) map[string]string {
	client := "jupyterhub-user-" + url.PathEscape(req.UserName)
	if req.ServerName != "" {
		client += "-" + url.PathEscape(req.ServerName)
	}
	scopes, _ := json.Marshal([]string{"access:servers!server=" + req.UserName + "/" + req.ServerName, "access:servers!user=" + req.UserName})
	host := net.JoinHostPort(req.IP, fmt.Sprint(req.Port))
	return map[string]string{
		"JUPYTERHUB_API_TOKEN": "0123456789abcdef0123456789abcdef", "JPY_API_TOKEN": "0123456789abcdef0123456789abcdef",
		"JUPYTERHUB_CLIENT_ID": client, "JUPYTERHUB_USER": req.UserName, "JUPYTERHUB_SERVER_NAME": req.ServerName,
		"JUPYTERHUB_HOST": "", "JUPYTERHUB_BASE_URL": "/", "JUPYTERHUB_SERVICE_PREFIX": req.BaseURL,
		"JUPYTERHUB_SERVICE_URL": "http://" + host + req.BaseURL, "JUPYTERHUB_API_URL": apiURL,
		"JUPYTERHUB_ACTIVITY_URL":        apiURL + "/users/" + url.PathEscape(req.UserName) + "/activity",
		"JUPYTERHUB_OAUTH_CALLBACK_URL":  req.BaseURL + "oauth_callback",
		"JUPYTERHUB_OAUTH_ACCESS_SCOPES": string(scopes), "JUPYTERHUB_OAUTH_SCOPES": string(scopes),
		"JUPYTERHUB_OAUTH_CLIENT_ALLOWED_SCOPES": "[]", "JUPYTERHUB_COOKIE_HOST_PREFIX_ENABLED": "0",
		"JUPYTERHUB_PUBLIC_URL": "", "JUPYTERHUB_PUBLIC_HUB_URL": "",
	}
}
