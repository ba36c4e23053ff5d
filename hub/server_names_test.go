package hub_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/spawner"
)

func TestNamedServerRules(t *testing.T) {
	r := newRig(t)
	u := r.user("alice")
	ctx := t.Context()
	for _, name := range []string{"Work", "a b", "ü", "-a", "a-", "a--b", "1a", "%", "a/b", strings.Repeat("a", 31), "a\x00"} {
		_, err := r.start(u, name)
		wantErr(t, err, hub.Invalid, "")
		_, err = r.live.Create(ctx, u, name, "", nil)
		wantErr(t, err, hub.Invalid, "")
		if n := need(r.store.NamedServerCount(ctx, u.ID)); n != 0 {
			t.Fatalf("%q left a row", name)
		}
	}
	for _, display := range []string{strings.Repeat("x", 256), "a\nb", " "} {
		_, err := r.live.Create(ctx, u, "ok", display, nil)
		wantErr(t, err, hub.Invalid, "")
		_, err = r.live.Start(ctx, u, "ok", hub.StartOptions{DisplayName: &display})
		wantErr(t, err, hub.Invalid, "")
	}
	v := need(r.live.Create(ctx, u, "ok", "", map[string]any{"a": 1.0}))
	if *v.DisplayName != "ok" || v.UserOptions["a"] != 1.0 || v.Active || v.URLPath != "/user/alice/ok/" {
		t.Errorf("view %+v", v)
	}
	_, err := r.live.Create(ctx, u, "ok", "", nil)
	wantErr(t, err, hub.Conflict, "User alice already has server ok")
	_, err = r.live.Create(ctx, u, "", "", nil)
	wantErr(t, err, hub.Conflict, "User alice already has a default server")
	r.mustStart(u, "ok")
	if got := r.driver.lastRequest(); fmt.Sprint(got.UserOptions["a"]) != "1" {
		t.Errorf("a created server's options are its first ones: %v", got.UserOptions)
	}
	off := newRig(t, func(o *rigOptions) { o.traits.AllowNamedServers = false })
	bob := off.user("bob")
	_, err = off.start(bob, "x")
	wantErr(t, err, hub.Invalid, "Named servers are not enabled.")
	off.mustStart(bob, "")
}

func TestNamedServerLimit(t *testing.T) {
	const limit = 3
	r := newRig(t, func(o *rigOptions) { o.traits.NamedServerLimitPerUser = limit })
	u := r.user("alice")
	r.mustStart(u, "") // does not count
	var wg sync.WaitGroup
	var made, refused atomic.Int64
	for i := range 20 {
		wg.Go(func() {
			var err error
			if i%2 == 0 {
				_, err = r.live.Create(t.Context(), u, fmt.Sprintf("s%d", i), "", nil)
			} else {
				_, err = r.start(u, fmt.Sprintf("s%d", i))
			}
			var e *hub.Error
			switch {
			case err == nil:
				made.Add(1)
			case errors.As(err, &e) && e.Message == "User alice already has the maximum of 3 named servers.  One must be deleted before a new server can be created":
				refused.Add(1)
			default:
				t.Errorf("error %v", err)
			}
		})
	}
	wg.Wait()
	if n := need(r.store.NamedServerCount(t.Context(), u.ID)); n != limit || made.Load() != limit || refused.Load() != 17 {
		t.Errorf("%d rows, %d made, %d refused", n, made.Load(), refused.Load())
	}
	// Existing ones can be started; a renamed default server is one more.
	_, err := r.live.Update(t.Context(), u, "", hub.ServerPatch{Name: ptr("more")})
	wantErr(t, err, hub.Invalid, "")
}

