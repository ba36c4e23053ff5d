package metrics_test

import (
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/minihub/minihub/internal/metrics"
)

func scrape(t *testing.T, m *metrics.Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	b, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestNamesAndLabelsAreJupyterHubs(t *testing.T) {
	m := metrics.New(metrics.Options{})
	m.Request("GET", "jupyterhub.apihandlers.users.SelfAPIHandler", 200, time.Millisecond)
	m.Spawned(3*time.Second, "success", "")
	m.Spawned(0, "failure", "throttled")
	m.Stopped(time.Second, true)
	m.Polled(time.Millisecond, true)
	m.Polled(time.Millisecond, false)
	m.RouteAdded(time.Millisecond, true)
	m.RouteDeleted(time.Millisecond, false)
	m.LoggedIn(time.Millisecond, true)
	m.LoggedIn(time.Millisecond, false)
	m.LoggedOut(time.Millisecond)
	m.CheckedRoutes(time.Millisecond)
	m.PolledProxy(time.Millisecond)
	m.StartedUp(time.Millisecond)
	m.RestoredServers(time.Millisecond)
	m.Running(4)
	m.SetUsers(10)
	m.AddUsers(-1)
	m.SetActiveUsers("24h", 7)
	m.CSPReport()
	text := scrape(t, m)
	for _, want := range []string{
		`jupyterhub_request_duration_seconds_count{code="200",handler="jupyterhub.apihandlers.users.SelfAPIHandler",method="GET"} 1`,
		`jupyterhub_server_spawn_duration_seconds_bucket{reason="",status="success",le="5"} 1`,
		`jupyterhub_server_spawn_duration_seconds_bucket{reason="",status="success",le="2.5"} 0`,
		`jupyterhub_server_spawn_duration_seconds_count{reason="throttled",status="failure"} 1`,
		`jupyterhub_server_stop_seconds_count{status="success"} 1`,
		`jupyterhub_server_poll_duration_seconds_count{status="ServerPollStatus.running"} 1`,
		`jupyterhub_server_poll_duration_seconds_count{status="ServerPollStatus.stopped"} 1`,
		`jupyterhub_proxy_add_duration_seconds_count{status="success"} 1`,
		`jupyterhub_proxy_delete_duration_seconds_count{status="failure"} 1`,
		`jupyterhub_login_duration_seconds_count{status="LoginStatus.success"} 1`,
		`jupyterhub_login_duration_seconds_count{status="LoginStatus.failure"} 1`,
		`jupyterhub_logout_duration_seconds_count 1`,
		`jupyterhub_check_routes_duration_seconds_count 1`,
		`jupyterhub_proxy_poll_duration_seconds_count 1`,
		`jupyterhub_hub_startup_duration_seconds_count 1`,
		`jupyterhub_init_spawners_duration_seconds_count 1`,
		`jupyterhub_running_servers 4`,
		`jupyterhub_total_users 9`,
		`jupyterhub_active_users{period="24h"} 7`,
		`jupyterhub_csp_reports_total 1`,
		`process_open_fds `,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("missing line %s", want)
		}
	}
}

func TestPrefixAndBucketsCanBeSet(t *testing.T) {
	m := metrics.New(metrics.Options{Prefix: "lab", SpawnBuckets: []float64{1, 100}})
	m.Spawned(50*time.Second, "success", "")
	text := scrape(t, m)
	if !strings.Contains(text, `lab_server_spawn_duration_seconds_bucket{reason="",status="success",le="100"} 1`) {
		t.Errorf("own bucket missing in %s", text)
	}
	if strings.Contains(text, "jupyterhub_") {
		t.Error("a metric does not have the configured prefix")
	}
}
