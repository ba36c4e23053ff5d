package hub

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

func (t SpawnTraits) clone() SpawnTraits {
	t.Cmd, t.Args = slices.Clone(t.Cmd), slices.Clone(t.Args)
	t.Environment, t.Other = maps.Clone(t.Environment), maps.Clone(t.Other) // nested values of Other are never written, see merge
	t.ServerTokenScopes, t.OAuthClientAllowedScopes = slices.Clone(t.ServerTokenScopes), slices.Clone(t.OAuthClientAllowedScopes)
	return t
}

// Set assigns one trait by JupyterHub's name, as an entry of group_overrides does.
func (t *SpawnTraits) Set(name string, v any) error { return t.set(name, v) }

// set assigns one trait by JupyterHub's name. Dict traits are merged recursively, where nil deletes a key (group_overrides' rule); a limit
// that is set to nil is none.
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
	case "oauth_roles":
		return setList(&t.OAuthRoles, name, v)
	case "environment":
		return t.setEnvironment(v)
	case "default_url":
		return setString(&t.DefaultURL, name, v)
	case "notebook_dir":
		return setString(&t.NotebookDir, name, v)
	case "port":
		return setPort(&t.Port, v)
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
	if update, ok := v.(map[string]any); ok {
		if old, ok := t.Other[name].(map[string]any); ok {
			v = merge(old, update)
		}
	}
	t.Other[name] = v
	return nil
}

// merge returns old with the keys of update, dicts within dicts merged in the same way; nil deletes a key. Neither is changed.
func merge(old, update map[string]any) map[string]any {
	out := maps.Clone(old)
	if out == nil {
		out = map[string]any{}
	}
	for k, v := range update {
		switch v := v.(type) {
		case nil:
			delete(out, k)
		case map[string]any:
			inner, _ := out[k].(map[string]any)
			out[k] = merge(inner, v)
		default:
			out[k] = v
		}
	}
	return out
}

// fromText reads a value that a form can only give as text: a number or a truth value.
func fromText(s string) (any, bool) {
	if f, err := strconv.ParseFloat(s, 64); err == nil && !math.IsInf(f, 0) && !math.IsNaN(f) {
		return f, true
	}
	switch strings.ToLower(s) {
	case "true":
		return true, true
	case "false":
		return false, true
	}
	return nil, false
}

func setPort(dst *int, v any) error {
	f, ok := number(v)
	if !ok || f != math.Trunc(f) || f < 0 || f > math.MaxUint16 {
		return badTrait("port", "a port number", v)
	}
	*dst = int(f)
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
	//lint:ignore ST1005 it begins with the name of a trait
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
	if v == nil && name == "hub_connect_url" {
		*dst = ""
		return nil
	}
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
	if v == nil {
		*dst = 0
		return nil
	}
	f, ok := number(v)
	if !ok || f < 0 {
		return badTrait(name, "a number, 0 or more", v)
	}
	*dst = f
	return nil
}

// maxSeconds keeps time-outs within time.Duration.
const maxSeconds = 100 * 365 * 24 * 3600

func setSeconds(dst *time.Duration, name string, v any) error {
	f, ok := number(v)
	if !ok || f < 0 || f > maxSeconds {
		return badTrait(name, "a number of seconds", v)
	}
	*dst = time.Duration(f * float64(time.Second))
	return nil
}

// setBytes accepts a number of bytes or a number with one of JupyterHub's suffixes K, M, G, T (powers of 1024).
func setBytes(dst *int64, name string, v any) error {
	if v == nil {
		*dst = 0
		return nil
	}
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
