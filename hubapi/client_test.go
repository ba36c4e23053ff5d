package hubapi_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/minihub/minihub/hubapi"
	"github.com/minihub/minihub/hubtest"
)

func TestUsersAreListedPageByPage(t *testing.T) {
	hub := hubtest.New(t, hubtest.Options{})
	var names []string
	for i := range 450 {
		names = append(names, fmt.Sprintf("user-%03d", i))
	}
	created, err := hub.Admin.CreateUsers(t.Context(), hubapi.NewUsers{Names: names})
	if err != nil || len(created) != len(names) {
		t.Fatalf("created %d users, %v", len(created), err)
	}
	var got []string
	for u, err := range hub.Admin.Users(t.Context(), hubapi.UserQuery{Sort: "name"}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, u.Name)
	}
	if !slices.Equal(got, names) {
		t.Errorf("listed %d names of %d, or in another order", len(got), len(names))
	}
	if n, err := hub.Admin.CountUsers(t.Context(), hubapi.UserQuery{NameFilter: "user-00"}); n != 10 || err != nil {
		t.Errorf("CountUsers = %d, %v; want 10", n, err)
	}
	for range hub.Admin.Users(t.Context(), hubapi.UserQuery{}) {
		break // stopping early asks for no further page
	}
	seen := 0 // a culler of users: whoever is deleted does not move others out of the next page
	for u, err := range hub.Admin.Users(t.Context(), hubapi.UserQuery{NameFilter: "user-"}) {
		if err != nil {
			t.Fatal(err)
		}
		seen++
		if err := hub.Admin.DeleteUser(t.Context(), u.Name); err != nil {
			t.Fatal(err)
		}
	}
	if seen != len(names) {
		t.Errorf("%d users of %d came while they were deleted", seen, len(names))
	}
}

func TestALifeOfAUser(t *testing.T) {
	hub, ctx := hubtest.New(t, hubtest.Options{}), t.Context()
	if _, err := hub.Admin.CreateUser(ctx, "ann"); err != nil {
		t.Fatal(err)
	}
	if _, err := hub.Admin.CreateUser(ctx, "ann"); !errors.Is(err, hubapi.ErrConflict) {
		t.Errorf("created twice: %v, want ErrConflict", err)
	}
	admin, renamed := true, "anna"
	u, err := hub.Admin.UpdateUser(ctx, "ann", hubapi.UserChange{Admin: &admin, Name: &renamed})
	if err != nil || u.Name != "anna" || !u.Admin || !slices.Contains(u.Roles, "admin") || u.Created.IsZero() {
		t.Errorf("updated user = %+v, %v", u, err)
	}
	when := time.Now().Add(-time.Minute).UTC().Truncate(time.Microsecond)
	if err := hub.Client("anna").PostActivity(ctx, "anna", when); err != nil {
		t.Error(err)
	}
	if err := hub.Admin.DeleteUser(ctx, "anna"); err != nil {
		t.Error(err)
	}
	if _, err := hub.Admin.User(ctx, "anna"); !errors.Is(err, hubapi.ErrNotFound) {
		t.Errorf("a deleted user: %v, want ErrNotFound", err)
	}
}

func TestALifeOfAServer(t *testing.T) {
	hub := hubtest.New(t, hubtest.Options{Config: map[string]map[string]any{"JupyterHub": {"allow_named_servers": true}}})
	ctx, ann := t.Context(), hub.Client("ann")
	for _, name := range []string{"", "a-b2"} {
		if ready, err := ann.StartServer(ctx, "ann", name, map[string]any{"size": 2}); err != nil || !ready {
			t.Fatalf("start %q: %v, %v", name, ready, err)
		}
		s, err := ann.WaitReady(ctx, "ann", name)
		if err != nil || !s.Ready || s.Name != name || s.Started.IsZero() || string(s.UserOptions) != `{"size":2}` {
			t.Errorf("server %q = %+v, %v", name, s, err)
		}
		if stopped, err := ann.StopServer(ctx, "ann", name); err != nil || !stopped {
			t.Errorf("stop %q: %v, %v", name, stopped, err)
		}
	}
	if s, err := ann.Server(ctx, "ann", "a-b2"); err != nil || !s.Stopped {
		t.Errorf("a stopped named server = %+v, %v", s, err)
	}
	if err := ann.DeleteServer(ctx, "ann", "a-b2"); err != nil {
		t.Error(err)
	}
	if _, err := ann.Server(ctx, "ann", "a-b2"); !errors.Is(err, hubapi.ErrNotFound) {
		t.Errorf("a deleted server: %v, want ErrNotFound", err)
	}
}

