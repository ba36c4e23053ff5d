package spawner

import "context"

// Driver makes Spawners; one per hub. Implementations: spawner/local, spawner/toy, ... It may also be an [Orphans], a
// [PortPicker] and an io.Closer.
type Driver interface {
	// Name is JupyterHub's dotted class path, reported by GET /info (e.g. "jupyterhub.spawner.LocalProcessSpawner").
	Name() string
	// New returns the spawner object of one server. It does no I/O.
	New(id Identity) Spawner
	// EnvKeep lists the hub environment variables servers inherit by default.
	EnvKeep() []string
}

// Orphans finds servers that belong to this hub but to no database row (a crash between exec and commit): local drivers
// scan process environments for hubID and stop what is not in known (markers).
type Orphans interface {
	// StopOrphans stops every server of hubID whose marker is not in known, waits for them, and returns what it stopped,
	// in words for the log. It is called before servers are started.
	StopOrphans(ctx context.Context, hubID string, known map[string]bool) (stopped []string, err error)
}

// PortPicker chooses the port a server will listen on, before its environment is built (JUPYTERHUB_SERVICE_URL names
// it). Drivers whose servers live in their own network are none, and get Request.Port as configured.
type PortPicker interface {
	// PickPort returns a port that was free on ip a moment ago; "" means all addresses.
	PickPort(ctx context.Context, ip string) (int, error)
}
