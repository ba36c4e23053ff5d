package browser

import (
	"context"
	"fmt"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// InBackground starts a request by JavaScript, such as fetch("/hub/logout"), and waits until it is answered: what another tab of the same
// browser does while this one shows its page.
func (tab *Tab) InBackground(request string) {
	tab.t.Helper()
	if _, ok := Eval[bool](tab, "window.inBackground = false; "+request+".then(() => { window.inBackground = true }); true"); !ok {
		tab.t.Fatalf("the page could not run %s", request)
	}
	tab.Wait("the answer to a request in the background", "window.inBackground")
}

// WithoutScripts makes the tab ignore the scripts of pages from now on, as a browser does in which JavaScript is off. What tests evaluate
// still runs.
func (tab *Tab) WithoutScripts() {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, patience)
	defer cancel()
	_, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	if err != nil {
		tab.t.Fatalf("switch JavaScript off: %v", err)
	}
}

// WatchPolicy makes every page of the tab remember what its Content-Security-Policy refused.
func (tab *Tab) WatchPolicy() {
	tab.t.Helper()
	const script = `window.refusedByPolicy = []; document.addEventListener("securitypolicyviolation",
		e => window.refusedByPolicy.push(e.violatedDirective + " " + e.blockedURI + " " + e.sourceFile + ":" + e.lineNumber + " " + e.sample))`
	ctx, cancel := context.WithTimeout(tab.ctx, patience)
	defer cancel()
	_, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
	if err != nil {
		tab.t.Fatalf("watch the policy: %v", err)
	}
}

// CheckPolicy fails the test when the policy of the page that the tab shows refused something.
func (tab *Tab) CheckPolicy() {
	tab.t.Helper()
	if refused, ok := Eval[string](tab, `(window.refusedByPolicy || ["is not watched"]).join("\n")`); !ok || refused != "" {
		tab.t.Errorf("at %s the Content-Security-Policy refused: %s", tab.URL(), refused)
	}
}

// CheckNoOverflow fails the test when the page is wider than the window of that width, so that it has to be moved sideways.
func (tab *Tab) CheckNoOverflow(width int64) {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, patience)
	defer cancel()
	_, err := chromedp.Call(ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: 800, DeviceScaleFactor: 1})
	if err != nil {
		tab.t.Fatalf("make the window narrow: %v", err)
	}
	if wide, ok := Eval[int64](tab, "document.documentElement.scrollWidth"); !ok || wide > width {
		tab.t.Errorf("%s is %d pixels wide in a window of %d", tab.URL(), wide, width)
	}
	_, err = chromedp.Call(ctx, emulation.ClearDeviceMetricsOverride, chromedp.Void{})
	if err != nil {
		tab.t.Fatal(fmt.Errorf("make the window wide again: %w", err))
	}
}
