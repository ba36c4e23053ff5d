//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/minihub/minihub/e2e/harness"
)

// guide is a hub with the services of an integration guide (testdata/guide_services.py).
type guide struct {
	hub               *harness.Hub
	announcementToken string
}

func startGuide(t *testing.T) *guide {
	t.Helper()
	g := &guide{announcementToken: harness.NewToken()}
	port := func() string { return fmt.Sprint(harness.FreePort(t)) }
	announcement := "http://127.0.0.1:" + port()
	// minihub knows two keys that guides use and JupyterHub refuses
	unmanaged, managed := "{}", "{}"
	if !harness.Oracle() {
		unmanaged = `{"managed": False, "capabilities": ["announce"]}`
		managed = `{"managed": True, "capabilities": ["monitoring", "data-processing"]}`
	}
	g.hub = harness.Prepare(t, harness.Options{Config: fmt.Sprintf(`
import os, sys
program = %[1]q
c.JupyterHub.services += [
    {"name": "announcement", "url": %[2]q, "api_token": %[3]q, **%[7]s},
    {"name": "monitoring", "url": "http://127.0.0.1:%[4]s", "command": [sys.executable, program, "monitoring"],
     "environment": {"MONITOR_INTERVAL": "0.2"}, "cwd": os.path.dirname(program), **%[8]s},
    {"name": "registry", "url": "http://127.0.0.1:%[5]s", "command": [sys.executable, program, "registry"],
     "environment": {"REGISTRY_OF": "announcement,monitoring"}},
    {"name": "checker", "url": "http://127.0.0.1:%[6]s", "command": [sys.executable, program, "checker"],
     "oauth_client_allowed_scopes": ["custom:data:read", "custom:data:write"]},
]
c.JupyterHub.custom_scopes = {
    "custom:data:read": {"description": "read the data"},
    "custom:data:write": {"description": "change the data", "subscopes": ["custom:data:read"]},
}
c.JupyterHub.load_groups = {"readers": {"users": ["rita"]}}
c.JupyterHub.load_roles += [
    {"name": "user", "scopes": ["self"]},
    {"name": "announcers", "users": ["ann"], "scopes": ["access:services!service=announcement"]},
    {"name": "monitor", "services": ["monitoring"], "scopes": ["list:users", "read:users:activity", "read:servers"]},
    {"name": "registry", "services": ["registry"], "scopes": ["read:services", "list:services"]},
    {"name": "writers", "users": ["ann"], "scopes": ["custom:data:write"]},
    {"name": "readers", "groups": ["readers"], "scopes": ["custom:data:read"]},
]
`, harness.Testdata("guide_services.py"), announcement, g.announcementToken, port(), port(), port(), unmanaged, managed)})
	harness.StartProcess(t, "announcement", g.hub.Dir, []string{
		"JUPYTERHUB_API_URL=" + g.hub.APIURL, "JUPYTERHUB_API_TOKEN=" + g.announcementToken,
		"JUPYTERHUB_SERVICE_NAME=announcement", "JUPYTERHUB_SERVICE_PREFIX=/services/announcement/",
		"JUPYTERHUB_SERVICE_URL=" + announcement, "JUPYTERHUB_CLIENT_ID=service-announcement",
		"JUPYTERHUB_OAUTH_CALLBACK_URL=/services/announcement/oauth_callback",
		`JUPYTERHUB_OAUTH_ACCESS_SCOPES=["access:services", "access:services!service=announcement"]`,
	}, harness.Python(), harness.Testdata("guide_services.py"), "announcement")
	g.hub.Secret(g.announcementToken)
	// JupyterHub waits a minute at its start for unmanaged services that do not answer
	harness.Poll(t, 20*time.Second, "the announcement service", func() bool {
		r, err := http.Get(announcement + "/services/announcement/")
		if err == nil {
			r.Body.Close()
		}
		return err == nil
	})
	g.hub.Run(t)
	for _, name := range []string{"announcement", "monitoring", "registry", "checker"} {
		serviceUp(t, g.hub, name)
	}
	return g
}