func TestSameNewServerAtOnce(t *testing.T) {
	r := newRig(t, func(o *rigOptions) { o.traits.NamedServerLimitPerUser = 1 })
	u := r.user("alice")
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			if _, err := r.start(u, "w"); err != nil && err.Error() != "invalid: alice:w is already running" && !strings.Contains(err.Error(), "maximum") {
				t.Errorf("start: %v", err)
			}
		})
	}
	wg.Wait()
	until(t, "the start", func() bool { return r.view(u, "w").Ready })
	if n := need(r.store.NamedServerCount(t.Context(), u.ID)); n != 1 || r.driver.starts() != 1 {
		t.Errorf("%d rows, %d starts", n, r.driver.starts())
	}
}

func legacy(r *rig, owner, name string, display *string) *orm.Spawner {
	r.t.Helper()
	row := r.server(owner, name)
	row.DisplayName = display
	noErr(r.t, r.store.UpdateSpawner(r.t.Context(), row, "display_name"))
	return row
}

func TestInvalidLegacyNames(t *testing.T) {
	for mode, starts := range map[string]bool{"": true, "allow-start": true, "allow-delete": false, "autorename": false} {
		t.Run(mode, func(t *testing.T) {
			r := newRig(t, func(o *rigOptions) { o.traits.AllowInvalidNames = mode })
			u := r.user("alice")
			legacy(r, "alice", "My Work", nil)
			_, err := r.live.Start(t.Context(), u, "My Work", hub.StartOptions{DisplayName: ptr("Nice")})
			wantErr(t, err, hub.Invalid, "") // JupyterHub's next start would fail for it
			st, err := r.start(u, "My Work")
			if starts {
				noErr(t, err)
				if st != hub.Started || r.driver.lastRequest().BaseURL != "/user/alice/My%20Work/" || r.row(u, "My Work").DisplayName != nil {
					t.Errorf("%v, %+v", st, r.driver.lastRequest())
				}
				noErr(t, r.live.CheckNames(t.Context()))
			} else {
				wantErr(t, err, hub.Invalid, "Starting invalid server_name 'My Work' is disabled, contact your administrator")
			}
			r.mustStop(u, "My Work", hub.StopOptions{Remove: true})
			r.wantNothingLeft(u, "My Work")
		})
	}
}

func TestCheckNames(t *testing.T) {
	ctx := t.Context()
	auto := func(o *rigOptions) { o.traits.AllowInvalidNames = "autorename" }
	r := newRig(t, auto)
	noErr(t, r.live.CheckNames(ctx))
	r.user("alice")
	bob := r.user("bob")
	for _, name := range []string{"My Work", "my work", "my-work", "fine", "ÜBER"} {
		var d *string
		if name == "fine" || name == "my-work" {
			d = &name
		}
		legacy(r, "alice", name, d)
	}
	running := legacy(r, "bob", "Big Run", nil)
	running.Started = need(r.store.UserByName(ctx, "bob")).Created
	noErr(t, r.store.UpdateSpawner(ctx, running, "started"))
	noErr(t, r.live.CheckNames(ctx))
	alice := need(r.store.UserByName(ctx, "alice"))
	got := map[string]string{}
	rows := need(r.store.SpawnersOfUsers(ctx, []int64{alice.ID, bob.ID}))
	for _, row := range slices.Concat(rows[alice.ID], rows[bob.ID]) {
		got[row.Name] = ""
		if row.DisplayName != nil {
			got[row.Name] = *row.DisplayName
		}
	}
	var hashed []string
	for name := range got {
		if strings.HasPrefix(name, "my-work-") {
			hashed = append(hashed, got[name])
			delete(got, name)
		}
	}
	slices.Sort(hashed)
	if d := cmp.Diff(map[string]string{"my-work": "my-work", "fine": "fine", "uber": "ÜBER", "Big Run": ""}, got); d != "" || !slices.Equal(hashed, []string{"My Work", "my work"}) {
		t.Errorf("names %s, hashed %v", d, hashed)
	}
	if r.log.count("has an invalid name but runs") != 1 || r.log.count("renaming server with an invalid name") != 3 {
		t.Errorf("log %s", r.log)
	}

	r = newRig(t)
	r.user("alice")
	legacy(r, "alice", "My Work", nil)
	legacy(r, "alice", "Other", nil)
	noErr(t, r.live.CheckNames(ctx))
	if r.log.count("names that are not valid since JupyterHub 6") != 1 {
		t.Errorf("log %s", r.log)
	}
	legacy(r, "alice", "A B", ptr("nice"))
	if err := r.live.CheckNames(ctx); err == nil || !strings.Contains(err.Error(), "alice:A B") || !strings.Contains(err.Error(), "display_name") {
		t.Errorf("CheckNames: %v", err)
	}
}

