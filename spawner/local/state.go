package local

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/minihub/minihub/internal/supervise"
	"github.com/minihub/minihub/spawner"
)

// The keys of a saved state. JupyterHub reads and writes "pid" alone.
const (
	keyPID       = "pid"
	keyStartTime = "start_time"
	keyBootID    = "boot_id"
	keyMarker    = "marker"
)

// State returns the process' identity, nil when nothing runs.
func (s *Spawner) State() spawner.State {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.proc == nil || s.proc.Poll() != nil {
		return nil
	}
	id := s.proc.Identity()
	state := spawner.State{keyPID: int64(id.PID)}
	if id.StartTime != 0 {
		state[keyStartTime], state[keyBootID] = int64(id.StartTime), id.BootID
	}
	if id.Marker != "" {
		state[keyMarker] = id.Marker
	}
	return state
}

// LoadState adopts the process of a state, ours or JupyterHub's. When it does not run, or its pid is another process'
// now, the server has ended: that is no error.
func (s *Spawner) LoadState(ctx context.Context, state spawner.State) error {
	pid, ok := state.Int(keyPID)
	if !ok || pid <= 0 || pid > 1<<31-1 {
		return nil
	}
	start, _ := state.Int(keyStartTime)
	id := supervise.Identity{PID: int(pid), StartTime: uint64(max(start, 0)), BootID: state.Text(keyBootID), Marker: state.Text(keyMarker)}
	var err error
	if id.StartTime == 0 || id.BootID == "" {
		id, err = s.identifyForeign(id)
	}
	var proc *supervise.Process
	if err == nil {
		proc, err = s.adopt(id)
	}
	logger := s.driver.opts.Logger.With("user", s.id.UserName, "server", s.id.ServerName, "pid", id.PID)
	switch {
	case errors.Is(err, supervise.ErrGone), errors.Is(err, errors.ErrUnsupported):
		logger.InfoContext(ctx, "server process not adopted", "err", err)
		s.mu.Lock()
		s.lost = &id
		s.mu.Unlock()
		return nil
	case err != nil:
		return fmt.Errorf("adopt server %s: %w", s.id, err)
	}
	logger.InfoContext(ctx, "server process adopted")
	if !s.keep(proc, spawner.Request{Identity: s.id}) {
		proc.Close()
	}
	return nil
}

func (s *Spawner) adopt(id supervise.Identity) (*supervise.Process, error) {
	opts := supervise.AdoptOptions{LogLimit: s.driver.opts.LogLimit, OnLine: s.onLine()}
	if dir, err := s.driver.opts.logDir(); err == nil {
		opts.LogPath = filepath.Join(dir, logName(s.id))
	}
	return supervise.Adopt(id, opts)
}

// identifyForeign proves that a bare pid, as JupyterHub saves it, is this server: the process leads its session and its
// environment names user and server. Kernels inherit that environment, but know their parent by JPY_PARENT_PID.
func (s *Spawner) identifyForeign(id supervise.Identity) (supervise.Identity, error) {
	found, err := supervise.Identify(id.PID)
	if err != nil {
		return id, err
	}
	env, err := supervise.ReadEnviron(id.PID)
	if err != nil {
		return id, fmt.Errorf("%w: pid %d cannot be proved to be this server: %w", supervise.ErrGone, id.PID, err)
	}
	_, isKernel := env["JPY_PARENT_PID"]
	if isKernel || !supervise.SessionLeader(id.PID) || !s.namesServer(env) {
		return id, fmt.Errorf("%w: pid %d is not this server", supervise.ErrGone, id.PID)
	}
	return found, nil
}

func (s *Spawner) namesServer(env supervise.Environ) bool {
	if env["JUPYTERHUB_USER"] != s.id.UserName || env["JUPYTERHUB_SERVER_NAME"] != s.id.ServerName {
		return false
	}
	prefix, err := url.PathUnescape(env["JUPYTERHUB_SERVICE_PREFIX"])
	want := "/user/" + s.id.UserName + "/"
	if s.id.ServerName != "" {
		want += s.id.ServerName + "/"
	}
	return err == nil && strings.HasSuffix(prefix, want)
}
