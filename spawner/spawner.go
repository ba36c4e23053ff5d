package spawner

import (
	"context"
	"time"
)

// Identity names the server a Spawner is for.
type Identity struct {
	UserName   string // as in the database
	ServerName string // "" for the default server
}

// String returns "user" for a default server and "user/server" for a named one, for messages.
func (id Identity) String() string {
	if id.ServerName == "" {
		return id.UserName
	}
	return id.UserName + "/" + id.ServerName
}

// Request is everything a spawner gets to start one server. The hub has already resolved environment, command and
// options.
type Request struct {
	Identity
	DisplayName string
	// Cmd and Args are the command line: argv is Cmd followed by Args, with format strings resolved. Nothing is added.
	Cmd, Args []string
	// Env is the complete environment: JUPYTERHUB_*, env_keep'd values and Spawner.environment. Local spawners add
	// USER, HOME, SHELL and their identity marker, and inherit nothing.
	Env map[string]string
	// IP is the address the server binds; "" means all.
	IP string
	// Port is the chosen port. It is 0 only for drivers which are no PortPicker.
	Port int
	// BaseURL is the server's path below the proxy, "/user/name/server/", percent-encoded, with both slashes.
	BaseURL string
	// UserOptions are what the form or the API's body asked for.
	UserOptions map[string]any
	// Marker is random and names this start; local spawners put it in the environment as MINIHUB_SERVER_MARKER.
	Marker string
	// MemLimit and MemGuarantee are bytes; 0 is unset.
	MemLimit, MemGuarantee int64
	// CPULimit and CPUGuarantee are cores; 0 is unset.
	CPULimit, CPUGuarantee float64
	// NotebookDir is the resolved notebook_dir trait.
	NotebookDir string
	// StartTimeout and HTTPTimeout are what a hook made of the traits start_timeout and http_timeout for this start; 0: nothing. The hub
	// keeps to them, drivers have no use for them.
	StartTimeout, HTTPTimeout time.Duration
	// Overrides holds results of group_overrides and apply_user_options for traits only the spawner knows.
	Overrides map[string]any
}

// Argv returns Cmd followed by Args in a slice of its own.
func (r Request) Argv() []string {
	argv := make([]string, 0, len(r.Cmd)+len(r.Args))
	return append(append(argv, r.Cmd...), r.Args...)
}

// Exit tells how a server that does not run ended.
type Exit struct {
	Code   int    // process exit code, 0 when unknown
	Reason string // "exit code 3", "killed by signal 9", "" when unknown
}

// Spawner starts, watches and stops one server. Methods may be called concurrently, except that the hub never calls
// Start twice at once; Stop may arrive while Start runs.
type Spawner interface {
	// Start starts the server and returns the URL it will listen on (scheme://host:port, no path). ctx carries
	// start_timeout. When ctx ends or Start fails, the hub calls Stop to clean up.
	Start(ctx context.Context, req Request) (url string, err error)
	// Poll returns nil while the server runs, else how it ended. A server that was never started has ended.
	Poll(ctx context.Context) (*Exit, error)
	// Stop ends the server and waits for it. now: no grace period. Stopping what does not run is no error. When ctx ends
	// first its error is returned, and Stop may be called again.
	Stop(ctx context.Context, now bool) error
	// State returns what LoadState needs after a hub restart; nil or empty when there is nothing running.
	State() State
	// LoadState adopts a server started by an earlier hub process. A state that proves nothing is no error: Poll then
	// tells that the server ended.
	LoadState(ctx context.Context, state State) error
}