// Odd names of users make no route meet another's.
func TestOddUserNames(t *testing.T) {
	r := newRig(t)
	want := []string{}
	for name, escaped := range map[string]string{"a@b": "a@b", "a b": "a%20b", "ü": "%C3%BC", "%": "%25", "a%2fb": "a%252fb", "日本": "%E6%97%A5%E6%9C%AC", "😀": "%F0%9F%98%80"} {
		u := r.user(name)
		r.mustStart(u, "")
		r.mustStart(u, "w")
		want = append(want, "/user/"+escaped+"/", "/user/"+escaped+"/w/")
		if env := r.driver.lastRequest().Env; env["JUPYTERHUB_USER"] != name || env["JUPYTERHUB_ACTIVITY_URL"] != "http://127.0.0.1:8081/hub/api/users/"+escaped+"/activity" {
			t.Errorf("environment %v", env)
		}
	}
	slices.Sort(want)
	if got := r.router.specs(); !slices.Equal(got, want) {
		t.Errorf("routes %q, want %q", got, want)
	}
}

func TestUserOptionsAreKept(t *testing.T) {
	r := newRig(t)
	u := r.user("alice")
	ctx := t.Context()
	start := func(o hub.StartOptions) map[string]any {
		t.Helper()
		need(r.live.Start(ctx, u, "", o))
		got := r.driver.lastRequest().UserOptions
		r.mustStop(u, "", hub.StopOptions{})
		return got
	}
	if got := start(hub.StartOptions{KeepOptions: true}); got == nil || len(got) != 0 {
		t.Errorf("options %v", got)
	}
	one := map[string]any{"size": "big"}
	if got := start(hub.StartOptions{UserOptions: one}); got["size"] != "big" {
		t.Errorf("options %v", got)
	}
	if got := start(hub.StartOptions{KeepOptions: true}); got["size"] != "big" {
		t.Errorf("kept options %v", got)
	}
	if r.log.count("unhandled user option") != 2 {
		t.Error("unhandled options are worth a warning")
	}
	if got := start(hub.StartOptions{UserOptions: map[string]any{}}); len(got) != 0 || len(r.row(u, "").UserOptions) != 0 {
		t.Errorf("options %v", got)
	}
	need(r.live.Start(ctx, u, "w", hub.StartOptions{DisplayName: ptr("My Work")}))
	if v := r.view(u, "w"); *v.DisplayName != "My Work" {
		t.Errorf("view %+v", v)
	}
	r.mustStop(u, "w", hub.StopOptions{})
	r.mustStart(u, "w")
	if v := r.view(u, "w"); *v.DisplayName != "My Work" {
		t.Errorf("view %+v", v)
	}
	r.mustStop(u, "w", hub.StopOptions{})
	need(r.live.Start(ctx, u, "w", hub.StartOptions{DisplayName: ptr("New")}))
	if v := r.view(u, "w"); *v.DisplayName != "New" {
		t.Errorf("view %+v", v)
	}
}

