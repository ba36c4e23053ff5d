package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/minihub/minihub/e2e/harness"
)

// Tab is a tab of a browser that was started for it.
type Tab struct {
	t    testing.TB
	hub  *harness.Hub
	ctx  context.Context
	mu   sync.Mutex
	errs []string // uncaught exceptions
}

// patience is how long anything in a page may take: JupyterLab on two busy cores is slow.
const patience = 90 * time.Second

// executable is Debian's Chromium; MINIHUB_E2E_CHROMIUM names another.
func executable() string {
	if path := os.Getenv("MINIHUB_E2E_CHROMIUM"); path != "" {
		return path
	}
	return "/usr/bin/chromium"
}

// Open starts a browser with one empty tab, which is closed when the test ends.
func Open(t testing.TB, hub *harness.Hub) *Tab {
	t.Helper()
	profile := t.TempDir()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(executable()), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(profile),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-domain-reliability", true), chromedp.Flag("no-pings", true),
		chromedp.Flag("lang", "en-US"), chromedp.WindowSize(1280, 900),
	)
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(allocator)
	tab := &Tab{t: t, hub: hub, ctx: ctx}
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		stop()
		t.Fatalf("start the browser: %v", err)
	}
	console, dialogs := chromedp.Console(ctx), chromedp.Events(ctx, page.JavascriptDialogOpening)
	var readers sync.WaitGroup
	readers.Go(func() {
		for _, err := range dialogs {
			if err != nil {
				return
			}
			// a page that asks whether to leave it: yes
			_, _ = chromedp.Call(ctx, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: true})
		}
	})
	readers.Go(func() {
		for message, err := range console {
			if err != nil {
				return
			}
			if message.IsException() {
				tab.mu.Lock()
				tab.errs = append(tab.errs, fmt.Sprintf("%s (%s:%d)", message.Text, message.URL, message.Line))
				tab.mu.Unlock()
			}
		}
	})
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the tab is at %s and shows:\n%s", tab.URL(), tab.excerpt())
		}
		cancel()
		stop()
		readers.Wait()
		tab.checkErrors()
	})
	return tab
}

// Use makes the tab report to another test: a subtest of the one that opened it, for as long as the subtest runs.
func (tab *Tab) Use(t testing.TB) {
	before := tab.t
	tab.t = t
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the tab is at %s and shows:\n%s", tab.URL(), tab.excerpt())
		}
		tab.t = before
	})
}

// checkErrors fails the test for exceptions in scripts of the hub; JupyterLab's are not our subject.
func (tab *Tab) checkErrors() {
	if harness.Oracle() {
		return
	}
	for _, text := range tab.errs {
		if strings.Contains(text, "/hub/") {
			tab.t.Errorf("uncaught exception in the page: %s", text)
		}
	}
}

// do runs an action with the general patience.
func (tab *Tab) do(what string, actions ...chromedp.Action[chromedp.Void]) {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		tab.t.Fatalf("%s at %s: %v", what, tab.URL(), err)
	}
}

// Go opens a path of the hub. Where a page asks whether to leave it, the answer is yes.
func (tab *Tab) Go(path string) {
	tab.t.Helper()
	tab.do("open "+path, chromedp.Navigate(tab.hub.URL+path))
}

// Click clicks the first visible element of a CSS selector.
func (tab *Tab) Click(selector string) {
	tab.t.Helper()
	// A page that is alive may put another element in the place of the one that was found: that one is clicked then.
	for deadline := time.Now().Add(patience); ; {
		ctx, cancel := context.WithTimeout(tab.ctx, patience)
		_, err := chromedp.Run(ctx, chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible))
		cancel()
		if err == nil {
			return
		}
		if !strings.Contains(err.Error(), "Could not find node") || time.Now().After(deadline) {
			tab.t.Fatalf("click %s at %s: %v", selector, tab.URL(), err)
		}
	}
}

// ClickWith clicks with a modifier key held down.
func (tab *Tab) ClickWith(selector string, modifier chromedp.Modifier) {
	tab.t.Helper()
	tab.WaitFor(selector)
	at, _ := Eval[[]float64](tab, fmt.Sprintf(`(e => (e.scrollIntoView({block: "center"}), (r => [r.x + r.width / 2, r.y + r.height / 2])(e.getBoundingClientRect())))(document.querySelector(%s))`, quote(selector)))
	if len(at) != 2 {
		tab.t.Fatalf("%s has no place", selector)
	}
	tab.do("click "+selector, chromedp.MouseClickXY(at[0], at[1], chromedp.ButtonModifiers(modifier)))
}

