package hub

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/spawner"
)

// spawnJob carries one start through its steps.
type spawnJob struct {
	user    *orm.User
	row     *orm.Spawner
	options StartOptions
	traits  SpawnTraits
	req     spawner.Request
	token   string
	undo    []func(context.Context) // in reverse order when the start fails
}

// spawn runs the steps of ARCHITECTURE.md "Spawn". Whatever a step did is undone when a later one fails.
func (s *Servers) spawn(ctx context.Context, l *liveServer, j *spawnJob) error {
	err := s.spawnSteps(ctx, l, j)
	if err == nil {
		return nil
	}
	err = s.explain(ctx, l, j, err)
	// The context may be why we are here, so undoing gets its own.
	undoCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Minute)
	defer cancel()
	for i := len(j.undo) - 1; i >= 0; i-- {
		j.undo[i](undoCtx)
	}
	return err
}

func (s *Servers) spawnSteps(ctx context.Context, l *liveServer, j *spawnJob) error {
	if err := s.prepareTraits(ctx, l, j); err != nil {
		return err
	}
	if err := s.prepareRows(ctx, l, j); err != nil {
		return fmt.Errorf("prepare server: %w", err)
	}
	if err := s.runHooks(ctx, l, j); err != nil {
		return err
	}
	if err := s.startProcess(ctx, l, j); err != nil {
		return err
	}
	if err := s.waitUp(ctx, l, j.traits.HTTPTimeout); err != nil {
		return err
	}
	s.o.Observer.Spawned(time.Since(*j.row.Started), "success", "")
	s.o.Observer.ServerAction(ctx, "start", l.userName, l.name)
	if err := s.addRoute(ctx, l); err != nil {
		return &Error{Kind: Failed, Message: "The server started, but the proxy could not be told about it", Reason: "proxy", Err: err,
			Hint: "see ConfigurableHTTPProxy.api_url and the log of the proxy"}
	}
	s.startPolling(l)
	_, active := s.Counts()
	s.o.Observer.Running(active)
	return nil
}

// prepareTraits works out the traits of this start: configuration, group_overrides, user options.
func (s *Servers) prepareTraits(ctx context.Context, l *liveServer, j *spawnJob) error {
	t := s.o.Traits.Spawn.clone()
	if err := s.overrideForGroups(ctx, j.user, &t); err != nil {
		return err
	}
	for option, trait := range s.o.Traits.UserOptionTraits {
		v, ok := j.row.UserOptions[option]
		if !ok {
			continue
		}
		if err := t.set(trait, v); err != nil {
			return &Error{Kind: Invalid, Message: fmt.Sprintf("Invalid option %q: %v", option, err), Reason: "options", Err: err}
		}
	}
	if pp, ok := s.o.Driver.(spawner.PortPicker); ok && t.Port == 0 {
		port, err := pp.PickPort(ctx, t.IP)
		if err != nil {
			return err
		}
		t.Port = port
	}
	j.traits = t
	return nil
}

func (s *Servers) overrideForGroups(ctx context.Context, user *orm.User, t *SpawnTraits) error {
	if len(s.o.Traits.GroupOverrides) == 0 {
		return nil
	}
	names, err := s.o.Store.GroupNamesOfUsers(ctx, []int64{user.ID})
	if err != nil {
		return err
	}
	member := map[string]bool{}
	for _, g := range names[user.ID] {
		member[g] = true
	}
	for _, o := range s.o.Traits.GroupOverrides {
		for _, g := range o.Groups {
			if !member[g] {
				continue
			}
			for k, v := range o.Traits {
				if err := t.set(k, v); err != nil {
					return fmt.Errorf("apply Spawner.group_overrides for group %s: %w", g, err)
				}
			}
			break
		}
	}
	return nil
}

