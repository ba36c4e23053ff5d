package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/minihub/minihub/auth"
	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/internal/urlpath"
	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/pybridge"
)

// directory answers what the Python child asks of the hub.
type directory struct {
	a *App

	mu      sync.Mutex
	tickets map[string]ticket
}

// ticket is a login that a page of the authenticator completed; the answer that carries it gets the cookies.
type ticket struct {
	user *orm.User
	made time.Time
}

// ticketLife is how long a page may take from its login to its answer.
const ticketLife = 5 * time.Minute

func newDirectory(a *App) *directory { return &directory{a: a, tickets: map[string]ticket{}} }

func (d *directory) user(ctx context.Context, name string) (*orm.User, error) {
	u, err := d.a.store.UserByName(ctx, name)
	if errors.Is(err, orm.ErrNotFound) {
		return nil, fmt.Errorf("%w: %q", errNoUser, name)
	}
	return u, err
}

// User implements pybridge.Directory.
func (d *directory) User(ctx context.Context, name string) (pybridge.User, error) {
	u, err := d.user(ctx, name)
	if err != nil {
		return pybridge.User{}, err
	}
	return d.describe(ctx, u)
}

func (d *directory) describe(ctx context.Context, u *orm.User) (pybridge.User, error) {
	groups, err := d.a.store.GroupNamesOfUsers(ctx, []int64{u.ID})
	if err != nil {
		return pybridge.User{}, err
	}
	out := pybridge.User{Name: u.Name, ID: u.ID, Admin: u.Admin, Groups: append([]string{}, groups[u.ID]...), HasAuthState: len(u.EncryptedAuthState) > 0}
	if err := d.groupProperties(ctx, &out); err != nil {
		return out, err
	}
	if err := d.serversOf(ctx, u, &out); err != nil {
		return out, err
	}
	if u.Created != nil {
		out.Created = u.Created.Format(time.RFC3339)
	}
	if u.LastActivity != nil {
		out.LastActivity = u.LastActivity.Format(time.RFC3339)
	}
	return out, nil
}

// Server implements pybridge.Directory.
func (d *directory) Server(ctx context.Context, user, server string) (pybridge.Server, error) {
	out := pybridge.Server{Name: server, ClientID: urlpath.ClientID(user, server)}
	u, err := d.user(ctx, user)
	if err != nil {
		return out, err
	}
	row, err := d.a.store.SpawnerByName(ctx, u.ID, server)
	if errors.Is(err, orm.ErrNotFound) {
		return out, nil
	}
	if err != nil {
		return out, err
	}
	if d.a.core != nil {
		if v, err := d.a.core.servers.View(ctx, u, server); err == nil {
			return serverOf(v), nil
		}
	}
	return serverOf(&hub.ServerView{Spawner: *row, UserName: user}), nil
}

// serverOf is what hooks see of a server.
func serverOf(v *hub.ServerView) pybridge.Server {
	out := pybridge.Server{Name: v.Name, ClientID: urlpath.ClientID(v.UserName, v.Name), ID: v.ID, State: v.State, UserOptions: v.UserOptions,
		Pending: v.Pending, Ready: v.Ready, Active: v.Active}
	if v.DisplayName != nil {
		out.DisplayName = *v.DisplayName
	}
	if v.Addr != nil && v.Addr.Port > 0 {
		out.URL = fmt.Sprintf("%s://%s:%d%s", v.Addr.Proto, hostPart(v.Addr.IP), v.Addr.Port, v.Addr.BaseURL)
	}
	return out
}

// serversOf adds what user.spawners shows.
func (d *directory) serversOf(ctx context.Context, u *orm.User, out *pybridge.User) error {
	if d.a.core == nil || d.a.core.servers == nil {
		return nil // the hub is still starting
	}
	views, err := d.a.core.servers.Views(ctx, []orm.User{*u})
	if err != nil {
		return err
	}
	for i := range views[u.ID] {
		out.Servers = append(out.Servers, serverOf(&views[u.ID][i]))
	}
	return nil
}

// groupProperties adds those of the user's groups.
func (d *directory) groupProperties(ctx context.Context, out *pybridge.User) error {
	if len(out.Groups) == 0 {
		return nil
	}
	groups, err := d.a.store.GroupsByName(ctx, out.Groups)
	if err != nil {
		return err
	}
	out.Properties = make(map[string]map[string]any, len(groups))
	for name, g := range groups {
		out.Properties[name] = g.Properties
	}
	return nil
}

func hostPart(ip string) string {
	for _, c := range ip {
		if c == ':' {
			return "[" + ip + "]"
		}
	}
	if ip == "" {
		return "127.0.0.1"
	}
	return ip
}

// AuthState implements pybridge.Directory.
func (d *directory) AuthState(ctx context.Context, user string) (any, error) {
	u, err := d.user(ctx, user)
	if err != nil {
		return nil, err
	}
	return d.a.core.logins.AuthState(ctx, u)
}

// SaveAuthState implements pybridge.Directory.
func (d *directory) SaveAuthState(ctx context.Context, user string, state any) error {
	u, err := d.user(ctx, user)
	if err != nil {
		return err
	}
	return d.a.core.logins.SetAuthState(ctx, u, state)
}

// DeleteUser implements pybridge.Directory.
func (d *directory) DeleteUser(ctx context.Context, user string) error {
	return d.a.core.users.Delete(ctx, nil, user)
}

// CompleteLogin implements pybridge.Directory.
func (d *directory) CompleteLogin(ctx context.Context, m pybridge.Model) (pybridge.User, string, error) {
	begin := time.Now()
	res, err := d.a.core.logins.Login(pybridge.WithLogin(ctx, m), auth.Request{Username: m.Name})
	d.a.metrics.LoggedIn(time.Since(begin), err == nil)
	if err != nil {
		var e *hub.Error
		if errors.As(err, &e) && e.Err != nil {
			err = fmt.Errorf("%s: %w", e.Message, e.Err)
		}
		return pybridge.User{}, "", err
	}
	about, err := d.describe(ctx, res.User)
	if err != nil {
		return pybridge.User{}, "", err
	}
	id := rand.Text()
	d.mu.Lock()
	defer d.mu.Unlock()
	for old, t := range d.tickets {
		if time.Since(t.made) > ticketLife {
			delete(d.tickets, old)
		}
	}
	d.tickets[id] = ticket{user: res.User, made: time.Now()}
	return about, id, nil
}

// redeem returns the user of a ticket, once.
func (d *directory) redeem(id string) *orm.User {
	d.mu.Lock()
	defer d.mu.Unlock()
	t, ok := d.tickets[id]
	delete(d.tickets, id)
	if !ok || time.Since(t.made) > ticketLife {
		return nil
	}
	return t.user
}

var _ pybridge.Directory = (*directory)(nil)
