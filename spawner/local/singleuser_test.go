//go:build unix

package local_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/minihub/minihub/internal/supervise"
	"github.com/minihub/minihub/spawner"
	"github.com/minihub/minihub/spawner/local"
	"github.com/minihub/minihub/spawner/spawnertest"
)

// TestJupyterHubSingleuser starts the real program, hands it over as JupyterHub's database would, and stops it.
func TestJupyterHubSingleuser(t *testing.T) {
	program := os.Getenv("MINIHUB_TEST_SINGLEUSER")
	if program == "" {
		t.Skip("set MINIHUB_TEST_SINGLEUSER to the path of jupyterhub-singleuser to run it")
	}
	hub := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-JupyterHub-Version", "6.1.1")
		_ = json.NewEncoder(w).Encode(map[string]string{"version": "6.1.1"})
	}))
	defer hub.Close()
	opts := options(t)
	first := local.NewSimple(opts)
	id := spawner.Identity{UserName: "alice", ServerName: "work"}
	req := spawnertest.Request(t, first, id)
	req.Env = spawnertest.Env(req, hub.URL+"/hub/api")
	req.Env["PATH"] = filepath.Dir(program) + ":" + os.Getenv("PATH")
	req.Cmd, req.Args = []string{program}, nil
	if os.Geteuid() == 0 {
		req.Args = []string{"--allow-root"}
	}
	sp := first.New(id)
	url, err := sp.Start(context.Background(), req)
	if err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(90 * time.Second)
	for !spawnertest.Answers(url + req.BaseURL + "api") {
		exit, _ := sp.Poll(context.Background())
		if exit != nil || time.Now().After(deadline) {
			_ = sp.Stop(context.Background(), true)
			t.Fatalf("no answer: %+v, %+v", exit, sp.(spawner.Diagnoser).Diagnose(context.Background()))
		}
		time.Sleep(50 * time.Millisecond)
	}
	pid := sp.State()["pid"]
	_ = first.Close()

	next := local.NewSimple(opts)
	defer next.Close()
	adopted := next.New(id)
	if err := adopted.LoadState(context.Background(), spawner.State{"pid": pid}); err != nil {
		t.Fatal(err)
	}
	if exit, err := adopted.Poll(context.Background()); exit != nil || err != nil {
		_ = sp.Stop(context.Background(), true)
		t.Fatalf("not adopted: %+v, %v", exit, err)
	}
	began := time.Now()
	if err := adopted.Stop(context.Background(), false); err != nil {
		t.Fatal(err)
	}
	t.Logf("stopped after %v", time.Since(began))
	left, err := supervise.FindMarked(context.Background(), opts.HubID)
	if err != nil || len(left) != 0 {
		t.Errorf("left over: %+v, %v", left, err)
	}
}
