//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/minihub/minihub/e2e/harness"
)

// TestServerTokenReachesService answers a question that comes up in the forum: how does code in a notebook call a
// service? By extending the role "server" with access to the service; then the kernel's JUPYTERHUB_API_TOKEN works.
func TestServerTokenReachesService(t *testing.T) {
	t.Parallel()
	hub := harness.Start(t, harness.Options{Config: fmt.Sprintf(`
import sys
c.JupyterHub.services += [
    {"name": name, "url": "http://127.0.0.1:%%d" %% port, "command": [sys.executable, %q]}
    for name, port in [("grading-service", %d), ("other-service", %d)]
]
c.JupyterHub.load_roles += [
    {"name": "user", "scopes": ["self", "access:services"]},
    {"name": "server", "scopes": ["users:activity!user", "access:servers!server", "access:services!service=grading-service"]},
]
`, harness.Testdata("grading_service.py"), harness.FreePort(t), harness.FreePort(t))})
	serviceUp(t, hub, "grading-service")
	serviceUp(t, hub, "other-service")
	admin := hub.Admin(t)
	admin.StartServer("ann", "")

	out := admin.RunInKernel("/user/ann/", fmt.Sprintf(`
import json, os, requests
headers = {"Authorization": f"token {os.environ['JUPYTERHUB_API_TOKEN']}"}
api, hub = os.environ["JUPYTERHUB_API_URL"], %q
def answer(r):
    try:
        body = r.json()
    except ValueError:
        body = r.text
    return {"status": r.status_code, "body": body}
print(json.dumps({
    "user": answer(requests.get(f"{api}/user", headers=headers)),
    "get": answer(requests.get(f"{hub}/services/grading-service/", headers=headers)),
    "post": answer(requests.post(f"{hub}/services/grading-service/", headers=headers, json={"grade": 1})),
    "other": answer(requests.get(f"{hub}/services/other-service/", headers=headers)),
    "other post": answer(requests.post(f"{hub}/services/other-service/", headers=headers, json={"grade": 1})),
    "users": answer(requests.get(f"{api}/users", headers=headers)),
}))`, hub.URL))
	type reply struct {
		Status int
		Body   json.RawMessage
	}
	var got map[string]reply
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("the kernel's output: %v\n%s", err, out)
	}

	t.Run("who am I", func(t *testing.T) {
		var user map[string]any
		if err := json.Unmarshal(got["user"].Body, &user); err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"kind", "name", "groups", "admin", "last_activity", "session_id", "scopes"} {
			if _, there := user[key]; !there && !(key == "last_activity" && user["last_activity"] == nil) {
				t.Errorf("the model lacks %s: %v", key, user)
			}
		}
		if user["name"] != "ann" || user["kind"] != "user" || user["session_id"] != nil {
			t.Errorf("model: %v", user)
		}
		wantScopes := []string{"access:servers!server=ann/", "access:services!service=grading-service",
			"read:users:groups!user=ann", "read:users:name!user=ann", "users:activity!user=ann", "read:users:activity!user=ann"}
		for _, scope := range wantScopes {
			if !strings.Contains(strings.Join(list(user["scopes"]), " "), scope) {
				t.Errorf("scopes lack %s: %q", scope, list(user["scopes"]))
			}
		}
	})
	t.Run("the granted service", func(t *testing.T) {
		if got["get"].Status != http.StatusOK || string(got["get"].Body) != `{"hello": "ann"}` {
			t.Errorf("GET: %d %s", got["get"].Status, got["get"].Body)
		}
		// a token needs no _xsrf
		if got["post"].Status != http.StatusOK || string(got["post"].Body) != `{"graded": {"grade": 1}}` {
			t.Errorf("POST: %d %s", got["post"].Status, got["post"].Body)
		}
	})
	t.Run("the other service", func(t *testing.T) {
		for _, method := range []string{"other", "other post"} {
			if got[method].Status != http.StatusForbidden {
				t.Errorf("%s: status %d, want 403", method, got[method].Status)
			}
		}
	})
	t.Run("a refusal explains itself", func(t *testing.T) {
		r := got["users"]
		if r.Status != http.StatusForbidden {
			t.Fatalf("GET /users: status %d, want 403", r.Status)
		}
		if strings.Contains(string(r.Body), "_xsrf") {
			t.Errorf("xsrf is not the reason here: %s", r.Body)
		}
		if harness.Oracle() {
			return // no hint there
		}
		var refusal struct{ Message, Hint string }
		if err := json.Unmarshal(r.Body, &refusal); err != nil {
			t.Fatal(err)
		}
		for _, part := range []string{"list:users", "access:services!service=grading-service", "load_roles"} {
			if !strings.Contains(refusal.Hint, part) {
				t.Errorf("the hint does not name %s: %q", part, refusal.Hint)
			}
		}
		log := hub.Log()
		if !strings.Contains(log, "list:users") {
			t.Error("the log does not name the scope that was missing")
		}
	})
}
