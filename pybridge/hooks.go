package pybridge

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/minihub/minihub/spawner"
)

// pollTimeout bounds questions that a page or a timer waits for.
const pollTimeout = 30 * time.Second

// Hooks run the functions of the configuration around starts and stops. In the child there is one object for each server: that of the
// Python spawner class, or a stand-in for the hub's own. It is made anew by Begin, and kept until Forget.
type Hooks struct {
	b   *Bridge
	dir Directory
}

// NewHooks returns the hooks of a bridge.
func NewHooks(b *Bridge, dir Directory) *Hooks { return &Hooks{b: b, dir: dir} }

// Beginning is what functions of the configuration decide before a start.
type Beginning struct {
	Overrides    []map[string]any `json:"overrides"` // of a callable group_overrides, in order
	TokenScopes  *[]string        `json:"server_token_scopes"`
	ClientScopes *[]string        `json:"oauth_client_allowed_scopes"`
	OAuthRoles   *[]string        `json:"oauth_roles"`
	StartTimeout *float64         `json:"start_timeout"` // seconds, of a Python spawner
	HTTPTimeout  *float64         `json:"http_timeout"`
}

// Begin makes the object for a start. traits are the values that the hub has for it, by their names; they are not needed for a
// Python spawner.
func (h *Hooks) Begin(ctx context.Context, id spawner.Identity, traits map[string]any) (out Beginning, err error) {
	args, err := h.about(ctx, id)
	if err != nil {
		return out, err
	}
	args["traits"] = traits
	return out, h.b.Call(ctx, "spawner.begin", args, &out)
}

// about are the arguments that name a server.
func (h *Hooks) about(ctx context.Context, id spawner.Identity) (map[string]any, error) {
	return serverArgs(ctx, h.dir, id)
}

func serverArgs(ctx context.Context, dir Directory, id spawner.Identity) (map[string]any, error) {
	user, err := dir.User(ctx, id.UserName)
	if err != nil {
		return nil, fmt.Errorf("look up user %s for python: %w", id.UserName, err)
	}
	server, err := dir.Server(ctx, id.UserName, id.ServerName)
	if err != nil {
		return nil, fmt.Errorf("look up server %s for python: %w", id, err)
	}
	if server.UserOptions != nil {
		server.UserOptions, _ = encodeBytes(server.UserOptions).(map[string]any)
	}
	out := map[string]any{"user": user, "server": server}
	if r := RequestFrom(ctx); r != nil {
		out["request"] = r
	}
	return out, nil
}

// requestArgs are the arguments of calls while a start is prepared.
func requestArgs(ctx context.Context, dir Directory, req *spawner.Request) (map[string]any, error) {
	args, err := serverArgs(ctx, dir, req.Identity)
	if err != nil {
		return nil, err
	}
	args["env"], args["base_url"] = req.Env, req.BaseURL
	return args, nil
}

// PreSpawnStart runs Authenticator.pre_spawn_start.
func (h *Hooks) PreSpawnStart(ctx context.Context, id spawner.Identity) error {
	return h.simple(ctx, "auth.pre_spawn_start", id)
}

// PostSpawnStop runs Authenticator.post_spawn_stop.
func (h *Hooks) PostSpawnStop(ctx context.Context, id spawner.Identity) error {
	return h.simple(ctx, "auth.post_spawn_stop", id)
}

// PostStop runs post_stop_hook.
func (h *Hooks) PostStop(ctx context.Context, id spawner.Identity) error {
	return h.simple(ctx, "spawner.post_stop", id)
}

// Forget drops the object of a server that has stopped.
func (h *Hooks) Forget(ctx context.Context, id spawner.Identity) error {
	args := map[string]any{"user": User{Name: id.UserName}, "server": Server{Name: id.ServerName}}
	return h.b.Call(ctx, "spawner.forget", args, nil)
}

func (h *Hooks) simple(ctx context.Context, op string, id spawner.Identity) error {
	args, err := h.about(ctx, id)
	if err != nil {
		return err
	}
	return h.b.Call(ctx, op, args, nil)
}

// AuthState runs auth_state_hook.
func (h *Hooks) AuthState(ctx context.Context, state any, req *spawner.Request) error {
	return h.change(ctx, "spawner.auth_state", req, map[string]any{"auth_state": state})
}

// ApplyUserOptions runs a callable apply_user_options.
func (h *Hooks) ApplyUserOptions(ctx context.Context, req *spawner.Request, options map[string]any) error {
	return h.change(ctx, "spawner.apply_options", req, map[string]any{"options": encodeBytes(options)})
}

// PreSpawn runs pre_spawn_hook, and the functions in Spawner.environment.
func (h *Hooks) PreSpawn(ctx context.Context, req *spawner.Request) error {
	return h.change(ctx, "spawner.pre_spawn", req, nil)
}

func (h *Hooks) change(ctx context.Context, op string, req *spawner.Request, more map[string]any) error {
	args, err := requestArgs(ctx, h.dir, req)
	if err != nil {
		return err
	}
	maps.Copy(args, more)
	var out *Changes
	if err := h.b.Call(ctx, op, args, &out); err != nil {
		return err
	}
	if out != nil {
		out.Apply(req)
	}
	return nil
}

// ProgressReady runs progress_ready_hook on the last event of a start.
func (h *Hooks) ProgressReady(ctx context.Context, id spawner.Identity, event map[string]any) (map[string]any, error) {
	ctx, cancel := limited(ctx, pollTimeout)
	defer cancel()
	args, err := h.about(ctx, id)
	if err != nil {
		return nil, err
	}
	args["event"] = event
	var out map[string]any
	return out, h.b.Call(ctx, "spawner.progress_ready", args, &out)
}