func TestServiceGuide(t *testing.T) {
	t.Parallel()
	g := startGuide(t)
	t.Run("announcement by token", g.announcementByToken)
	t.Run("announcement by cookie", g.announcementByCookie)
	t.Run("monitoring polls users", g.monitoring)
	t.Run("registry reads capabilities", g.registry)
	t.Run("scopes are checked", g.checker)
	t.Run("a managed service comes back", g.restart)
}

func (g *guide) announcementByToken(t *testing.T) {
	ann, rita := passwordToken(t, g.hub, "ann"), passwordToken(t, g.hub, "rita")
	body := map[string]any{"announcement": "maintenance at noon"}
	g.hub.API(t, "").Post("/services/announcement/", body).Want(http.StatusForbidden)
	g.hub.Bearer(t, rita).Post("/services/announcement/", body).Want(http.StatusForbidden)
	g.hub.Bearer(t, harness.NewToken()).Post("/services/announcement/", body).Want(http.StatusForbidden)
	g.hub.API(t, ann).Post("/services/announcement/", body).Want(http.StatusOK)
	m := g.hub.Bearer(t, ann).Post("/services/announcement/", body).Want(http.StatusOK).Map()
	if m["announcement"] != "maintenance at noon" || m["user"] != "ann" {
		t.Errorf("board: %v", m)
	}
}

func (g *guide) announcementByCookie(t *testing.T) {
	client := g.hub.Browse(t)
	if m := model(t, client.Visit("/services/announcement/edit", "ann")); m["name"] != "ann" {
		t.Errorf("model: %v", m)
	}
	// logging out of the hub ends the session's tokens, so the service's cookie is worth nothing
	client.Get("/hub/logout")
	page := client.Get("/services/announcement/edit")
	if page.URL.Path != "/hub/login" {
		t.Errorf("after logout: status %d at %s, want the login page", page.Status, page.URL)
	}
	// somebody without access does not even get a code
	page = g.hub.Browse(t).Visit("/services/announcement/edit", "rita")
	if page.Status != http.StatusForbidden || !strings.HasPrefix(page.URL.Path, "/hub/api/oauth2/authorize") {
		t.Errorf("without access: status %d at %s, want 403 of the authorize page", page.Status, page.URL)
	}
}

func (g *guide) monitoring(t *testing.T) {
	admin := g.hub.Admin(t)
	admin.Post("/users/watched", nil).Want(http.StatusCreated)
	stamp := time.Now().UTC().Add(-time.Minute).Format("2006-01-02T15:04:05.000000Z")
	admin.Post("/users/watched/activity", map[string]any{"last_activity": stamp}).Want(http.StatusOK)
	var report map[string]any
	harness.Poll(t, 15*time.Second, "the activity of a user in the monitor's report", func() bool {
		report = g.hub.API(t, "").Get("/services/monitoring/").Want(http.StatusOK).Map()
		users, _ := report["users"].(map[string]any)
		watched, _ := users["watched"].(map[string]any)
		return watched != nil && watched["last_activity"] == stamp
	})
	if report["interval"] != "0.2" || report["cwd"] != harness.Testdata(".") {
		t.Errorf("environment and cwd: %v, %v", report["interval"], report["cwd"])
	}
	for _, name := range []string{
		"JUPYTERHUB_API_TOKEN", "JUPYTERHUB_API_URL", "JUPYTERHUB_BASE_URL", "JUPYTERHUB_CLIENT_ID", "JUPYTERHUB_HOST",
		"JUPYTERHUB_OAUTH_ACCESS_SCOPES", "JUPYTERHUB_OAUTH_CALLBACK_URL", "JUPYTERHUB_OAUTH_CLIENT_ALLOWED_SCOPES",
		"JUPYTERHUB_OAUTH_SCOPES", "JUPYTERHUB_SERVICE_NAME", "JUPYTERHUB_SERVICE_PREFIX", "JUPYTERHUB_SERVICE_URL",
	} {
		if !slices.Contains(list(report["environment"]), name) {
			t.Errorf("the managed service's environment lacks %s", name)
		}
	}
	if slices.Contains(list(report["environment"]), "JUPYTERHUB_ACTIVITY_URL") {
		t.Error("a service has JUPYTERHUB_ACTIVITY_URL, which is for servers")
	}
	if !strings.Contains(g.hub.Log(), "monitoring has started") {
		t.Error("the service's output is not in the hub's log")
	}
	if !harness.Oracle() {
		lines := strings.Split(g.hub.Log(), "\n")
		named := slices.ContainsFunc(lines, func(line string) bool {
			return strings.Contains(line, "monitoring has started") && strings.Count(line, "monitoring") >= 2
		})
		if !named {
			t.Error("the service's lines are not prefixed with its name")
		}
	}
}

