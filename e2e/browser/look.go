package browser

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/minihub/minihub/e2e/harness"
)

// Look looks at the page as it is, in both themes: axe-core must find no barrier (WCAG 2.2 AA) at the width of a desktop and of a phone,
// and nothing may be wider than the window. With MINIHUB_SCREENSHOTS=1 its four pictures go to docs/images.
func (tab *Tab) Look(name string) {
	tab.t.Helper()
	if harness.Oracle() {
		return
	}
	defer tab.window(1280, 900)
	for _, size := range []struct {
		name          string
		width, height int64
	}{{"", 1280, 900}, {"-phone", 375, 812}} {
		tab.window(size.width, size.height)
		for _, theme := range []string{"light", "dark"} {
			Eval[string](tab, fmt.Sprintf(`document.documentElement.setAttribute("data-bs-theme", %q), "done"`, theme))
			tab.axe(name + " (" + theme + size.name + ")")
			if wide, _ := Eval[int](tab, fmt.Sprintf(`document.documentElement.scrollWidth - %d`, size.width)); wide > 0 {
				which, _ := Eval[string](tab, fmt.Sprintf(`[...document.body.querySelectorAll("*")].filter(e => e.getBoundingClientRect().right > %d).map(e => e.outerHTML.slice(0, 120)).slice(-3).join(" | ")`, size.width))
				tab.t.Errorf("%s%s: the page is %d pixels wider than the window because of %s", name, size.name, wide, which)
			}
			if os.Getenv("MINIHUB_SCREENSHOTS") == "1" {
				file := name + size.name
				if theme == "dark" {
					file += "-dark"
				}
				tab.save(file)
			}
		}
	}
	Eval[string](tab, `document.documentElement.setAttribute("data-bs-theme", "light"), "done"`)
}

// window gives the page a size, and no transitions that would be in the pictures.
func (tab *Tab) window(width, height int64) {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, patience)
	defer cancel()
	_, err := chromedp.Call(ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: 1, Mobile: width < 600})
	if err == nil {
		_, err = chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-reduced-motion", Value: "reduce"}}})
	}
	if err != nil {
		tab.t.Fatalf("resize the window: %v", err)
	}
}

var axeSource = sync.OnceValues(func() ([]byte, error) {
	return os.ReadFile(filepath.Join(harness.Root(), ".cache", "npm-axe", "node_modules", "axe-core", "axe.min.js"))
})

// axe runs axe-core in the page. It comes through the DevTools protocol, so that the page's Content-Security-Policy stays as it is.
func (tab *Tab) axe(what string) {
	tab.t.Helper()
	source, err := axeSource()
	if err != nil {
		tab.t.Fatalf("axe-core is missing, scripts/setup.sh npm-axe installs it: %v", err)
	}
	Eval[bool](tab, "delete window.axeFound")
	harness.Poll(tab.t, patience, "axe-core to look at "+what, func() bool {
		state, _ := Eval[string](tab, `!("axe" in window) ? "missing" : window.axeFound === undefined ? "idle" : window.axeFound === null ? "busy" : "done"`)
		switch state { // a page that reloads itself meanwhile is looked at again
		case "missing":
			Eval[bool](tab, string(source)+"; true")
		case "idle":
			Eval[bool](tab, axeRun)
		}
		return state == "done"
	})
	text, _ := Eval[string](tab, "window.axeFound")
	var found []struct {
		ID    string
		Help  string
		Nodes []string
	}
	if err := json.Unmarshal([]byte(text), &found); err != nil {
		tab.t.Fatalf("what axe-core found on %s: %v: %s", what, err, text)
	}
	for _, v := range found {
		tab.t.Errorf("axe on %s: %s: %s\n  %s", what, v.ID, v.Help, strings.Join(v.Nodes, "\n  "))
	}
}

// axeRun starts axe-core; axeFound is null until it has ended.
const axeRun = `(window.axeFound = null, axe.run(document, {resultTypes: ["violations"], runOnly: {type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}})
	.then(r => { window.axeFound = JSON.stringify(r.violations.map(v => ({id: v.id, help: v.help, nodes: v.nodes.slice(0, 4).map(n => n.html.slice(0, 160) + " " + (n.any[0] || n.all[0] || n.none[0] || {}).message)}))) },
		e => { window.axeFound = JSON.stringify([{id: "axe", help: String(e), nodes: []}]) }), true)`

// save writes a picture into docs/images, with a palette of its own: a quarter of the size.
func (tab *Tab) save(name string) {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, patience)
	defer cancel()
	picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		tab.t.Fatalf("picture of %s: %v", name, err)
	}
	full, err := png.Decode(bytes.NewReader(picture))
	if err != nil {
		tab.t.Fatal(err)
	}
	var out bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	if err := encoder.Encode(&out, paletted(full)); err != nil {
		tab.t.Fatal(err)
	}
	dir := filepath.Join(harness.Root(), "docs", "images")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		tab.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), out.Bytes(), 0o644); err != nil {
		tab.t.Fatal(err)
	}
}

// paletted keeps the most frequent colours, which for pages are nearly all, and gives the others their nearest one.
func paletted(full image.Image) *image.Paletted {
	const colours = 128
	count := map[color.RGBA]int{}
	b := full.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			count[rgba(full, x, y)]++
		}
	}
	byCount := make([]color.RGBA, 0, len(count))
	for c := range count {
		byCount = append(byCount, c)
	}
	slices.SortFunc(byCount, func(a, b color.RGBA) int {
		if count[a] != count[b] {
			return count[b] - count[a]
		}
		return int(a.R)<<16 + int(a.G)<<8 + int(a.B) - int(b.R)<<16 - int(b.G)<<8 - int(b.B)
	})
	var palette color.Palette
	for _, c := range byCount[:min(colours, len(byCount))] {
		palette = append(palette, c)
	}
	out, nearest := image.NewPaletted(b, palette), map[color.RGBA]uint8{}
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			c := rgba(full, x, y)
			i, known := nearest[c]
			if !known {
				i = uint8(palette.Index(c))
				nearest[c] = i
			}
			out.SetColorIndex(x, y, i)
		}
	}
	return out
}

func rgba(full image.Image, x, y int) color.RGBA {
	r, g, b, _ := full.At(x, y).RGBA()
	return color.RGBA{R: uint8(r >> 8), G: uint8(g >> 8), B: uint8(b >> 8), A: 255}
}