func TestGroupOverridesAndOptionTraits(t *testing.T) {
	r := newRig(t, func(o *rigOptions) {
		o.traits.Spawn.Environment = map[string]string{"KEEP": "1", "DROP": "1"}
		o.traits.Spawn.MemLimit = 5
		o.traits.Spawn.Other = map[string]any{"volumes": map[string]any{"/a": map[string]any{"bind": "/x", "mode": "ro"}, "/b": "/b"}, "image": "base"}
		o.traits.GroupOverrides = []hub.GroupOverride{
			{Groups: []string{"nobody", "beta"}, Traits: map[string]any{"mem_limit": "2G", "environment": map[string]any{"DROP": nil, "BETA": 1}, "image": "beta"}},
			{Groups: []string{"gamma"}, Traits: map[string]any{"cpu_limit": 2, "image": "gamma",
				"volumes": map[string]any{"/a": map[string]any{"mode": nil, "new": true}, "/c": map[string]any{"d": "e"}, "/b": nil}}},
			{Groups: []string{"nobody"}, Traits: map[string]any{"cmd": "never"}},
		}
		o.traits.UserOptionTraits = map[string]string{"cpu": "cpu_guarantee", "debug": "debug", "args": "args", "port": "port", "image": "image"}
	})
	u := r.user("alice")
	r.group("beta", "alice")
	r.group("gamma", "alice")
	r.group("nobody")
	need(r.live.Start(t.Context(), u, "", hub.StartOptions{UserOptions: map[string]any{"cpu": "0.5", "debug": "true", "args": []any{"-x"}, "port": 5000.0, "other": 1}}))
	req := r.driver.lastRequest()
	if req.MemLimit != 2<<30 || req.CPULimit != 2 || req.CPUGuarantee != 0.5 || req.Port != 5000 || !slices.Equal(req.Argv(), []string{"jupyterhub-singleuser", "-x"}) {
		t.Errorf("request %+v", req)
	}
	if _, ok := req.Env["DROP"]; ok || req.Env["BETA"] != "1" || req.Env["KEEP"] != "1" || req.Env["JUPYTERHUB_DEBUG"] != "1" {
		t.Errorf("environment %v", req.Env)
	}
	want := map[string]any{"image": "gamma", "volumes": map[string]any{"/a": map[string]any{"bind": "/x", "new": true}, "/c": map[string]any{"d": "e"}}}
	if d := cmp.Diff(want, req.Overrides); d != "" {
		t.Errorf("overrides %s", d)
	}
	// Nobody else gets them, and the configuration is what it was.
	r.mustStart(r.user("bob"), "")
	req = r.driver.lastRequest()
	want = map[string]any{"volumes": map[string]any{"/a": map[string]any{"bind": "/x", "mode": "ro"}, "/b": "/b"}, "image": "base"}
	if d := cmp.Diff(want, req.Overrides); d != "" || req.MemLimit != 5 || req.Env["DROP"] != "1" || req.Env["BETA"] != "" {
		t.Errorf("overrides %s, request %+v", d, req)
	}
}