func (g *guide) registry(t *testing.T) {
	// JupyterHub's service model has no capabilities
	offers := g.hub.API(t, "").Get("/services/registry/").Want(http.StatusOK).Map()
	if harness.Oracle() {
		wantList(t, "services without capabilities", offers["unknown"], "announcement", "monitoring")
		return
	}
	wantList(t, "announce", offers["announce"], "announcement")
	wantList(t, "data-processing", offers["data-processing"], "monitoring")

	admin := g.hub.Admin(t)
	for query, want := range map[string][]string{
		"data-processing": {"monitoring"}, "announce": {"announcement"}, "nothing-of-that-kind": {},
	} {
		found := admin.Get("/services?capability=" + query).Want(http.StatusOK).Map()
		names := []string{}
		for name, service := range found {
			names = append(names, name)
			if !slices.Contains(list(service.(map[string]any)["capabilities"]), query) {
				t.Errorf("%s lacks the capability that was asked for: %v", name, service)
			}
		}
		if slices.Sort(names); !slices.Equal(names, want) {
			t.Errorf("capability %s: got %q, want %q", query, names, want)
		}
	}
}

func (g *guide) checker(t *testing.T) {
	g.hub.Admin(t).Post("/users/nora", nil).Want(http.StatusCreated)
	for _, row := range []struct {
		user        string
		read, write bool
	}{{"ann", true, true}, {"rita", true, false}, {"nora", false, false}} {
		t.Run(row.user, func(t *testing.T) {
			token := passwordToken(t, g.hub, row.user)
			m := g.hub.Bearer(t, token).Get("/services/checker/").Want(http.StatusOK).Map()
			if m["name"] != row.user || m["read"] != row.read || m["write"] != row.write {
				t.Errorf("got %v, want read %v, write %v", m, row.read, row.write)
			}
			if m["own_server"] != true || m["other_server"] != false {
				t.Errorf("filters: %v", m)
			}
		})
	}
	g.hub.API(t, "").Get("/services/checker/").Want(http.StatusUnauthorized)
}

func (g *guide) restart(t *testing.T) {
	g.hub.API(t, "").Post("/services/monitoring/die", "{}") // the answer is the proxy's
	limit := 20 * time.Second
	if harness.Oracle() {
		limit = 70 * time.Second // it looks after its services once a minute
	}
	harness.Poll(t, limit, "the managed service to be started again", func() bool {
		return strings.Count(g.hub.Log(), "monitoring has started") >= 2 &&
			g.hub.API(t, "").Get("/services/monitoring/").Status == http.StatusOK
	})
}

// TestServiceKeys shows what start-up says about services that contradict themselves.
func TestServiceKeys(t *testing.T) {
	t.Parallel()
	harness.MinihubOnly(t, "it refuses the keys managed and capabilities")
	for name, row := range map[string]struct{ service, want string }{
		"managed without a command": {`{"name": "x", "managed": True, "url": "http://127.0.0.1:1"}`, "managed"},
		"a command, not managed":    {`{"name": "x", "managed": False, "command": ["true"]}`, "managed"},
		"capabilities are words":    {`{"name": "x", "capabilities": "data"}`, "capabilities"},
		"unknown key":               {`{"name": "x", "comand": ["true"]}`, "command"},
	} {
		t.Run(name, func(t *testing.T) {
			hub := harness.Prepare(t, harness.Options{Config: "c.JupyterHub.services += [" + row.service + "]"})
			hub.Launch(t)
			if code := hub.Process().ExitCode(t, 20*time.Second); code == 0 {
				t.Error("the hub ended with 0, want a start-up error")
			}
			if log := hub.Log(); !strings.Contains(log, row.want) || !strings.Contains(log, "JupyterHub.services") {
				t.Errorf("the message does not name %q:\n%s", row.want, log)
			}
		})
	}
}
