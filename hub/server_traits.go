package hub

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ServerTraits are the settings of JupyterHub and Spawner that decide how servers live. Names follow the traits.
type ServerTraits struct {
	AllowNamedServers       bool
	NamedServerLimitPerUser int    // 0: none
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
	GroupOverrides          []GroupOverride   // in key order
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
	Other                     map[string]any // traits of the spawner class that the hub does not know
}

func (t SpawnTraits) clone() SpawnTraits {
	t.Cmd, t.Args = slices.Clone(t.Cmd), slices.Clone(t.Args)
	t.Environment, t.Other = maps.Clone(t.Environment), maps.Clone(t.Other)
	return t
}

// set assigns one trait by JupyterHub's name. Dict traits are merged, a nil value deletes a key (group_overrides' rule).
func (t *SpawnTraits) set(name string, v any) error {
	switch name {
	case "cmd":
		return setList(&t.Cmd, name, v)
	case "args":
		return setList(&t.Args, name, v)
	case "server_token_scopes":
		return setList(&t.ServerTokenScopes, name, v)
	case "oauth_client_allowed_scopes":
		return setList(&t.OAuthClientAllowedScopes, name, v)
	case "environment":
		return t.setEnvironment(v)
	case "default_url":
		return setString(&t.DefaultURL, name, v)
	case "notebook_dir":
		return setString(&t.NotebookDir, name, v)
	case "ip":
		return setString(&t.IP, name, v)
	case "hub_connect_url":
		return setString(&t.HubConnectURL, name, v)
	case "mem_limit":
		return setBytes(&t.MemLimit, name, v)
	case "mem_guarantee":
		return setBytes(&t.MemGuarantee, name, v)
	case "cpu_limit":
		return setNumber(&t.CPULimit, name, v)
	case "cpu_guarantee":
		return setNumber(&t.CPUGuarantee, name, v)
	case "start_timeout":
		return setSeconds(&t.StartTimeout, name, v)
	case "http_timeout":
		return setSeconds(&t.HTTPTimeout, name, v)
	case "debug":
		return setBool(&t.Debug, name, v)
	case "disable_user_config":
		return setBool(&t.DisableUserConfig, name, v)
	}
	if t.Other == nil {
		t.Other = map[string]any{}
	}
	t.Other[name] = v
	return nil
}

func (t *SpawnTraits) setEnvironment(v any) error {
	m, ok := v.(map[string]any)
	if !ok {
		return badTrait("environment", "an object of strings", v)
	}
	if t.Environment == nil {
		t.Environment = map[string]string{}
	}
	for k, x := range m {
		switch x := x.(type) {
		case nil:
			delete(t.Environment, k)
		case string:
			t.Environment[k] = x
		default:
			t.Environment[k] = fmt.Sprint(x)
		}
	}
	return nil
}

func badTrait(name, want string, got any) error {
	return fmt.Errorf("Spawner.%s must be %s, not %T", name, want, got)
}

func setList(dst *[]string, name string, v any) error {
	switch v := v.(type) {
	case string:
		*dst = []string{v}
		return nil
	case []string:
		*dst = slices.Clone(v)
		return nil
	case []any:
		out := make([]string, 0, len(v))
		for _, x := range v {
			s, ok := x.(string)
			if !ok {
				return badTrait(name, "a list of strings", v)
			}
			out = append(out, s)
		}
		*dst = out
		return nil
	}
	return badTrait(name, "a list of strings", v)
}

func setString(dst *string, name string, v any) error {
	s, ok := v.(string)
	if !ok {
		return badTrait(name, "a string", v)
	}
	*dst = s
	return nil
}

func setBool(dst *bool, name string, v any) error {
	b, ok := v.(bool)
	if !ok {
		return badTrait(name, "true or false", v)
	}
	*dst = b
	return nil
}

func number(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case int:
		return float64(v), true
	case int64:
		return float64(v), true
	}
	return 0, false
}

func setNumber(dst *float64, name string, v any) error {
	f, ok := number(v)
	if !ok || f < 0 {
		return badTrait(name, "a number, 0 or more", v)
	}
	*dst = f
	return nil
}

func setSeconds(dst *time.Duration, name string, v any) error {
	f, ok := number(v)
	if !ok || f < 0 {
		return badTrait(name, "a number of seconds", v)
	}
	*dst = time.Duration(f * float64(time.Second))
	return nil
}

// setBytes accepts a number of bytes or a number with one of JupyterHub's suffixes K, M, G, T (powers of 1024).
func setBytes(dst *int64, name string, v any) error {
	if f, ok := number(v); ok && f >= 0 {
		*dst = int64(f)
		return nil
	}
	s, ok := v.(string)
	if !ok || s == "" {
		return badTrait(name, "a size such as 512M or 2G", v)
	}
	factor := 1.0
	if i := strings.IndexByte("KMGT", s[len(s)-1]); i >= 0 {
		for range i + 1 {
			factor *= 1024
		}
		s = s[:len(s)-1]
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f < 0 {
		return badTrait(name, "a size such as 512M or 2G", v)
	}
	*dst = int64(f * factor)
	return nil
}
