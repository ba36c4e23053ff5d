package hub

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/spawner"
)

// spawnJob carries one start through its steps.
type spawnJob struct {
	user     *orm.User
	row      *orm.Spawner
	traits   SpawnTraits
	req      spawner.Request
	profile  []map[string]any // what the chosen profile overrides, in order
	token    string
	clientID string
	begin    time.Time
	observed bool                    // success was reported already
	undo     []func(context.Context) // in reverse order when the start fails
}

// cleanupTimeout bounds what is done after a failure and at a stop, so that nothing is pending for ever.
const cleanupTimeout = 2 * time.Minute

// spawn runs the steps of ARCHITECTURE.md "Spawn". Whatever a step did is undone when a later one fails.
func (s *Servers) spawn(ctx context.Context, l *liveServer, j *spawnJob) *Error {
	err := s.spawnSteps(ctx, l, j)
	if err == nil {
		return nil
	}
	e := s.explain(ctx, l, j, err)
	// The context may be why we are here, so undoing gets its own.
	undoCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer cancel()
	for i := len(j.undo) - 1; i >= 0; i-- {
		j.undo[i](undoCtx)
	}
	return e
}

func (s *Servers) spawnSteps(ctx context.Context, l *liveServer, j *spawnJob) error {
	if j.row.ServerID != nil { // a stop could not clean up
		if err := s.cleanLeftover(ctx, l); err != nil {
			return err
		}
	}
	if err := s.prepareTraits(ctx, l, j); err != nil {
		return err
	}
	if err := s.prepareRows(ctx, l, j); err != nil {
		return err
	}
	if err := s.runHooks(ctx, l, j); err != nil {
		return err
	}
	j.takeTimeouts()
	if err := s.keepOptions(ctx, j); err != nil {
		return err
	}
	if err := s.startProcess(ctx, l, j); err != nil {
		return err
	}
	if err := s.waitUp(ctx, l, j.traits.HTTPTimeout); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	s.o.Observer.Spawned(time.Since(j.begin), "success", "")
	j.observed = true
	s.o.Observer.ServerAction(ctx, "start", l.userName, l.name)
	if err := s.addRoute(ctx, l); err != nil {
		return &Error{Kind: Failed, Message: "The server started, but the proxy could not be told about it", Reason: "proxy", Err: err,
			Hint: "see ConfigurableHTTPProxy.api_url and the log of the proxy"}
	}
	return nil
}

// takeTimeouts makes the time-outs that hooks set those of this start.
func (j *spawnJob) takeTimeouts() {
	if d := j.req.StartTimeout; d > 0 {
		j.traits.StartTimeout = d
	}
	if d := j.req.HTTPTimeout; d > 0 {
		j.traits.HTTPTimeout = d
	}
}

// keepOptions stores what hooks made of user_options.
func (s *Servers) keepOptions(ctx context.Context, j *spawnJob) error {
	if len(j.req.UserOptions) == 0 && len(j.row.UserOptions) == 0 || reflect.DeepEqual(map[string]any(j.row.UserOptions), j.req.UserOptions) {
		return nil
	}
	j.row.UserOptions = j.req.UserOptions
	return storeErr(s.o.Store.UpdateSpawner(ctx, j.row, "user_options"), "store the options of server %s", logName(j.user.Name, j.row.Name))
}

// prepareRows commits the intent: server row, token, OAuth client and marker, before anything is started.
func (s *Servers) prepareRows(ctx context.Context, l *liveServer, j *spawnJob) error {
	marker, now := uuid.NewString(), time.Now().UTC()
	scopes, err := s.tokenScopes(ctx, j)
	if err != nil {
		return storeErr(err, "work out the scopes of the server's token")
	}
	if err := s.addRoleScopes(ctx, &j.traits); err != nil {
		return err
	}
	addr := &orm.Server{Proto: "http", IP: j.traits.IP, Port: j.traits.Port, BaseURL: s.URLPath(l.userName, l.name), CookieName: "cookie"}
	j.token = orm.NewToken()
	for _, j.clientID = range clientIDs(l) {
		if j.req, err = s.request(l, j, marker); err != nil {
			return err
		}
		client := s.oauthClient(l, j)
		err = s.o.Store.Tx(ctx, func(tx *orm.Store) error {
			if err := saveClient(ctx, tx, l, client); err != nil {
				return err
			}
			addr.ID = 0
			if err := tx.CreateServer(ctx, addr); err != nil {
				return err
			}
			return commitIntent(ctx, tx, j, addr, serverToken(j, addr.BaseURL, scopes, now), marker)
		})
		if !errors.Is(err, errClientTaken) {
			break
		}
	}
	if err != nil {
		return storeErr(err, "prepare the rows of server %s", logName(l.userName, l.name))
	}
	j.undo = append(j.undo, func(ctx context.Context) { s.cleanUp(ctx, l) })
	l.mu.Lock()
	l.addr = addr
	l.mu.Unlock()
	return nil
}

