//go:build !cgo

package app_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/minihub/minihub/config"
)

func TestABuildWithoutPAMStartsAndLetsNobodyIn(t *testing.T) {
	h := newHub(t, func(c map[string]map[string]any) { delete(c["JupyterHub"], "authenticator_class") })
	cfg, report, err := h.load()
	if err != nil {
		t.Fatal(err)
	}
	if class := cfg.JupyterHub.AuthenticatorClass; class.Native != "null" {
		t.Errorf("authenticator = %s, want null", class)
	}
	if !slices.ContainsFunc(report.Warnings(), func(p config.Problem) bool { return strings.Contains(p.String(), "nobody can log in") }) {
		t.Errorf("warnings = %v", report.Warnings())
	}
	h.start()
	defer h.stop()
	if _, who := h.app.Summary(); !strings.Contains(who, "nobody") {
		t.Errorf("who can log in = %q", who)
	}
}
