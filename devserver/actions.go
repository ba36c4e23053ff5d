package devserver

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/minihub/minihub/devserver/inspector"
	"github.com/minihub/minihub/devserver/trace"
	"github.com/minihub/minihub/hubapi"
	"github.com/minihub/minihub/hubtest"
	"github.com/minihub/minihub/internal/httpmw"
)

// shownUsers is how many users the page with the buttons has.
const shownUsers = 50

// own tells which requests minihub dev makes itself.
func (s *Server) own(r *http.Request) bool {
	mark := r.Header.Get(ownHeader)
	return mark != "" && s.hub != nil && subtle.ConstantTimeCompare([]byte(mark), []byte(s.hub.AdminToken)) == 1
}

// tell logs requests to services and servers, which the hub does not see.
func (s *Server) tell(r trace.Request) {
	s.console.line("proxy", fmt.Sprintf("%d %s %s (%s) → %s %.2fms", r.Status, r.Method, r.Address, r.Who, r.To, float64(r.Took)/float64(time.Millisecond)))
}

// down is inspector.Options.Down.
func (s *Server) down(ctx context.Context, name string) *inspector.Service {
	for _, p := range s.procs {
		if p.def.Name != name || p.def.URL == "" || p.accepts(ctx) {
			continue
		}
		view := p.view(ctx, s.href(name))
		return &view
	}
	return nil
}

func (s *Server) href(service string) string { return s.URL + "services/" + service + "/" }

// promote makes the first person who logs in an administrator, when none was named.
func (s *Server) promote(r *http.Request, d httpmw.Decision) {
	if d.Route != "POST /hub/login" || d.Status != http.StatusFound || len(s.o.Admins) > 0 {
		return
	}
	name := strings.ToLower(strings.TrimSpace(r.PostFormValue("username")))
	s.first.Do(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), 10*time.Second)
		defer cancel()
		n, err := s.admin.CountUsers(ctx, hubapi.UserQuery{})
		if err != nil || n > 2 { // defaultAdmin and this one: a file with --db may have others
			return
		}
		yes := true
		if _, err := s.admin.UpdateUser(ctx, name, hubapi.UserChange{Admin: &yes}); err != nil {
			s.console.line("dev", fmt.Sprintf("%s could not be made an administrator: %v", name, err))
			return
		}
		s.console.line("dev", name+" is the first to log in, and an administrator now")
	})
}

// Overview implements inspector.Actions.
func (s *Server) Overview(ctx context.Context) (inspector.Overview, error) {
	s.mu.Lock()
	o := inspector.Overview{Clock: s.ahead, Memory: s.o.DB == "", Spawner: s.spawner}
	s.mu.Unlock()
	for u, err := range s.admin.Users(ctx, hubapi.UserQuery{}) {
		if err != nil {
			return o, fmt.Errorf("list users: %w", err)
		}
		if len(o.Users) == shownUsers {
			break
		}
		o.Users = append(o.Users, inspector.User{Name: u.Name, Admin: u.Admin})
	}
	for _, u := range o.Users {
		tokens, err := s.admin.Tokens(ctx, u.Name)
		if err != nil {
			return o, fmt.Errorf("list tokens of %s: %w", u.Name, err)
		}
		for _, t := range tokens {
			o.Tokens = append(o.Tokens, tokenView(u.Name, t))
		}
	}
	for _, p := range s.procs {
		o.Services = append(o.Services, p.view(ctx, s.href(p.def.Name)))
	}
	return o, nil
}

// Prepare implements inspector.Actions.
func (s *Server) Prepare(ctx context.Context, user string) error {
	if _, err := s.admin.CreateUser(ctx, user); err != nil && !errors.Is(err, hubapi.ErrConflict) {
		return err
	}
	return nil
}

// Fault implements inspector.Actions.
func (s *Server) Fault(f inspector.Fault) error {
	spawn := hubtest.SpawnFault{User: f.User, Times: f.Times}
	switch f.Kind {
	case "slow":
		spawn.Slow = f.By
	case "fail":
		spawn.Fail = "ordered at /hub/dev: this start fails"
	case "never-ready":
		spawn.NeverReady = true
	case "die":
		spawn.DieAfter = f.By
	case "api":
		s.hub.FailAPI(hubtest.APIFault{Status: f.Code, Times: f.Times, RetryAfter: 1})
		return nil
	default:
		return fmt.Errorf("there is no fault %q", f.Kind)
	}
	s.hub.FailSpawns(spawn)
	return nil
}

// ClearFaults implements inspector.Actions.
func (s *Server) ClearFaults() { s.hub.ClearFaults() }

// Advance implements inspector.Actions.
func (s *Server) Advance(ctx context.Context, by time.Duration) error {
	if s.o.DB != "" {
		return errors.New("the database is a file; without --db it is in memory, and time can go by")
	}
	if err := s.hub.Advance(ctx, by); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ahead += by
	return nil
}

// Restart implements inspector.Actions.
func (s *Server) Restart(ctx context.Context, service string) error {
	for _, p := range s.procs {
		if p.def.Name == service {
			return p.restart(ctx)
		}
	}
	return fmt.Errorf("there is no service %q", service)
}

func tokenView(owner string, t hubapi.Token) inspector.Token {
	out := inspector.Token{Owner: owner, Note: t.Note, Client: t.OAuthClient, Scopes: t.Scopes}
	if out.Client == "JupyterHub" {
		out.Client = ""
	}
	out.ID, _ = strconv.ParseInt(strings.TrimLeft(t.ID, "ao"), 10, 64)
	return out
}

// newToken is 32 random bytes in hexadecimal digits.
func newToken() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

var _ inspector.Actions = (*Server)(nil)
