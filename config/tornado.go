package config

import (
	"fmt"
	"slices"
)

// TornadoSettings are the keys of JupyterHub.tornado_settings that have a meaning without Tornado. Others are ignored.
type TornadoSettings struct {
	SlowSpawnTimeout        float64           // SlowSpawnTimeout is how many seconds a request waits for a start; default 10.
	SlowStopTimeout         float64           // SlowStopTimeout is how many seconds a request waits for a stop; default 10.
	UserRedirectLimit       int               // UserRedirectLimit bounds redirects to a server that is not there; default 4.
	SpawnThrottleRetryRange [2]int            // SpawnThrottleRetryRange bounds the random Retry-After in seconds; default 30, 60.
	Headers                 map[string]string // Headers are added to every answer.
	CookieOptions           map[string]any    // CookieOptions are set on every cookie (SameSite, Secure, Domain, …).
	XSRFCookieKwargs        map[string]any    // XSRFCookieKwargs are set on the _xsrf cookie.
	NoCacheStatic           bool              // NoCacheStatic forbids caching of static files.
}

// Tornado reads tornado_settings. The error names the key and the type that was expected.
func (h *JupyterHub) Tornado() (TornadoSettings, error) {
	t := TornadoSettings{SlowSpawnTimeout: 10, SlowStopTimeout: 10, UserRedirectLimit: 4, SpawnThrottleRetryRange: [2]int{30, 60}}
	for _, key := range sortedKeys(h.TornadoSettings) {
		if want := t.set(key, h.TornadoSettings[key]); want != "" {
			return t, fmt.Errorf("%s: expected %s, got %s", key, want, describe(h.TornadoSettings[key]))
		}
	}
	return t, nil
}

// UnknownTornadoSettings are the keys of tornado_settings that have no effect, sorted.
func (h *JupyterHub) UnknownTornadoSettings() []string {
	var out []string
	known := []string{"slow_spawn_timeout", "slow_stop_timeout", "user_redirect_limit", "spawn_throttle_retry_range", "headers", "cookie_options",
		"xsrf_cookie_kwargs", "no_cache_static"}
	for _, key := range sortedKeys(h.TornadoSettings) {
		if !slices.Contains(known, key) {
			out = append(out, key)
		}
	}
	return out
}

// set stores one key and returns what was expected when the value does not fit.
func (t *TornadoSettings) set(key string, v any) string {
	ok := true
	switch key {
	case "slow_spawn_timeout":
		t.SlowSpawnTimeout, ok = number(v)
		return unless(ok, "a number of seconds")
	case "slow_stop_timeout":
		t.SlowStopTimeout, ok = number(v)
		return unless(ok, "a number of seconds")
	case "user_redirect_limit":
		var n float64
		n, ok = number(v)
		t.UserRedirectLimit = int(n)
		return unless(ok, "an integer")
	case "spawn_throttle_retry_range":
		list, isList := v.([]any)
		if !isList || len(list) != 2 {
			return "two numbers of seconds"
		}
		low, lowOK := number(list[0])
		high, highOK := number(list[1])
		t.SpawnThrottleRetryRange = [2]int{int(low), int(high)}
		return unless(lowOK && highOK && low <= high, "two numbers of seconds, the smaller one first")
	case "headers":
		m, isMap := v.(map[string]any)
		t.Headers = map[string]string{}
		for name, value := range m {
			if t.Headers[name], ok = numberText(value).(string); !ok {
				return "a dict of texts"
			}
		}
		return unless(isMap, "a dict of texts")
	case "cookie_options":
		t.CookieOptions, ok = v.(map[string]any)
		return unless(ok, "a dict")
	case "xsrf_cookie_kwargs":
		t.XSRFCookieKwargs, ok = v.(map[string]any)
		return unless(ok, "a dict")
	case "no_cache_static":
		t.NoCacheStatic, ok = v.(bool)
		return unless(ok, "a boolean")
	}
	return ""
}

func unless(ok bool, want string) string {
	if ok {
		return ""
	}
	return want
}

func number(v any) (float64, bool) {
	switch x := v.(type) {
	case int64:
		return float64(x), true
	case float64:
		return x, true
	}
	return 0, false
}
