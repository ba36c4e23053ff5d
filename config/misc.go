package config

// CryptKeeper holds the keys that encrypt auth_state.
type CryptKeeper struct {
	Keys     CryptKeys `trait:"keys" default:"[]" tier:"core" secret:"true" env:"JUPYTERHUB_CRYPT_KEY" help:"auth_state keys; first encrypts"`
	NThreads int       `trait:"n_threads" default:"0" tier:"rare" help:"crypto threads"`
}

// PeriodicMetricsCollector says which metrics are computed by a timer; intervals are seconds.
type PeriodicMetricsCollector struct {
	ActiveUsersEnabled            bool    `trait:"active_users_enabled" default:"True" tier:"rare" help:"active_users gauge"`
	ActiveUsersUpdateInterval     int     `trait:"active_users_update_interval" default:"3600" tier:"rare" help:"s"`
	EventLoopIntervalEnabled      bool    `trait:"event_loop_interval_enabled" default:"True" tier:"rare" help:"event loop histogram"`
	EventLoopIntervalLogThreshold float64 `trait:"event_loop_interval_log_threshold" default:"1" tier:"rare" help:"log stalls longer than s"`
	EventLoopIntervalResolution   float64 `trait:"event_loop_interval_resolution" default:"0.05" tier:"rare" help:"sampling s"`
}

// JupyterHubHTTPClient holds options of Python's HTTP client; minihub accepts and ignores them.
type JupyterHubHTTPClient struct {
	ConnectorOptions map[string]any `trait:"connector_options" default:"{}" tier:"rare" help:"python http client connector options"`
	SessionOptions   map[string]any `trait:"session_options" default:"{}" tier:"rare" help:"python http client session options (timeouts)"`
}

// EventLogger holds Python log handlers for events.
type EventLogger struct {
	Handlers []any `trait:"handlers" default:"[]" tier:"rare" py:"or" null:"empty" help:"python logging handlers receiving event JSON"`
}