// ClickText clicks the first element of a selector that has exactly this text.
func (tab *Tab) ClickText(selector, text string) {
	tab.t.Helper()
	tab.Wait(fmt.Sprintf("%q among %s", text, selector), fmt.Sprintf(`(e => e && (document.querySelectorAll("[data-wanted]").forEach(x => delete x.dataset.wanted), e.dataset.wanted = "1"))(
		Array.from(document.querySelectorAll(%s)).find(e => e.innerText.trim() === %s))`, quote(selector), quote(text)))
	tab.Click("[data-wanted]")
}

// Upload chooses a file.
func (tab *Tab) Upload(selector, path string) {
	tab.t.Helper()
	tab.do("choose "+path, chromedp.SetUploadFiles(chromedp.CSS(selector), []string{path}))
}

// Type types into a field, in place of what it holds.
func (tab *Tab) Type(selector, text string) {
	tab.t.Helper()
	tab.WaitFor(selector)
	tab.Wait("the focus in "+selector, fmt.Sprintf("(e => (e.focus(), e.select(), document.activeElement === e))(document.querySelector(%s))", quote(selector)))
	if text == "" {
		text = kb.Backspace
	}
	tab.Keys(text)
}

// Keys types where the focus is.
func (tab *Tab) Keys(text string, options ...chromedp.KeyOption) {
	tab.t.Helper()
	tab.do("type", chromedp.KeyEvent(text, options...))
}

// Eval evaluates JavaScript in the page; the second result is false when the page could not answer, for example
// because it is being replaced.
func Eval[T any](tab *Tab, script string) (T, bool) {
	ctx, cancel := context.WithTimeout(tab.ctx, 10*time.Second)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](script))
	return value, err == nil
}

// Wait polls a JavaScript condition until it is true; what says what is waited for.
func (tab *Tab) Wait(what, condition string) {
	tab.t.Helper()
	harness.Poll(tab.t, patience, what, func() bool {
		value, ok := Eval[bool](tab, "Boolean("+condition+")")
		return ok && value
	})
}

// WaitFor waits until an element is visible.
func (tab *Tab) WaitFor(selector string) {
	tab.t.Helper()
	tab.Wait("an element "+selector, fmt.Sprintf("(e => e && e.getClientRects().length)(document.querySelector(%s))", quote(selector)))
}

// WaitText waits until the page, or the elements of a selector, show a text.
func (tab *Tab) WaitText(selector, text string) {
	tab.t.Helper()
	tab.Wait(fmt.Sprintf("%q in %s", text, selector), fmt.Sprintf(
		"Array.from(document.querySelectorAll(%s)).some(e => e.innerText && e.innerText.includes(%s))", quote(selector), quote(text)))
}

// WaitPath waits until the tab is at a path that starts with prefix.
func (tab *Tab) WaitPath(prefix string) {
	tab.t.Helper()
	tab.Wait("the path "+prefix, fmt.Sprintf("document.readyState == 'complete' && location.pathname.startsWith(%s)", quote(prefix)))
}

// Exists tells whether an element is there now.
func (tab *Tab) Exists(selector string) bool {
	found, _ := Eval[bool](tab, fmt.Sprintf("document.querySelector(%s) !== null", quote(selector)))
	return found
}

// URL is where the tab is.
func (tab *Tab) URL() *url.URL {
	text, _ := Eval[string](tab, "location.href")
	u, err := url.Parse(text)
	if err != nil {
		return &url.URL{}
	}
	return u
}

// Login fills the login form, which the tab must show.
func (tab *Tab) Login(user, password string) {
	tab.t.Helper()
	tab.hub.Secret(password)
	tab.Type("input[name=username]", user)
	tab.Type("input[name=password]", password)
	tab.Keys("\r")
	tab.Wait("the login to be over", "document.readyState == 'complete' && location.pathname != '/hub/login'")
}

// excerpt is the beginning of what the page shows.
func (tab *Tab) excerpt() string {
	text, _ := Eval[string](tab, "document.body ? document.body.innerText.slice(0, 1500) : ''")
	return text
}

// quote makes a JavaScript string.
func quote(text string) string {
	data, _ := json.Marshal(text)
	return string(data)
}