// ProfileList returns a profile_list, whose functions have been called.
func (h *Hooks) ProfileList(ctx context.Context, id spawner.Identity) (list []any, err error) {
	args, err := h.about(ctx, id)
	if err != nil {
		return nil, err
	}
	return list, h.b.Call(ctx, "spawner.profile_list", args, &list)
}

// Override sets the traits of the chosen profile on the object of a start.
func (h *Hooks) Override(ctx context.Context, req *spawner.Request, traits []map[string]any) error {
	return h.change(ctx, "spawner.override", req, map[string]any{"traits": traits})
}

// OptionsForm returns the HTML of the spawn form, "" for none.
func (h *Hooks) OptionsForm(ctx context.Context, id spawner.Identity) (html string, err error) {
	args, err := h.about(ctx, id)
	if err != nil {
		return "", err
	}
	return html, h.b.Call(ctx, "spawner.options_form", args, &html)
}

// OptionsFromForm turns a submitted form into user_options. Bytes of uploads stay bytes. query tells that the values come from a link.
func (h *Hooks) OptionsFromForm(ctx context.Context, id spawner.Identity, form map[string]any, query bool) (map[string]any, error) {
	args, err := h.about(ctx, id)
	if err != nil {
		return nil, err
	}
	args["form"], args["query"] = encodeBytes(form), query
	var out any
	if err := h.b.Call(ctx, "spawner.options_from_form", args, &out); err != nil {
		return nil, err
	}
	options, ok := out.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("options_from_form returned %T, it must return a dict", out)
	}
	return options, nil
}

// Changes are what a hook changed on the stand-in of the hub's own spawner.
type Changes struct {
	Traits      map[string]any    `json:"traits"`
	Environment map[string]string `json:"environment"`
	Unset       []string          `json:"unset"`
}

// Apply makes the changes of a hook part of a start.
func (c *Changes) Apply(req *spawner.Request) {
	for name, v := range c.Traits {
		c.trait(req, name, v)
	}
	for _, key := range c.Unset {
		delete(req.Env, key)
	}
	maps.Copy(req.Env, c.Environment)
}

func (c *Changes) trait(req *spawner.Request, name string, v any) {
	switch name {
	case "cmd":
		req.Cmd = texts(v)
	case "args":
		req.Args = texts(v)
	case "user_options":
		req.UserOptions, _ = v.(map[string]any)
	case "notebook_dir":
		req.NotebookDir = format(req, v)
		setEnv(req.Env, "JUPYTERHUB_ROOT_DIR", req.NotebookDir)
	case "default_url":
		setEnv(req.Env, "JUPYTERHUB_DEFAULT_URL", format(req, v))
	case "ip", "port":
		c.address(req, name, v)
	case "mem_limit", "mem_guarantee":
		n := int64(number(v))
		if name == "mem_limit" {
			req.MemLimit = n
		} else {
			req.MemGuarantee = n
		}
		setEnv(req.Env, strings.ToUpper(name), unlessZero(strconv.FormatInt(n, 10)))
	case "cpu_limit", "cpu_guarantee":
		f := number(v)
		if name == "cpu_limit" {
			req.CPULimit = f
		} else {
			req.CPUGuarantee = f
		}
		setEnv(req.Env, strings.ToUpper(name), unlessZero(pythonFloat(f)))
	case "start_timeout":
		req.StartTimeout = time.Duration(number(v) * float64(time.Second))
	case "http_timeout":
		req.HTTPTimeout = time.Duration(number(v) * float64(time.Second))
	case "debug", "disable_user_config":
		key := map[string]string{"debug": "JUPYTERHUB_DEBUG", "disable_user_config": "JUPYTERHUB_DISABLE_USER_CONFIG"}[name]
		on, _ := v.(bool)
		setEnv(req.Env, key, map[bool]string{true: "1"}[on])
	default:
		if req.Overrides == nil {
			req.Overrides = map[string]any{}
		}
		req.Overrides[name] = v
	}
}

func (c *Changes) address(req *spawner.Request, name string, v any) {
	if name == "ip" {
		req.IP, _ = v.(string)
	} else if n := int(number(v)); n > 0 {
		req.Port = n
	}
	ip := req.IP
	if strings.Contains(ip, ":") {
		ip = "[" + ip + "]"
	}
	req.Env["JUPYTERHUB_SERVICE_URL"] = fmt.Sprintf("http://%s:%d%s", ip, req.Port, req.BaseURL)
}

func setEnv(env map[string]string, key, value string) {
	if value == "" {
		delete(env, key)
		return
	}
	env[key] = value
}

func unlessZero(text string) string {
	if text == "0" || text == "0.0" {
		return ""
	}
	return text
}

func pythonFloat(f float64) string {
	text := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}

func number(v any) float64 {
	switch v := v.(type) {
	case float64:
		return v
	case int64:
		return float64(v)
	}
	return 0
}

func texts(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		out := make([]string, len(v))
		for i := range v {
			out[i] = fmt.Sprint(v[i])
		}
		return out
	}
	return nil
}

func format(req *spawner.Request, v any) string {
	text, _ := v.(string)
	return strings.NewReplacer("{username}", req.UserName, "{base_url}", req.BaseURL).Replace(text)
}