func TestAFailedStartTellsWhy(t *testing.T) {
	hub := hubtest.New(t, hubtest.Options{Config: map[string]map[string]any{
		"JupyterHub": {"spawner_class": "simple", "tornado_settings": map[string]any{"slow_spawn_timeout": 0}}, "Spawner": {"cmd": []any{"/no/such/program"}}}})
	ann := hub.Client("ann")
	if ready, err := ann.StartServer(t.Context(), "ann", "", nil); ready {
		t.Fatalf("started /no/such/program: %v", err)
	}
	_, err := ann.WaitReady(t.Context(), "ann", "")
	if err == nil {
		t.Fatal("WaitReady found a server")
	}
	if !errors.Is(err, hubapi.ErrSpawnFailed) && !errors.Is(err, hubapi.ErrNotFound) {
		t.Errorf("WaitReady: %v", err)
	}
}

func TestTokensAndWhoami(t *testing.T) {
	hub, ctx := hubtest.New(t, hubtest.Options{}), t.Context()
	ann := hub.Client("ann")
	made, err := ann.CreateToken(ctx, "ann", hubapi.NewToken{Note: "for a test", Scopes: []string{"read:users!user=ann"}, Expires: time.Hour})
	if err != nil || made.Secret == "" || made.User != "ann" || time.Until(made.ExpiresAt) > time.Hour || time.Until(made.ExpiresAt) < 59*time.Minute {
		t.Fatalf("CreateToken = %+v, %v", made, err)
	}
	who, err := ann.As(made.Secret).Whoami(ctx)
	if err != nil || who.Name != "ann" || who.Kind != "user" || who.TokenID != made.ID || !slices.Contains(who.Scopes, "read:users!user=ann") {
		t.Errorf("Whoami = %+v, %v", who, err)
	}
	if err := ann.RevokeToken(ctx, "ann", made.ID); err != nil {
		t.Error(err)
	}
	if _, err := ann.As(made.Secret).Whoami(ctx); !errors.Is(err, hubapi.ErrUnauthorized) {
		t.Errorf("a revoked token: %v, want ErrUnauthorized", err)
	}
	list, err := ann.Tokens(ctx, "ann")
	if err != nil || slices.ContainsFunc(list, func(t hubapi.Token) bool { return t.ID == made.ID || t.Secret != "" }) {
		t.Errorf("Tokens = %+v, %v; want those that are left, without secrets", list, err)
	}
}

func TestGroupsServicesAndRoutes(t *testing.T) {
	hub, ctx := hubtest.New(t, hubtest.Options{Users: []hubtest.User{{Name: "ann"}, {Name: "bob"}}}), t.Context()
	if _, err := hub.Admin.CreateGroup(ctx, "lab", "ann"); err != nil {
		t.Fatal(err)
	}
	if _, err := hub.Admin.AddToGroup(ctx, "lab", "bob"); err != nil {
		t.Error(err)
	}
	if _, err := hub.Admin.RemoveFromGroup(ctx, "lab", "ann"); err != nil {
		t.Error(err)
	}
	if _, err := hub.Admin.SetGroupProperties(ctx, "lab", map[string]any{"room": "7"}); err != nil {
		t.Error(err)
	}
	groups, err := hubapi.Collect(hub.Admin.Groups(ctx))
	if err != nil || len(groups) != 1 || !slices.Equal(groups[0].Users, []string{"bob"}) || groups[0].Properties["room"] != "7" {
		t.Errorf("groups = %+v, %v", groups, err)
	}
	if err := hub.Admin.DeleteGroup(ctx, "lab"); err != nil {
		t.Error(err)
	}
	if _, err := hub.Admin.Group(ctx, "lab"); !errors.Is(err, hubapi.ErrNotFound) {
		t.Errorf("a deleted group: %v", err)
	}
	services, err := hub.Admin.Services(ctx)
	if err != nil || services["hubtest"].Kind != "service" {
		t.Errorf("services = %+v, %v", services, err)
	}
	if err := hub.Admin.CheckRoutes(ctx); err != nil {
		t.Error(err)
	}
	if routes, err := hub.Admin.Routes(ctx); err != nil || routes["/"].Data["hub"] != true {
		t.Errorf("routes = %+v, %v; want the hub's", routes, err)
	}
	if info, err := hub.Admin.Info(ctx); err != nil || info.Authenticator.Class == "" || info.Spawner.Class == "" {
		t.Errorf("info = %+v, %v", info, err)
	}
}