// commitIntent writes what belongs to a start into its transaction: the token, what the server's row says, and the marker.
func commitIntent(ctx context.Context, tx *orm.Store, j *spawnJob, addr *orm.Server, tok *orm.APIToken, marker string) error {
	if err := tx.CreateToken(ctx, tok); err != nil {
		return err
	}
	row, client := j.row, j.clientID
	row.ServerID, row.OAuthClientID = &addr.ID, &client
	row.Started, row.LastActivity, row.State = tok.Created, tok.Created, orm.JSONDict{"marker": marker}
	if err := tx.UpdateSpawner(ctx, row, "server_id", "oauth_client_id", "started", "last_activity", "state"); err != nil {
		return err
	}
	if err := tx.TouchUsers(ctx, map[int64]time.Time{row.UserID: *tok.Created}); err != nil {
		return err
	}
	return tx.SaveServerExtra(ctx, &orm.ServerExtra{SpawnerID: row.ID, TokenID: tok.ID, Marker: marker})
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
	l.mu.Lock()
	l.hooked = true
	l.mu.Unlock()
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
	if h.Override != nil && len(j.profile) > 0 {
		if err := h.Override(ctx, &j.req, j.profile); err != nil {
			return fmt.Errorf("profile_list: %w", err)
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
	if err := s.awaitOrphans(ctx); err != nil {
		return err
	}
	sp := s.o.Driver.New(l.identity())
	l.mu.Lock()
	l.sp = sp
	log := l.progress
	l.mu.Unlock()
	s.follow(ctx, log, sp)
	startCtx, cancel := context.WithTimeoutCause(ctx, j.traits.StartTimeout, errStartTimeout)
	defer cancel()
	u, err := s.callStart(startCtx, l, sp, j.req)
	if err != nil {
		if errors.Is(context.Cause(startCtx), errStartTimeout) {
			return fmt.Errorf("%w: %w", errStartTimeout, err)
		}
		return err
	}
	addr, err := s.saveStarted(ctx, l, j, sp, u)
	if err != nil {
		return err
	}
	l.mu.Lock()
	l.addr = addr
	l.mu.Unlock()
	return nil
}

// startGrace is how long a spawner may take to notice that its context ended.
const startGrace = 5 * time.Second

// callStart calls Start, and does not wait for ever when a spawner ignores its context: what such a Start brings about later is stopped.
func (s *Servers) callStart(ctx context.Context, l *liveServer, sp spawner.Spawner, req spawner.Request) (string, error) {
	type result struct {
		url string
		err error
	}
	var mu sync.Mutex
	abandoned := false
	results := make(chan result, 1)
	ok := s.run(func() {
		u, err := sp.Start(ctx, req)
		mu.Lock()
		late := abandoned
		results <- result{u, err}
		mu.Unlock()
		if late {
			s.o.Logger.WarnContext(ctx, "spawner came back from start long after its time-out", "user", l.userName, "server", l.name)
			s.endProcess(l, sp)
		}
	})
	if !ok {
		return "", hubStops()
	}
	select {
	case r := <-results:
		return r.url, r.err
	case <-ctx.Done():
	}
	t := time.NewTimer(startGrace)
	defer t.Stop()
	select {
	case r := <-results:
		return r.url, r.err
	case <-t.C:
	}
	mu.Lock()
	defer mu.Unlock()
	select {
	case r := <-results:
		return r.url, r.err
	default:
		abandoned = true
		return "", context.Cause(ctx)
	}
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
	return &addr, storeErr(err, "save the state of server %s", logName(l.userName, l.name))
}