// prepareRows commits the intent: server row, token, OAuth client and marker, before anything is started.
func (s *Servers) prepareRows(ctx context.Context, l *liveServer, j *spawnJob) error {
	marker, now := uuid.NewString(), time.Now().UTC()
	j.undo = append(j.undo, func(ctx context.Context) { s.cleanUp(ctx, l) })
	scopes, err := s.tokenScopes(ctx, j)
	if err != nil {
		return err
	}
	addr := &orm.Server{Proto: "http", IP: j.traits.IP, Port: j.traits.Port, BaseURL: s.URLPath(l.userName, l.name), CookieName: "cookie"}
	j.token = orm.NewToken()
	client := s.oauthClient(l, j)
	err = s.o.Store.Tx(ctx, func(tx *orm.Store) error {
		if err := tx.CreateServer(ctx, addr); err != nil {
			return err
		}
		tok := serverToken(j, addr.BaseURL, scopes, now)
		if err := tx.CreateToken(ctx, tok); err != nil {
			return err
		}
		if err := tx.SaveOAuthClient(ctx, client); err != nil {
			return err
		}
		row := j.row
		row.ServerID, row.OAuthClientID = &addr.ID, &client.Identifier
		row.Started, row.LastActivity, row.State = &now, &now, orm.JSONDict{"marker": marker}
		if err := tx.UpdateSpawner(ctx, row, "server_id", "oauth_client_id", "started", "last_activity", "state"); err != nil {
			return err
		}
		return tx.SaveServerExtra(ctx, &orm.ServerExtra{SpawnerID: row.ID, TokenID: tok.ID, Marker: marker})
	})
	if err != nil {
		return err
	}
	l.mu.Lock()
	l.addr = addr
	l.mu.Unlock()
	s.o.Activity.SeenUser(j.user.ID, now)
	j.req = s.request(l, j, marker)
	return nil
}

func serverToken(j *spawnJob, baseURL string, scopes []string, now time.Time) *orm.APIToken {
	client, note := "jupyterhub", serverTokenNote+baseURL
	return &orm.APIToken{UserID: &j.user.ID, Hashed: orm.HashToken(j.token, 1), Prefix: orm.TokenPrefix(j.token), ClientID: &client,
		Created: &now, Note: &note, Scopes: scopes}
}

// serverTokenNote begins the note of every server's own token.
const serverTokenNote = "Server at "

func (s *Servers) runHooks(ctx context.Context, l *liveServer, j *spawnJob) error {
	h := &s.o.Hooks
	if h.PreSpawnStart != nil {
		if err := h.PreSpawnStart(ctx, l.userName, l.name); err != nil {
			return fmt.Errorf("pre_spawn_start: %w", err)
		}
	}
	if h.AuthState != nil {
		if err := h.AuthState(ctx, j.user, &j.req); err != nil {
			return fmt.Errorf("auth_state_hook: %w", err)
		}
	}
	if h.ApplyUserOptions != nil {
		if err := h.ApplyUserOptions(ctx, &j.req, j.req.UserOptions); err != nil {
			var e *Error
			if errors.As(err, &e) {
				return err
			}
			return &Error{Kind: Invalid, Message: "Invalid user options: " + err.Error(), Reason: "options", Err: err}
		}
	}
	if h.PreSpawn != nil {
		if err := h.PreSpawn(ctx, &j.req); err != nil {
			return fmt.Errorf("pre_spawn_hook: %w", err)
		}
	}
	return nil
}

// startProcess calls the spawner under start_timeout and saves where the server listens, and its state, at once.
func (s *Servers) startProcess(ctx context.Context, l *liveServer, j *spawnJob) error {
	sp := s.o.Driver.New(l.identity())
	l.mu.Lock()
	l.sp = sp
	l.mu.Unlock()
	l.progress.follow(ctx, sp)
	startCtx, cancel := context.WithTimeoutCause(ctx, j.traits.StartTimeout, errStartTimeout)
	defer cancel()
	u, err := sp.Start(startCtx, j.req)
	if err != nil {
		if errors.Is(context.Cause(startCtx), errStartTimeout) {
			return fmt.Errorf("%w: %w", errStartTimeout, err)
		}
		return fmt.Errorf("start server: %w", err)
	}
	addr, err := s.saveStarted(ctx, l, j, sp, u)
	if err != nil {
		return err
	}
	l.mu.Lock()
	l.addr, l.waiting = addr, true
	l.mu.Unlock()
	return nil
}

var (
	errStartTimeout = errors.New("start_timeout")
	errHTTPTimeout  = errors.New("http_timeout")
)

