package web_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestBothDarkThemesAgree: the dark colours stand in the style sheet twice, for those who chose them and for those whose system did.
func TestBothDarkThemesAgree(t *testing.T) {
	css := string(need(os.ReadFile("style/10-tokens.css")))
	block := func(selector string) string {
		_, rest, found := strings.Cut(css, selector+" {")
		body, _, closed := strings.Cut(rest, "}")
		if !found || !closed {
			t.Fatalf("there is no block %s", selector)
		}
		return strings.TrimSpace(regexp.MustCompile(`\s+`).ReplaceAllString(body, " "))
	}
	chosen, system := block(`:root[data-bs-theme="dark"]`), block(`:root:not([data-bs-theme])`)
	if chosen != system {
		t.Errorf("chosen: %s\nby the system: %s", chosen, system)
	}
	property := regexp.MustCompile(`--[a-z0-9-]+:`)
	light := block(":root")
	for _, name := range property.FindAllString(light, -1) {
		if !strings.Contains(chosen, name) && !strings.HasPrefix(name, "--radius") && !strings.HasPrefix(name, "--font") && !strings.HasPrefix(name, "--mono") {
			t.Errorf("%s has no dark value", name)
		}
	}
}
