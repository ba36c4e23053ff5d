package hubtest_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/minihub/minihub/hubapi"
	"github.com/minihub/minihub/hubtest"
)

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("it did not come to this: %s", what)
}

func TestRestoreBringsBackUsersTokensAndServers(t *testing.T) {
	hub, ctx := hubtest.New(t, hubtest.Options{Users: []hubtest.User{{Name: "ann"}, {Name: "bob"}}}), t.Context()
	early := hub.Client("ann")
	if _, err := early.StartServer(ctx, "ann", "", nil); err != nil {
		t.Fatal(err)
	}
	snapshot, err := hub.Snapshot(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		late := hub.Client("ann")
		if _, err := early.StopServer(ctx, "ann", ""); err != nil {
			t.Fatal(err)
		}
		if _, err := hub.Admin.StartServer(ctx, "bob", "", nil); err != nil {
			t.Fatal(err)
		}
		if _, err := hub.Admin.CreateUser(ctx, "eve"); err != nil {
			t.Fatal(err)
		}
		if err := hub.Restore(ctx, snapshot); err != nil {
			t.Fatal(err)
		}
		users, err := hubapi.Collect(hub.Admin.Users(ctx, hubapi.UserQuery{}))
		if err != nil || len(users) != 2 {
			t.Errorf("%d users, %v; want ann and bob", len(users), err)
		}
		for _, u := range users {
			if _, runs := u.Servers[""]; runs != (u.Name == "ann") {
				t.Errorf("%s has servers %v; want ann's only", u.Name, u.Servers)
			}
		}
		if _, err := early.Whoami(ctx); err != nil {
			t.Errorf("a token of before the snapshot: %v", err)
		}
		if _, err := late.Whoami(ctx); !errors.Is(err, hubapi.ErrUnauthorized) {
			t.Errorf("a token of after the snapshot: %v, want ErrUnauthorized", err)
		}
		routes, err := hub.Admin.Routes(ctx)
		if _, ok := routes["/user/bob/"]; err != nil || ok || routes["/user/ann/"].Target == "" {
			t.Errorf("routes = %v, %v; want ann's server only", routes, err)
		}
	}
}

func BenchmarkRestore(b *testing.B) {
	hub := hubtest.New(b, hubtest.Options{Users: []hubtest.User{{Name: "ann"}, {Name: "bob"}}, Log: nil})
	snapshot, err := hub.Snapshot(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := hub.Restore(b.Context(), snapshot); err != nil {
			b.Fatal(err)
		}
	}
}

