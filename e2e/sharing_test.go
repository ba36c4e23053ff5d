//go:build e2e

package e2e

import (
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/minihub/minihub/e2e/harness"
)

// quickChecks make a server ask the hub about its visitors every second; by default it believes an answer for five minutes.
const quickChecks = "--Spawner.args=['--allow-root', '--HubOAuth.cache_max_age=1']"

// TestExampleUserSharing runs the notebook share-api.ipynb, cell by cell, in the sharer's own kernel with the server's token; between
// the cells another user follows the link, works in the server, and is out again.
func TestExampleUserSharing(t *testing.T) {
	t.Parallel()
	hub := harness.Start(t, harness.Options{Example: "user-sharing", Args: []string{quickChecks}})
	sharer := hub.API(t, passwordToken(t, hub, "sharer"))
	sharer.StartServerOf("sharer", "")
	refused(t, hub.Browse(t), "before")

	notebook := openNotebook(t, hub, sharer, "/user/sharer/", "share-api.ipynb")
	notebook.runTo(t, "display(\n")
	link := notebook.ask(t, `print(full_accept_url, end="")`)
	if !strings.HasPrefix(link, "/hub/accept-share?code=") {
		t.Fatalf("the kernel's share code: %s", link)
	}
	hub.Secret(strings.TrimPrefix(link, "/hub/accept-share?code="))
	if got := notebook.ask(t, `print(code_info["scopes"], code_info["exchange_count"], code_info["id"][:3], end="")`); got != "['access:servers!server=sharer/'] 0 sc_" {
		t.Errorf("the code: %s", got)
	}

	guest := hub.Browse(t)
	page := guest.Visit(link+"&next="+url.QueryEscape("/user/sharer/lab"), "shared-with")
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

	// the rest of the notebook: who has access, a link to this notebook, the codes
	notebook.runTo(t, "session.delete(share_codes_url + f")
	if got := notebook.ask(t, `print(this_notebook_accept_url, end="")`); got != link+"&next="+url.QueryEscape("/user/sharer/lab/tree/share-api.ipynb") {
		t.Errorf("link to the notebook: %s", got)
	}
	const shares = `print([(s["kind"], s["user"]["name"], s["scopes"]) for s in session.get(shares_url).json()["items"]], end="")`
	if got := notebook.ask(t, shares); got != "[('user', 'shared-with', ['access:servers!server=sharer/'])]" {
		t.Errorf("shares: %s", got)
	}
	if page := guest.Get(link); page.Status != http.StatusNotFound {
		t.Errorf("a deleted code: status %d, want 404", page.Status)
	}
	if page := guest.Get("/user/sharer/api/contents"); page.Status != http.StatusOK {
		t.Errorf("without the code the share stays: status %d at %s", page.Status, page.URL)
	}
	notebook.runTo(t, "session.post(share_codes_url, data=json.dumps(options))")
	const codes = `print([(c["scopes"], c["exchange_count"], "code" in c) for c in session.get(share_codes_url).json()["items"]], end="")`
	if got := notebook.ask(t, codes); got != "[(['access:servers!server=sharer/', 'servers!server=sharer/', 'shares!server=sharer/'], 0, False)]" {
		t.Errorf("codes: %s", got)
	}

	// the notebook takes away everything: a new visit is refused at once, and the session that is open ends
	notebook.runTo(t, "")
	if got := notebook.ask(t, shares); got != "[]" {
		t.Errorf("shares after all was revoked: %s", got)
	}
	refused(t, hub.Browse(t), "after revoking")
	harness.Poll(t, 60*time.Second, "the open session to end", func() bool {
		return guest.Get("/user/sharer/api/contents").Status == http.StatusForbidden
	})
	refused(t, guest, "with the old session")
}

// refused visits the sharer's server as the guest, who may not.
func refused(t *testing.T, browser *harness.Client, when string) {
	t.Helper()
	page := browser.Visit("/user/sharer/lab", "shared-with")
	if page.Status != http.StatusForbidden && page.Status != http.StatusNotFound {
		t.Errorf("%s: status %d at %s, want a refusal", when, page.Status, page.URL)
	}
}