func TestShares(t *testing.T) {
	hub, ctx := hubtest.New(t, hubtest.Options{Users: []hubtest.User{{Name: "ann"}, {Name: "bob"}}}), t.Context()
	if _, err := hub.Admin.StartServer(ctx, "ann", "", nil); err != nil {
		t.Fatal(err)
	}
	share, err := hub.Admin.ShareServer(ctx, "ann", "", hubapi.NewShare{User: "bob"})
	if err != nil || share.User.Name != "bob" || share.Server.Owner != "ann" || share.CreatedAt.IsZero() {
		t.Fatalf("share = %+v, %v", share, err)
	}
	with, err := hubapi.Collect(hub.Admin.SharedWith(ctx, "bob"))
	if err != nil || len(with) != 1 || with[0].Server.Owner != "ann" {
		t.Errorf("shared with bob: %+v, %v", with, err)
	}
	if err := hub.Admin.RevokeShare(ctx, "ann", "", hubapi.NewShare{User: "bob"}); err != nil {
		t.Error(err)
	}
	if left, err := hubapi.Collect(hub.Admin.Shares(ctx, "ann", "")); err != nil || len(left) != 0 {
		t.Errorf("shares left: %+v, %v", left, err)
	}
	code, err := hub.Admin.CreateShareCode(ctx, "ann", "", time.Hour)
	if err != nil || code.Code == "" || !strings.Contains(code.AcceptURL, code.Code) {
		t.Errorf("code = %+v, %v", code, err)
	}
	if codes, err := hubapi.Collect(hub.Admin.ShareCodes(ctx, "ann", "")); err != nil || len(codes) != 1 || codes[0].Code != "" {
		t.Errorf("codes = %+v, %v; want one without its secret", codes, err)
	}
	if err := hub.Admin.DeleteShareCodes(ctx, "ann", ""); err != nil {
		t.Error(err)
	}
}

func TestAnswersThatAreNoHubs(t *testing.T) {
	answers := map[string]struct {
		status int
		header http.Header
		body   string
	}{
		"/hub/api/": {status: 200, body: "<html>not a hub</html>"}, "/hub/api/user": {status: 502, body: "<h1>Bad Gateway</h1>"},
		"/hub/api/info": {status: 429, header: http.Header{"Retry-After": {"30"}}, body: `{"status": 429, "message": "slow down", "hint": "wait"}`},
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a := answers[r.URL.Path]
		for k, v := range a.header {
			w.Header()[k] = v
		}
		w.WriteHeader(a.status)
		fmt.Fprint(w, a.body)
	}))
	defer s.Close()
	c := hubapi.New(s.URL+"/hub/api/", "t")
	if _, err := c.Version(t.Context()); err == nil || !strings.Contains(err.Error(), "decode") {
		t.Errorf("HTML for JSON: %v", err)
	}
	if _, err := c.Whoami(t.Context()); !errors.Is(err, hubapi.ErrUnavailable) || !strings.Contains(err.Error(), "Bad Gateway") {
		t.Errorf("a gateway's 502: %v", err)
	}
	_, err := c.Info(t.Context())
	var refusal *hubapi.Error
	if !errors.As(err, &refusal) || !errors.Is(err, hubapi.ErrTooMany) || refusal.RetryAfter != 30*time.Second || refusal.Hint != "wait" {
		t.Errorf("429: %#v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Version(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled context: %v", err)
	}
}

func TestFromEnvNamesWhatIsMissing(t *testing.T) {
	t.Setenv("JUPYTERHUB_API_URL", "http://127.0.0.1:1/hub/api")
	t.Setenv("JUPYTERHUB_API_TOKEN", "")
	if _, err := hubapi.FromEnv(); err == nil || !strings.Contains(err.Error(), "JUPYTERHUB_API_TOKEN") {
		t.Errorf("FromEnv without a token: %v", err)
	}
	t.Setenv("JUPYTERHUB_API_TOKEN", "x")
	if c, err := hubapi.FromEnv(); err != nil || c.URL() != "http://127.0.0.1:1/hub/api" {
		t.Errorf("FromEnv: %v, %v", c, err)
	}
}
