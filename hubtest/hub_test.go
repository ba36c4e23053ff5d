package hubtest_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/minihub/minihub/hubapi"
	"github.com/minihub/minihub/hubtest"
)

func TestAHubStartsServesAndEnds(t *testing.T) {
	hub, err := hubtest.Start(t.Context(), hubtest.Options{
		Users: []hubtest.User{{Name: "ann", Admin: true}, {Name: "bob"}}, Groups: map[string][]string{"lab": {"bob"}}})
	if err != nil {
		t.Fatal(err)
	}
	users, err := hubapi.Collect(hub.Admin.Users(t.Context(), hubapi.UserQuery{}))
	if err != nil || len(users) != 2 || !users[0].Admin || users[1].Admin || users[1].Groups[0] != "lab" {
		t.Errorf("users = %+v, %v; want ann the administrator, and bob of the lab", users, err)
	}
	if err := hub.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if _, err := hub.Admin.Version(t.Context()); err == nil {
		t.Error("the hub answers after Close")
	}
	if err := hub.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

// A role that names a group makes it, and so does the description of its members.
func TestAGroupWithARoleHasItsMembers(t *testing.T) {
	hub := hubtest.New(t, hubtest.Options{Users: []hubtest.User{{Name: "ann"}}, Groups: map[string][]string{"lab": {"ann"}},
		Roles: []map[string]any{{"name": "lab", "groups": []any{"lab"}, "scopes": []any{"list:users"}}}})
	group, err := hub.Admin.Group(t.Context(), "lab")
	if err != nil || len(group.Users) != 1 || group.Users[0] != "ann" {
		t.Errorf("group = %+v, %v; want ann in it", group, err)
	}
	if _, err := hub.Client("ann").CountUsers(t.Context(), hubapi.UserQuery{}); err != nil {
		t.Errorf("ann may not use what the group's role permits: %v", err)
	}
}

func TestHubsLiveSideBySide(t *testing.T) {
	for range 4 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			hub := hubtest.New(t, hubtest.Options{})
			if _, err := hub.Admin.CreateUser(t.Context(), "ann"); err != nil {
				t.Error(err)
			}
			if n, err := hub.Admin.CountUsers(t.Context(), hubapi.UserQuery{}); n != 1 || err != nil {
				t.Errorf("%d users, %v; want the one of this hub", n, err)
			}
		})
	}
}

func TestTokensHaveTheScopesAskedFor(t *testing.T) {
	hub := hubtest.New(t, hubtest.Options{})
	own := hub.Client("ann", "read:users!user=ann")
	if _, err := own.User(t.Context(), "ann"); err != nil {
		t.Error(err)
	}
	if _, err := own.StartServer(t.Context(), "ann", "", nil); !errors.Is(err, hubapi.ErrForbidden) && !errors.Is(err, hubapi.ErrNotFound) {
		t.Errorf("start a server with read:users: %v, want a refusal", err)
	}
	if ready, err := hub.Client("ann").StartServer(t.Context(), "ann", "", nil); err != nil || !ready {
		t.Errorf("start with everything: %v, %v", ready, err)
	}
}

func TestABrowserIsLoggedInAndOpensItsServer(t *testing.T) {
	hub := hubtest.New(t, hubtest.Options{})
	ann, err := hub.Browser("ann")
	if err != nil {
		t.Fatal(err)
	}
	home, err := ann.Get("hub/home")
	if err != nil || home.Status != http.StatusOK || !strings.Contains(home.Body, "ann") {
		t.Fatalf("home = %+v, %v", home, err)
	}
	if ready, err := hub.Admin.StartServer(t.Context(), "ann", "", nil); err != nil || !ready {
		t.Fatalf("start: %v, %v", ready, err)
	}
	page, err := ann.Open("/user/ann/")
	if err != nil || page.Status != http.StatusOK || !strings.HasPrefix(page.URL.Path, "/user/ann/") {
		t.Fatalf("own server: %+v, %v; want its page", page, err)
	}
	bob, err := hub.Browser("bob")
	if err != nil {
		t.Fatal(err)
	}
	if page, err := bob.Open("/user/ann/"); err != nil || page.Status != http.StatusForbidden {
		t.Errorf("bob on ann's server: %+v, %v; want 403", page, err)
	}
}

func TestConfigurationIsJupyterHubs(t *testing.T) {
	hub := hubtest.New(t, hubtest.Options{Config: map[string]map[string]any{"JupyterHub": {"allow_named_servers": true, "base_url": "/deep/er/"}}})
	if !strings.HasSuffix(hub.URL, "/deep/er/") {
		t.Errorf("URL = %s, want base_url in it", hub.URL)
	}
	if other := hubtest.New(t, hubtest.Options{Config: map[string]map[string]any{"JupyterHub": {"base_url": "/deep/er/"}}}); other.URL == hub.URL {
		t.Errorf("two hubs at %s", hub.URL)
	}
	if ready, err := hub.Client("ann").StartServer(t.Context(), "ann", "work", nil); err != nil || !ready {
		t.Errorf("named server: %v, %v", ready, err)
	}
	_, err := hubtest.Start(t.Context(), hubtest.Options{Config: map[string]map[string]any{"JupyterHub": {"allow_named_servers": "perhaps"}}})
	if err == nil || !strings.Contains(err.Error(), "JupyterHub.allow_named_servers") {
		t.Errorf("a wrong value: %v, want the trait's name in the error", err)
	}
	if _, err := hubtest.Start(t.Context(), hubtest.Options{Groups: map[string][]string{"lab": {"eve"}}}); err == nil || !strings.Contains(err.Error(), `"eve"`) {
		t.Errorf("an unknown member: %v, want an error that names it", err)
	}
}

func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		hub, err := hubtest.Start(b.Context(), hubtest.Options{Users: []hubtest.User{{Name: "ann"}}})
		if err != nil {
			b.Fatal(err)
		}
		if err := hub.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func TestAHubIsReadyInMilliseconds(t *testing.T) {
	begin := time.Now()
	hubtest.New(t, hubtest.Options{})
	t.Logf("ready after %s", time.Since(begin))
	if d := time.Since(begin); d > 5*time.Second {
		t.Errorf("a hub needs %s to start", d)
	}
}