func (s *Servers) saveStarted(ctx context.Context, l *liveServer, j *spawnJob, sp spawner.Spawner, rawURL string) (*orm.Server, error) {
	l.mu.Lock()
	addr := *l.addr
	l.mu.Unlock()
	if err := setAddr(&addr, rawURL); err != nil {
		return nil, fmt.Errorf("the spawner's start returned a bad URL: %w", err)
	}
	state := orm.JSONDict{}
	for k, v := range sp.State() {
		state[k] = v
	}
	j.row.State = state
	err := s.o.Store.Tx(ctx, func(tx *orm.Store) error {
		if err := tx.UpdateServer(ctx, &addr, "proto", "ip", "port"); err != nil {
			return err
		}
		return tx.UpdateSpawner(ctx, j.row, "state")
	})
	return &addr, err
}

// setAddr puts the scheme, host and port of rawURL into a.
func setAddr(a *orm.Server, rawURL string) error {
	u, err := url.Parse(rawURL)
	if err != nil {
		return err
	}
	if u.Scheme == "http+unix" {
		a.Proto, a.IP, a.Port = u.Scheme, u.EscapedPath(), 0
		if u.Host != "" {
			a.IP = u.Host // http+unix://%2Fpath: the socket path is the host part
		}
		return nil
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	n, err := strconv.Atoi(port)
	if err != nil || u.Hostname() == "" {
		return fmt.Errorf("%q is not scheme://host:port", rawURL)
	}
	a.Proto, a.IP, a.Port = u.Scheme, u.Hostname(), n
	return nil
}

// addrURL is where the hub and the proxy connect to: scheme://host:port, no path.
func addrURL(a *orm.Server) string {
	if a.Proto == "http+unix" {
		return a.Proto + "://" + a.IP
	}
	ip := a.IP
	if ip == "" || ip == "0.0.0.0" || ip == "::" {
		ip = "127.0.0.1" // listening everywhere: reachable here
	}
	host := ip
	for _, c := range ip {
		if c == ':' {
			host = "[" + ip + "]"
			break
		}
	}
	return a.Proto + "://" + host + ":" + strconv.Itoa(a.Port)
}

// waitUp waits under http_timeout until the server answers, or until its process is gone.
func (s *Servers) waitUp(ctx context.Context, l *liveServer, timeout time.Duration) error {
	l.mu.Lock()
	addr, sp := l.addr, l.sp
	l.mu.Unlock()
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, errHTTPTimeout)
	defer cancel()
	alive := func(ctx context.Context) error {
		if exit, err := sp.Poll(ctx); err == nil && exit != nil {
			return &exitedError{exit}
		}
		return nil
	}
	version, err := s.o.Prober.WaitUp(ctx, addrURL(addr)+addr.BaseURL+"api", alive)
	l.mu.Lock()
	l.waiting = false
	l.mu.Unlock()
	if err != nil {
		if errors.Is(context.Cause(ctx), errHTTPTimeout) {
			return fmt.Errorf("%w: %w", errHTTPTimeout, err)
		}
		return err
	}
	if version != "" && !sameMajor(version) {
		s.o.Logger.WarnContext(ctx, "server runs another major version of JupyterHub than the hub is compatible with",
			"user", l.userName, "server", l.name, "version", version)
	}
	return nil
}

// exitedError says that the process ended before it answered.
type exitedError struct{ exit *spawner.Exit }

func (e *exitedError) Error() string { return "the server's process ended: " + exitText(e.exit) }

func exitText(e *spawner.Exit) string {
	if e.Reason != "" {
		return e.Reason
	}
	return "exit code " + strconv.Itoa(e.Code)
}

func (s *Servers) addRoute(ctx context.Context, l *liveServer) error {
	l.mu.Lock()
	target, data := addrURL(l.addr), routeData(l)
	l.routed = true
	l.mu.Unlock()
	begin := time.Now()
	err := s.o.Router.AddRoute(ctx, s.URLPath(l.userName, l.name), target, data)
	s.o.Observer.RouteAdded(time.Since(begin), err == nil)
	return err
}

func (s *Servers) deleteRoute(ctx context.Context, l *liveServer) {
	l.mu.Lock()
	routed := l.routed
	l.routed = false
	l.mu.Unlock()
	if !routed {
		return
	}
	begin := time.Now()
	err := s.o.Router.DeleteRoute(ctx, s.URLPath(l.userName, l.name))
	s.o.Observer.RouteDeleted(time.Since(begin), err == nil)
	if err != nil {
		s.o.Logger.ErrorContext(ctx, "proxy route could not be deleted", "user", l.userName, "server", l.name, "err", err)
	}
}
