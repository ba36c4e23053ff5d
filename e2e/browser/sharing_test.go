//go:build e2e

package browser

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/minihub/minihub/e2e/harness"
)

// TestSharingFromJupyterLab runs the cells of share-jupyterlab.ipynb in JupyterLab's page, as an extension of JupyterLab would: with the
// OAuth token of the person who looks at it. In another browser the link is followed by a click, and leads into JupyterLab.
func TestSharingFromJupyterLab(t *testing.T) {
	t.Parallel()
	hub := harness.Start(t, harness.Options{Example: "user-sharing", Args: []string{"--Spawner.args=--allow-root"}})
	cells := harness.CodeCells(t, filepath.Join(hub.Dir, "share-jupyterlab.ipynb"))
	if len(cells) != 6 {
		t.Fatalf("%d cells; the texts below fit to 6", len(cells))
	}
	sharer := Open(t, hub)
	sharer.Go("/hub/spawn")
	sharer.Login("sharer", harness.Password)
	sharer.WaitPath("/user/sharer/lab")
	sharer.WaitFor("#jp-main-dock-panel")
	run := func(cell int, shows string) string {
		t.Helper()
		return sharer.runScript(t, cells[cell], shows)
	}
	run(0, "/hub/api/share-codes/sharer/")
	text := run(1, "/hub/accept-share?code=")
	link := text[strings.Index(text, "/hub/accept-share?code="):]
	hub.Secret(strings.TrimPrefix(link, "/hub/accept-share?code="))

	guest := Open(t, hub)
	guest.Go(link)
	guest.Login("shared-with", harness.Password)
	guest.WaitPath("/hub/accept-share")
	guest.WaitText("body", "sharer")
	guest.Click("form:has(input[name=code]) [type=submit]")
	guest.Wait("the consent page or JupyterLab", "document.readyState == 'complete' && location.pathname != '/hub/accept-share'")
	if guest.URL().Path == "/hub/api/oauth2/authorize" {
		guest.Click("form:has(input[name=scopes]) [type=submit]")
	}
	guest.WaitPath("/user/sharer/lab")
	guest.WaitFor("#jp-main-dock-panel")

	run(2, "user shared-with has access: access:servers!server=sharer/")
	run(3, `"exchange_count": 1`)
	run(4, "Deleted all share codes")
	run(5, "Deleted all shared access")
	page := hub.Browse(t).Visit("/user/sharer/lab", "shared-with")
	if page.Status != http.StatusForbidden && page.Status != http.StatusNotFound {
		t.Errorf("after all was revoked: status %d at %s", page.Status, page.URL)
	}
}

// runScript runs a cell with the magic %%javascript in the page, and gives what it shows as soon as that has a text in it.
func (tab *Tab) runScript(t *testing.T, cell, shows string) string {
	t.Helper()
	script, is := strings.CutPrefix(cell, "%%javascript\n")
	if !is {
		t.Fatalf("no cell in JavaScript: %s", cell)
	}
	Eval[bool](tab, fmt.Sprintf(`window.cellOutput = document.createElement("div"),
		document.body.appendChild(cellOutput), new Function("element", %s)(cellOutput), true`, quote(script)))
	tab.Wait(fmt.Sprintf("the cell to show %q", shows), fmt.Sprintf("window.cellOutput.textContent.includes(%s)", quote(shows)))
	text, _ := Eval[string](tab, "window.cellOutput.textContent")
	return text
}
