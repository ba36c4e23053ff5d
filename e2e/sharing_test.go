//go:build e2e

package e2e

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/minihub/minihub/e2e/harness"
)

// TestExampleUserSharing does what the notebook share-api.ipynb does, in the sharer's own kernel with the server's
// token, and accepts the share as another user.
func TestExampleUserSharing(t *testing.T) {
	t.Parallel()
	hub := harness.Start(t, harness.Options{Example: "user-sharing", Args: allowRoot})
	sharer := hub.API(t, passwordToken(t, hub, "sharer"))
	sharer.StartServerOf("sharer", "")

	t.Run("before", func(t *testing.T) {
		page := hub.Browse(t).Visit("/user/sharer/lab", "shared-with")
		if page.Status != http.StatusForbidden && page.Status != http.StatusNotFound {
			t.Errorf("a stranger's visit: status %d at %s, want a refusal", page.Status, page.URL)
		}
	})
	// the kernel of the sharer has $JUPYTERHUB_API_TOKEN with shares!server
	out := sharer.RunInKernel("/user/sharer/", `
import json, os, urllib.request
api = os.environ["JUPYTERHUB_API_URL"]
def call(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(api + path, data, method=method)
    request.add_header("Authorization", "token " + os.environ["JUPYTERHUB_API_TOKEN"])
    with urllib.request.urlopen(request) as answer:
        return answer.status, json.loads(answer.read() or b"null")
assert call("GET", "/shares/sharer/")[1]["items"] == [], "shares"
status, code = call("POST", "/share-codes/sharer/", {})
assert status in (200, 201), status
assert code["scopes"] == ["access:servers!server=sharer/"], code
assert code["exchange_count"] == 0 and code["id"].startswith("sc_"), code
print(code["accept_url"], end="")
`)
	if !strings.HasPrefix(out, "/hub/accept-share?code=") {
		t.Fatalf("the kernel's share code: %s", out)
	}
	hub.Secret(strings.TrimPrefix(out, "/hub/accept-share?code="))

	guest := hub.Browse(t)
	page := guest.Visit(out+"&next="+url.QueryEscape("/user/sharer/lab"), "shared-with")
	if page.URL.Path != "/hub/accept-share" || !strings.Contains(page.Body, "sharer") {
		t.Fatalf("accept page: status %d at %s\n%s", page.Status, page.URL, page.Text())
	}
	page = guest.Submit(page, page.Form(t, "code"))
	if page.URL.Path == "/hub/api/oauth2/authorize" {
		page = guest.Submit(page, page.Form(t, "scopes"))
	}
	if page.URL.Path != "/user/sharer/lab" || page.Status != http.StatusOK {
		t.Fatalf("after accepting: status %d at %s\n%s", page.Status, page.URL, page.Text())
	}

	// who has access now, and how often the code was used
	shares := sharer.Get("/shares/sharer/").Want(http.StatusOK).Map()
	items, _ := shares["items"].([]any)
	if len(items) != 1 {
		t.Fatalf("shares: %v", shares)
	}
	share := items[0].(map[string]any)
	if name := share["user"].(map[string]any)["name"]; name != "shared-with" || share["kind"] != "user" {
		t.Errorf("share: %v", share)
	}
	codes := sharer.Get("/share-codes/sharer/").Want(http.StatusOK).Map()["items"].([]any)
	if got := codes[0].(map[string]any); got["exchange_count"] != float64(1) || got["code"] != nil {
		t.Errorf("the code in the list, which must not show itself: %v", got)
	}

	// a used code works again until it is deleted; then it is unknown
	id := codes[0].(map[string]any)["id"].(string)
	sharer.Delete("/share-codes/sharer/?id="+id, nil).Want(http.StatusNoContent)
	if page := guest.Get(out); page.Status != http.StatusNotFound {
		t.Errorf("a deleted code: status %d, want 404", page.Status)
	}
	sharer.Do(http.MethodPatch, "/shares/sharer/", map[string]any{"user": "shared-with"}).Want(http.StatusOK)
	if items := sharer.Get("/shares/sharer/").Map()["items"].([]any); len(items) != 0 {
		t.Errorf("after revoking: %v", items)
	}
	page = hub.Browse(t).Visit("/user/sharer/lab", "shared-with")
	if page.Status != http.StatusForbidden && page.Status != http.StatusNotFound {
		t.Errorf("after revoking: status %d at %s, want a refusal", page.Status, page.URL)
	}
}
