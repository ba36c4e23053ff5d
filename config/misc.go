package config

// CryptKeeper holds the keys that encrypt auth_state.
type CryptKeeper struct {
	Keys     CryptKeys `trait:"keys" default:"[]" tier:"core" secret:"true" env:"JUPYTERHUB_CRYPT_KEY" help:"Keys that encrypt auth_state, the newest first."`
	NThreads int       `trait:"n_threads" default:"0" tier:"rare" help:"Threads for encryption; 0 is one per CPU."`
}

// PeriodicMetricsCollector says which metrics are computed by a timer; intervals are seconds.
type PeriodicMetricsCollector struct {
	ActiveUsersEnabled            bool    `trait:"active_users_enabled" default:"True" tier:"rare" help:"Counts active users for the metrics."`
	ActiveUsersUpdateInterval     int     `trait:"active_users_update_interval" default:"3600" tier:"rare" help:"Seconds between two counts of active users."`
	EventLoopIntervalEnabled      bool    `trait:"event_loop_interval_enabled" default:"True" tier:"rare" help:"Measures delays of the scheduler for the metrics."`
	EventLoopIntervalLogThreshold float64 `trait:"event_loop_interval_log_threshold" default:"1" tier:"rare" help:"Logs delays that are longer than this many seconds."`
	EventLoopIntervalResolution   float64 `trait:"event_loop_interval_resolution" default:"0.05" tier:"rare" help:"Seconds between two measurements of delays."`
}

// JupyterHubHTTPClient holds options of Python's HTTP client; minihub accepts and ignores them.
type JupyterHubHTTPClient struct {
	ConnectorOptions map[string]any `trait:"connector_options" default:"{}" tier:"rare" help:"Options of Python's HTTP connections, which minihub ignores."`
	SessionOptions   map[string]any `trait:"session_options" default:"{}" tier:"rare" help:"Options of Python's HTTP sessions, which minihub ignores."`
}

// EventLogger holds Python log handlers for events.
type EventLogger struct {
	Handlers []any `trait:"handlers" default:"[]" tier:"rare" py:"or" null:"empty" help:"Python log handlers for events."`
}