func TestTraitValues(t *testing.T) {
	traits := map[string]string{}
	r := newRig(t, func(o *rigOptions) {
		o.traits.Spawn.MemLimit, o.traits.Spawn.CPULimit = 1, 1
		o.traits.UserOptionTraits = traits
	})
	u := r.user("alice")
	for name, c := range map[string]struct {
		trait string
		value any
		check func(spawner.Request) bool // nil: refused
	}{
		"cmd text":         {"cmd", "x", func(q spawner.Request) bool { return slices.Equal(q.Cmd, []string{"x"}) }},
		"cmd list":         {"cmd", []string{"x", "y"}, func(q spawner.Request) bool { return len(q.Cmd) == 2 }},
		"cmd of numbers":   {"cmd", []any{1}, nil},
		"cmd number":       {"cmd", 1, nil},
		"no limit":         {"mem_limit", nil, func(q spawner.Request) bool { return q.MemLimit == 0 && q.Env["MEM_LIMIT"] == "" }},
		"bytes":            {"mem_limit", 512.0, func(q spawner.Request) bool { return q.MemLimit == 512 }},
		"half":             {"mem_guarantee", "0.5K", func(q spawner.Request) bool { return q.MemGuarantee == 512 }},
		"bad size":         {"mem_limit", "5X", nil},
		"negative size":    {"mem_limit", "-5G", nil},
		"negative bytes":   {"mem_limit", -5, nil},
		"cores":            {"cpu_limit", int64(3), func(q spawner.Request) bool { return q.Env["CPU_LIMIT"] == "3.0" }},
		"no cores":         {"cpu_limit", nil, func(q spawner.Request) bool { return q.CPULimit == 0 }},
		"bad cores":        {"cpu_limit", "many", nil},
		"page":             {"default_url", "/lab", func(q spawner.Request) bool { return q.Env["JUPYTERHUB_DEFAULT_URL"] == "/lab" }},
		"page number":      {"default_url", 7, nil},
		"no page":          {"default_url", nil, nil},
		"directory":        {"notebook_dir", "/d", func(q spawner.Request) bool { return q.NotebookDir == "/d" }},
		"ip":               {"ip", "", func(q spawner.Request) bool { return q.IP == "" }},
		"port":             {"port", 65536, nil},
		"half a port":      {"port", 1.5, nil},
		"no connect url":   {"hub_connect_url", nil, func(q spawner.Request) bool { return true }},
		"connect url":      {"hub_connect_url", "http://h/", func(q spawner.Request) bool { return q.Env["JUPYTERHUB_API_URL"] == "http://h/hub/api" }},
		"time-out":         {"start_timeout", 5, func(q spawner.Request) bool { return true }},
		"endless time-out": {"start_timeout", 1e300, nil},
		"bad time-out":     {"http_timeout", -1, nil},
		"debug":            {"debug", true, func(q spawner.Request) bool { return q.Env["JUPYTERHUB_DEBUG"] == "1" }},
		"bad debug":        {"debug", "maybe", nil},
		"user config":      {"disable_user_config", true, func(q spawner.Request) bool { return q.Env["JUPYTERHUB_DISABLE_USER_CONFIG"] == "1" }},
		"environment text": {"environment", "A=1", nil},
		"token scopes":     {"server_token_scopes", []any{"access:servers!server"}, func(q spawner.Request) bool { return true }},
		"client scopes": {"oauth_client_allowed_scopes", []any{"read:users"}, func(q spawner.Request) bool {
			return q.Env["JUPYTERHUB_OAUTH_CLIENT_ALLOWED_SCOPES"] == `["read:users"]`
		}},
	} {
		t.Run(name, func(t *testing.T) {
			traits["x"] = c.trait
			defer r.mustStop(u, "", hub.StopOptions{})
			_, err := r.live.Start(t.Context(), u, "", hub.StartOptions{UserOptions: map[string]any{"x": c.value}})
			if c.check == nil {
				var e *hub.Error
				if wantErr(t, err, hub.Invalid, ""); !errors.As(err, &e) || !strings.HasPrefix(e.Message, `Invalid user option "x": Spawner.`+c.trait) {
					t.Errorf("error %v", err)
				}
				return
			}
			noErr(t, err)
			if !c.check(r.driver.lastRequest()) {
				t.Errorf("request %+v", r.driver.lastRequest())
			}
		})
	}
}

// The server's token never gives more than its owner has.
func TestServerTokenScopes(t *testing.T) {
	r := newRig(t, func(o *rigOptions) {
		o.traits.Spawn.ServerTokenScopes = []string{"list:users", "access:servers!server", "read:users:name!user"}
	})
	u := r.user("alice")
	r.mustStart(u, "work")
	id := r.byToken(r.driver.lastRequest().Env["JUPYTERHUB_API_TOKEN"])
	got := id.Scopes.List()
	for _, want := range []string{"access:servers!server=alice/work", "users:activity!user=alice", "read:users:name!user=alice"} {
		if !slices.Contains(got, want) {
			t.Errorf("scopes %v, want %s", got, want)
		}
	}
	if id.Scopes.Has("list:users") || slices.ContainsFunc(got, func(s string) bool {
		return strings.HasPrefix(s, "access:servers") && s != "access:servers!server=alice/work"
	}) {
		t.Errorf("too much: %v", got)
	}
	if r.log.count("adding users:activity!user to the server's token") != 1 {
		t.Error("no warning about the missing scope")
	}
}