// TestShareByName shares a server with a user and a group by their names, over REST, and follows what that is worth: the list of what
// is shared with one, leaving, and the rename of everybody concerned.
func TestShareByName(t *testing.T) {
	t.Parallel()
	hub := harness.Start(t, harness.Options{Args: []string{quickChecks}, Config: `
c.JupyterHub.load_groups = {"crew": {"users": ["queequeg"]}}
c.JupyterHub.load_roles += [{"name": "user", "scopes": ["self", "shares!user", "read:users:name", "read:groups:name"]}]
`})
	admin := hub.Admin(t)
	admin.Post("/users", map[string]any{"usernames": []string{"ahab", "ishmael"}}).Want(http.StatusCreated)
	owner := hub.API(t, passwordToken(t, hub, "ahab"))
	owner.StartServerOf("ahab", "")
	guest, crew := hub.API(t, passwordToken(t, hub, "ishmael")), hub.API(t, passwordToken(t, hub, "queequeg"))
	reaches := func(api *harness.API, want int) {
		t.Helper()
		harness.Poll(t, 60*time.Second, http.StatusText(want)+" for the server of ahab", func() bool {
			return api.Get("/user/ahab/api/contents").Status == want
		})
	}
	reaches(guest, http.StatusForbidden)

	owner.Post("/shares/ahab/", map[string]any{"user": "ishmael"}).Want(http.StatusOK)
	owner.Post("/shares/ahab/", map[string]any{"group": "crew"}).Want(http.StatusOK)
	reaches(guest, http.StatusOK)
	reaches(crew, http.StatusOK)
	for who, api := range map[string]*harness.API{"ishmael": guest, "queequeg": crew} {
		items, _ := api.Get("/users/" + who + "/shared").Want(http.StatusOK).Map()["items"].([]any)
		if len(items) != 1 {
			t.Errorf("shared with %s: %v", who, items)
		}
	}

	// a new name changes nothing of it
	admin.Do(http.MethodPatch, "/users/ishmael", map[string]any{"name": "narrator"}).Want(http.StatusOK)
	reaches(guest, http.StatusOK)
	guest.Get("/users/narrator/shared/ahab/").Want(http.StatusOK)

	guest.Delete("/users/narrator/shared/ahab/", nil).Want(http.StatusNoContent)
	reaches(guest, http.StatusForbidden)
	guest.Get("/users/narrator/shared/ahab/").Want(http.StatusNotFound)
	owner.Do(http.MethodPatch, "/shares/ahab/", map[string]any{"group": "crew"}).Want(http.StatusOK)
	reaches(crew, http.StatusForbidden)
	if items, _ := owner.Get("/shares/ahab/").Want(http.StatusOK).Map()["items"].([]any); len(items) != 0 {
		t.Errorf("left over: %v", items)
	}
}

// notebook is a notebook file of an example with a kernel to run it.
type notebook struct {
	cells  []string
	next   int
	kernel *harness.Kernel
}

// openNotebook reads a notebook from the server that shows it, and starts a kernel there.
func openNotebook(t *testing.T, hub *harness.Hub, api *harness.API, server, name string) *notebook {
	t.Helper()
	n := &notebook{cells: harness.CodeCells(t, filepath.Join(hub.Dir, name)), kernel: api.OpenKernel(server)}
	t.Cleanup(n.kernel.Close)
	return n
}

// runTo runs the next cells as they are, up to the first one with a text in it, or all.
func (n *notebook) runTo(t *testing.T, text string) {
	t.Helper()
	for n.next < len(n.cells) {
		cell := n.cells[n.next]
		n.next++
		if out := n.kernel.Run(cell); strings.Contains(out, "Error") || strings.Contains(out, "<Response [4") || strings.Contains(out, "<Response [5") {
			t.Fatalf("cell\n%s\ngave %s", cell, out)
		}
		if text != "" && strings.Contains(cell, text) {
			return
		}
	}
	if text != "" {
		t.Fatalf("no cell has %q", text)
	}
}

// ask runs a line that is not in the notebook, and gives what it prints.
func (n *notebook) ask(t *testing.T, code string) string {
	t.Helper()
	return n.kernel.Run(code)
}
