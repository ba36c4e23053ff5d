package hub

import (
	"context"
	"net/url"
	"time"

	"github.com/minihub/minihub/orm"
)

// ServerTraits are the settings of JupyterHub and Spawner that decide how servers live. Names follow the traits.
type ServerTraits struct {
	AllowNamedServers       bool
	NamedServerLimitPerUser int // 0: none
	// NamedServerLimit is a callable named_server_limit_per_user; nil: the number above.
	NamedServerLimit        func(ctx context.Context, user *orm.User) (int, error)
	AllowInvalidNames       string // allow_existing_invalid_named_servers: allow-start, allow-delete or autorename
	ConcurrentSpawnLimit    int    // 0: none
	ActiveServerLimit       int    // 0: none
	ThrottleRetry           [2]time.Duration
	SlowSpawnTimeout        time.Duration // how long a request waits for a start
	SlowStopTimeout         time.Duration
	PollInterval            time.Duration // <= 0: no polling
	PollJitter              float64       // 0..1
	ConsecutiveFailureLimit int           // 0: none
	InitSpawnersTimeout     time.Duration // < 0: wait for ever
	URLs                    ServerURLs
	AdminAccess             bool
	CookieHostPrefix        bool
	CookieOptions           string            // JSON, "" when unset
	KeptEnv                 map[string]string // env_keep values of the hub's own environment
	HubID                   string
	FirstRun                bool              // nothing can be left of an earlier hub
	GroupOverrides          []GroupOverride   // in key order
	Profiles                []Profile         // profile_list
	UserOptionTraits        map[string]string // apply_user_options as a dict: option -> trait
	Spawn                   SpawnTraits
	ListText                func([]string) string // how a list is written in an environment variable: JSON
}

// ServerURLs are the addresses that servers are told.
type ServerURLs struct {
	BaseURL    string // "/", percent-encoded, slashes at both ends
	HubAPIURL  string // http://127.0.0.1:8081/hub/api
	PublicHost string // scheme://host of public_url or subdomain_host, "" when unknown
	PublicURL  string // public URL of the hub's base, with trailing slash, "" when unknown
	// HostOf is scheme://host of a user's own subdomain; nil: everybody is on the hub's host.
	HostOf func(user string) string
}

// host returns scheme://host of a user's subdomain, "" without subdomains.
func (u *ServerURLs) host(user string) string {
	if u.HostOf == nil {
		return ""
	}
	return u.HostOf(user)
}

// routespec is a path in the proxy's table: with the host name in front when the user has a subdomain (behaviours.md 9).
func (u *ServerURLs) routespec(user, path string) string {
	if at, err := url.Parse(u.host(user)); err == nil {
		return at.Hostname() + path
	}
	return path
}

// GroupOverride is one entry of Spawner.group_overrides.
type GroupOverride struct {
	Groups []string
	Traits map[string]any
}

// SpawnTraits are the traits that one start may change by group_overrides, user options or hooks.
type SpawnTraits struct {
	Cmd, Args                 []string
	Environment               map[string]string
	DefaultURL, NotebookDir   string
	IP                        string
	Port                      int // 0: a free one
	HubConnectURL             string
	MemLimit, MemGuarantee    int64 // bytes
	CPULimit, CPUGuarantee    float64
	StartTimeout, HTTPTimeout time.Duration
	Debug, DisableUserConfig  bool
	ServerTokenScopes         []string // empty: role server
	OAuthClientAllowedScopes  []string
	OAuthRoles                []string       // roles whose scopes count while OAuthClientAllowedScopes is empty
	Other                     map[string]any // traits of the spawner class that the hub does not know
}
