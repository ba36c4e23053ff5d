package browser

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/minihub/minihub/e2e/harness"
)

// WaitLab waits until JupyterLab is there and usable.
func (tab *Tab) WaitLab() {
	tab.t.Helper()
	tab.WaitFor(".jp-LauncherCard")
	tab.Wait("the splash screen to go", "!document.querySelector('#jupyterlab-splash')")
}

// RunCell opens a new notebook from the launcher, types code into its first cell, runs it, and waits until an output
// of the cell is the wanted text. The notebook is then saved into the user's home.
func (tab *Tab) RunCell(code, output, home string) {
	tab.t.Helper()
	tab.Click(`.jp-LauncherCard[data-category="Notebook"]`)
	tab.WaitFor(".jp-NotebookPanel .jp-Cell .cm-content")
	// the status bar says so when the kernel has answered over its WebSocket; run before that, a cell is lost
	tab.WaitText("#jp-main-statusbar", "| Idle")
	// the notebook takes the focus away while it is settling, so look whether the code has arrived
	harness.Poll(tab.t, patience, "the code to be in the cell", func() bool {
		typed, _ := Eval[string](tab, `document.querySelector(".jp-NotebookPanel .jp-Cell .cm-content").innerText.trim()`)
		if typed == "" {
			tab.Click(".jp-NotebookPanel .jp-Cell .cm-content")
			if focused, _ := Eval[bool](tab, `document.activeElement.closest(".jp-Cell .cm-content") !== null`); focused {
				tab.Keys(code)
			}
		}
		return typed == code
	})
	tab.Click(`.jp-NotebookPanel-toolbar [data-command="notebook:run-cell-and-select-next"]`)
	tab.WaitText(".jp-NotebookPanel .jp-OutputArea-output", output)
	// save it, as a page with unsaved work asks before it lets go
	tab.Click(`.jp-NotebookPanel-toolbar [data-command="docmanager:save"]`)
	harness.Poll(tab.t, patience, "the notebook to be saved with its output", func() bool {
		if tab.Exists(".jp-Dialog .jp-mod-accept") { // the first time it asks for a name
			tab.Click(".jp-Dialog .jp-mod-accept")
			tab.Wait("the dialog to go", "!document.querySelector('.jp-Dialog')")
		}
		data, _ := os.ReadFile(filepath.Join(home, "Untitled.ipynb"))
		return strings.Contains(string(data), output)
	})
}

// RunInTerminal opens a terminal from a new launcher and types a command, which makes the file given by its name in
// home; the file is what is waited for, as a terminal draws its text on a canvas.
func (tab *Tab) RunInTerminal(t testing.TB, command, home, file string) string {
	t.Helper()
	tab.Go(tab.labPath() + "?reset")
	tab.WaitLab()
	tab.Click(`.jp-LauncherCard[data-category="Other"][title*="terminal"]`)
	tab.WaitFor(".jp-Terminal .xterm-helper-textarea, .jp-Terminal .xterm-screen")
	tab.Wait("the prompt of the shell", `document.activeElement.closest(".jp-Terminal") !== null`)
	path := filepath.Join(home, file)
	var text []byte
	// pasted, as the terminal takes each key that the DevTools protocol presses for two
	Eval[bool](tab, `(() => {
		const clipboard = new DataTransfer();
		clipboard.setData("text/plain", `+quote(command)+`);
		return document.activeElement.dispatchEvent(new ClipboardEvent("paste", {clipboardData: clipboard, bubbles: true}));
	})()`)
	tab.Keys("\r")
	harness.Poll(t, patience, "what the terminal writes into "+file, func() bool {
		text, _ = os.ReadFile(path)
		return len(text) > 0
	})
	return string(text)
}

// labPath is the path of JupyterLab in the server that the tab is in: /user/NAME/lab or /user/NAME/SERVER/lab.
func (tab *Tab) labPath() string {
	path, _ := Eval[string](tab, `location.pathname.replace(/\/lab.*$/, "/lab")`)
	return path
}
