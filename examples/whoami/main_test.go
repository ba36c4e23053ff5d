package main_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/minihub/minihub/hubapi"
	"github.com/minihub/minihub/hubtest"
	"github.com/minihub/minihub/internal/freeport"
)

// TestWhoamiAsAManagedService builds the example, lets a hub start it, and visits it with a browser.
func TestWhoamiAsAManagedService(t *testing.T) {
	program := filepath.Join(t.TempDir(), "whoami")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		t.Fatalf("build the example: %v", err)
	}
	address := fmt.Sprintf("127.0.0.1:%d", freeport.For(t))
	hub := hubtest.New(t, hubtest.Options{
		Services: []map[string]any{{"name": "whoami", "url": "http://" + address, "command": []any{program}}},
		Roles:    []map[string]any{{"name": "user", "scopes": []any{"self", "access:services!service=whoami"}}},
	})
	ann, err := hub.Browser("ann")
	if err != nil {
		t.Fatal(err)
	}
	page, err := ann.Open("/services/whoami/")
	if err != nil || page.Status != 200 {
		t.Fatalf("%+v, %v", page, err)
	}
	var who hubapi.Identity
	if err := json.Unmarshal([]byte(page.Body), &who); err != nil || who.Name != "ann" || who.Kind != "user" {
		t.Errorf("%s, %v; want ann", page.Body, err)
	}
	if s, err := hub.Admin.Service(t.Context(), "whoami"); err != nil || s.PID == 0 {
		t.Errorf("service = %+v, %v; want one with a process", s, err)
	}
}
