package spawner

// CONTRACT (the owner of spawner splits this into well-named files; names and signatures stay).

import (
	"context"
	"iter"
)

// Identity names the server a Spawner is for.
type Identity struct {
	UserName   string // as in the database
	ServerName string // "" for the default server
}

// Request is everything a spawner gets to start one server. The hub has already resolved environment, command and options.
type Request struct {
	Identity
	DisplayName string
	Cmd, Args   []string          // argv = Cmd + Args (format strings resolved)
	Env         map[string]string // complete JUPYTERHUB_* environment + Spawner.environment; local spawners add env_keep'd values (already inside) and USER/HOME/SHELL
	IP          string            // bind address for the server ("" = all)
	Port        int               // chosen port, never 0 for local spawners unless PickPort says so
	BaseURL     string            // "/user/name/server/" percent-encoded
	UserOptions map[string]any
	Marker      string            // random identity marker; local spawners put it in the environment as MINIHUB_SERVER_MARKER
	MemLimit, MemGuarantee int64   // bytes, 0 = unset
	CPULimit, CPUGuarantee float64 // cores, 0 = unset
	NotebookDir string
	Overrides   map[string]any // group_overrides / apply_user_options results for spawner-specific traits
}

// State is the JSON object kept in spawners.state between hub restarts (JupyterHub: {"pid": n} for local processes).
type State map[string]any

// Exit tells how a server that does not run ended.
type Exit struct {
	Code   int    // process exit code, 0 when unknown
	Reason string // "exit code 3", "killed by signal 9", "" when unknown
}

// Spawner starts, watches and stops one server. Methods may be called concurrently, except that the hub never calls
// Start twice at once; Stop may arrive while Start runs.
type Spawner interface {
	// Start starts the server and returns the URL it will listen on (scheme://host:port, no path). ctx carries start_timeout.
	// When ctx ends or Start fails, the hub calls Stop to clean up.
	Start(ctx context.Context, req Request) (url string, err error)
	// Poll returns nil while the server runs, else how it ended.
	Poll(ctx context.Context) (*Exit, error)
	// Stop ends the server and waits for it. now: no grace period.
	Stop(ctx context.Context, now bool) error
	// State returns what LoadState needs after a hub restart; nil or empty when there is nothing running.
	State() State
	// LoadState adopts a server started by an earlier hub process. marker and started come from the row.
	LoadState(ctx context.Context, state State) error
}

// Driver makes Spawners; one per hub. Implementations: spawner/local, spawner/toy, ...
type Driver interface {
	// Name is JupyterHub's dotted class path, reported by GET /info (e.g. "jupyterhub.spawner.LocalProcessSpawner").
	Name() string
	// New returns the spawner object of one server. It does no I/O.
	New(id Identity) Spawner
	// EnvKeep lists the hub environment variables servers inherit by default.
	EnvKeep() []string
}

// Optional interfaces of a Spawner.

// Event is one progress event before "ready".
type Event struct {
	Progress    int // 0..100
	Message     string
	HTMLMessage string
}

// Progresser reports progress while Start runs; the sequence ends when ctx does.
type Progresser interface {
	Progress(ctx context.Context) iter.Seq[Event]
}

// Diagnoser explains a failed start: the last log lines and a likely cause.
type Diagnoser interface {
	Diagnose(ctx context.Context) Diagnosis
}

// Diagnosis of a server that failed to start.
type Diagnosis struct {
	Exit    *Exit
	LogTail []string // last lines of the server's output, at most 40
	Cause   string   // "command not found", "import error: no module named 'jupyterhub'", ... ; "" when unknown
	WayOut  string   // what to do about it
}

// ForeverDeleter removes what outlives a stop (volumes, ...) before the server row is deleted.
type ForeverDeleter interface {
	DeleteForever(ctx context.Context) error
}

// Renamer is told that the server's name changes.
type Renamer interface {
	Rename(ctx context.Context, newName string) error
}

// Orphans finds servers that belong to this hub but to no database row (a crash between exec and commit): local drivers scan
// process environments for hubID and stop what is not in known (markers).
type Orphans interface {
	StopOrphans(ctx context.Context, hubID string, known map[string]bool) (stopped []string, err error)
}