func TestTimeGoesBy(t *testing.T) {
	hub, ctx := hubtest.New(t, hubtest.Options{}), t.Context()
	ann := hub.Client("ann")
	short, err := ann.CreateToken(ctx, "ann", hubapi.NewToken{Expires: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	browser, err := hub.Browser("ann")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ann.StartServer(ctx, "ann", "", nil); err != nil {
		t.Fatal(err)
	}
	if err := hub.Advance(ctx, 2*time.Hour); err != nil {
		t.Fatal(err)
	}
	if _, err := ann.As(short.Secret).Whoami(ctx); !errors.Is(err, hubapi.ErrUnauthorized) {
		t.Errorf("a token of one hour after two: %v, want ErrUnauthorized", err)
	}
	s, err := ann.Server(ctx, "ann", "")
	if err != nil || time.Since(s.LastActivity) < 2*time.Hour || !s.Ready {
		t.Errorf("server = %+v, %v; want one that runs, last seen two hours ago", s, err)
	}
	if page, err := browser.Get("hub/home"); err != nil || page.URL.Path != "/hub/home" {
		t.Errorf("a login of two hours ago: %+v, %v; want it to count", page.URL, err)
	}
	if err := hub.Advance(ctx, 15*24*time.Hour); err != nil {
		t.Fatal(err)
	}
	if page, err := browser.Get("hub/home"); err != nil || page.URL.Path != "/hub/login" {
		t.Errorf("a login of 15 days ago: %v, %v; want the login page (cookie_max_age_days is 14)", page.URL, err)
	}
	if again, err := hub.Browser("ann"); err != nil {
		t.Errorf("log in afterwards: %v", err)
	} else if page, err := again.Get("hub/home"); err != nil || page.URL.Path != "/hub/home" {
		t.Errorf("a new login: %v, %v", page.URL, err)
	}
	if err := hub.Advance(ctx, -time.Second); err == nil {
		t.Error("time goes backwards")
	}
}

func TestStartsGoWrongToOrder(t *testing.T) {
	hub := hubtest.New(t, hubtest.Options{Config: map[string]map[string]any{
		"JupyterHub": {"tornado_settings": map[string]any{"slow_spawn_timeout": 20}}, "Spawner": {"http_timeout": 5, "poll_interval": 1}}})
	ctx, ann := t.Context(), hub.Client("ann")
	hub.FailSpawns(hubtest.SpawnFault{Fail: "no room left", User: "somebody else"})
	hub.FailSpawns(hubtest.SpawnFault{Fail: "no more chairs", Times: 1, User: "ann"})
	if ready, err := ann.StartServer(ctx, "ann", "", nil); err == nil || ready || !strings.Contains(err.Error(), "no more chairs") {
		t.Errorf("a failing start: %v, %v; want the reason", ready, err)
	}
	hub.FailSpawns(hubtest.SpawnFault{Slow: 300 * time.Millisecond, Times: 1})
	begin := time.Now()
	if ready, err := ann.StartServer(ctx, "ann", "", nil); err != nil || !ready || time.Since(begin) < 300*time.Millisecond {
		t.Errorf("a slow start: %v, %v after %s", ready, err, time.Since(begin))
	}
	if _, err := ann.StopServer(ctx, "ann", ""); err != nil {
		t.Fatal(err)
	}
	hub.FailSpawns(hubtest.SpawnFault{NeverReady: true, Times: 1})
	if ready, err := ann.StartServer(ctx, "ann", "", nil); err == nil || ready {
		t.Errorf("a server that is never ready: %v, %v", ready, err)
	}
	eventually(t, "the failed server is gone", func() bool { s, err := ann.Server(ctx, "ann", ""); return err == nil && s.Pending == "" && s.Stopped })
	hub.FailSpawns(hubtest.SpawnFault{DieAfter: 3 * time.Second, Times: 1})
	if ready, err := ann.StartServer(ctx, "ann", "", nil); err != nil || !ready {
		t.Errorf("a server that dies later: %v, %v", ready, err)
	}
	eventually(t, "the hub noticed that the server died", func() bool { s, err := ann.Server(ctx, "ann", ""); return err == nil && s.Stopped })
	hub.ClearFaults()
	if ready, err := hub.Client("bob").StartServer(ctx, "bob", "", nil); err != nil || !ready {
		t.Errorf("without faults: %v, %v", ready, err)
	}
}

func TestTheAPIGoesWrongToOrder(t *testing.T) {
	hub, ctx := hubtest.New(t, hubtest.Options{}), t.Context()
	hub.FailAPI(hubtest.APIFault{Status: 429, RetryAfter: 7, Times: 2, Path: "/hub/api/users"})
	if _, err := hub.Admin.Whoami(ctx); err != nil {
		t.Errorf("another path: %v", err)
	}
	for range 2 {
		_, err := hub.Admin.User(ctx, "ann")
		var refusal *hubapi.Error
		if !errors.As(err, &refusal) || refusal.Status != 429 || refusal.RetryAfter != 7*time.Second {
			t.Errorf("an ordered 429: %v", err)
		}
	}
	if _, err := hub.Admin.CreateUser(ctx, "ann"); err != nil {
		t.Errorf("after two times: %v", err)
	}
	hub.FailAPI(hubtest.APIFault{Delay: 200 * time.Millisecond, Times: 1})
	begin := time.Now()
	if _, err := hub.Admin.User(ctx, "ann"); err != nil || time.Since(begin) < 200*time.Millisecond {
		t.Errorf("a slow answer: %v after %s", err, time.Since(begin))
	}
	hub.ProxyDown(true)
	if _, err := hub.Admin.Version(ctx); err == nil {
		t.Error("the hub answers while its proxy is down")
	}
	hub.ProxyDown(false)
	if _, err := hub.Admin.Version(ctx); err != nil {
		t.Errorf("after the proxy is back: %v", err)
	}
}

func TestControlIsForOtherLanguages(t *testing.T) {
	hub := hubtest.New(t, hubtest.Options{})
	control := httptest.NewServer(hub.Control())
	defer control.Close()
	post := func(path, body string) (int, map[string]any) {
		t.Helper()
		w, err := http.Post(control.URL+path, "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer w.Body.Close()
		text, err := io.ReadAll(w.Body)
		if err != nil {
			t.Fatal(err)
		}
		var out map[string]any
		if err := json.NewDecoder(bytes.NewReader(text)).Decode(&out); err != nil {
			t.Fatalf("%s answers %s: %v", path, text, err)
		}
		return w.StatusCode, out
	}
	_, made := post("/token", `{"user": "ann", "scopes": ["read:users!user=ann"]}`)
	ann := hub.Admin.As(made["token"].(string))
	if who, err := ann.Whoami(t.Context()); err != nil || who.Name != "ann" || !slices.Contains(who.Scopes, "read:users!user=ann") {
		t.Errorf("token of /token: %+v, %v", who, err)
	}
	_, taken := post("/snapshot", "")
	if _, err := hub.Admin.CreateUser(t.Context(), "bob"); err != nil {
		t.Fatal(err)
	}
	if status, out := post("/restore", `{"snapshot": "`+taken["snapshot"].(string)+`"}`); status != 200 {
		t.Errorf("restore: %d %v", status, out)
	}
	if _, err := hub.Admin.User(t.Context(), "bob"); !errors.Is(err, hubapi.ErrNotFound) {
		t.Errorf("bob after the restore: %v", err)
	}
	for _, c := range []struct {
		path, body string
		status     int
		part       string
	}{
		{"/token", `{"user": "ann", "scopes": ["nonsense"]}`, 400, "nonsense"}, {"/advance", `{"by": "30m"}`, 200, ""}, {"/advance", `{"by": 1.5}`, 200, ""}, {"/advance", `{"by": "soon"}`, 400, "soon"}, {"/advance", `{}`, 400, "by must be"},
		{"/restore", `{"snapshot": "99"}`, 400, `no snapshot "99"`}, {"/faults", `{"spawn": {"fial": "x"}}`, 400, "fial"}, {"/faults", `{}`, 400, "spawn, api or proxy"},
		{"/faults", `{"api": {"times": 1}}`, 400, "status"}, {"/faults", `{"proxy": "sideways"}`, 400, "sideways"}, {"/faults", `{"spawn": {}}`, 400, "never_ready"},
		{"/faults", `{"api": {"status": 503, "times": 1}, "spawn": {"slow": 0.1}, "proxy": "up"}`, 200, ""},
	} {
		if status, out := post(c.path, c.body); status != c.status || c.part != "" && !strings.Contains(out["message"].(string), c.part) {
			t.Errorf("%s %s: %d %v, want %d with %q", c.path, c.body, status, out, c.status, c.part)
		}
	}
	if _, err := hub.Admin.Version(t.Context()); !errors.Is(err, hubapi.ErrUnavailable) {
		t.Errorf("the ordered 503: %v", err)
	}
	if status, _ := post("/clear", ""); status != 200 {
		t.Errorf("clear: %d", status)
	}
}
