package hub

import (
	"context"
	"errors"
	"log/slog"
	"slices"

	"github.com/minihub/minihub/auth"
	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/rbac"
)

// UserPatch changes a user; nil fields stay.
type UserPatch struct {
	Name      *string
	Admin     *bool
	AuthState *any
}

// UserView is a user with what the models need, loaded without a query per row.
type UserView struct {
	orm.User
	Groups  []string     // sorted
	Roles   []string     // own roles, sorted
	Servers []ServerView // all rows and in-memory state, default server first, then by name
}

// UserPage is one page of users.
type UserPage struct {
	Users []UserView
	Total int // how many match in all, before the filter "ready"

	Offset int   // how many match before this page
	Last   int64 // the id of the page's last user, for UserQuery.After; 0 when the page is empty
}

// ServerViews is what people need from servers; *Servers implements it. Methods may be called concurrently.
type ServerViews interface {
	// Views returns the servers of each user, default server first, then by name, in a constant number of queries.
	Views(ctx context.Context, users []orm.User) (map[int64][]ServerView, error)
	// StopForDelete stops what runs for a user who is about to be deleted and removes what outlives a stop.
	// Invalid while a server is stopping.
	StopForDelete(ctx context.Context, user *orm.User) error
	// ForgetUser drops in-memory state after the user's rows are gone.
	ForgetUser(userID int64)
	// Changed tells those who watch that the user was made, changed or deleted. It never waits.
	Changed(user string)
	// Renamed tells that the user's name changed; user carries the new one, already committed.
	Renamed(ctx context.Context, user *orm.User, oldName string) error
}

// AuthStates is what users need from logins; *Logins implements it.
type AuthStates interface {
	// Seal encrypts auth_state for the database; Invalid when there is no key.
	Seal(state any) ([]byte, error)
	// Forget drops what is remembered about a user who is deleted.
	Forget(user *orm.User)
}

// UsersOptions configure Users.
type UsersOptions struct {
	Store         *orm.Store
	Rules         *auth.Rules
	Authenticator auth.Authenticator // its UserHooks, if any, are told about creation and deletion
	Servers       ServerViews        // nil: users have no servers (command line, tests); or set later with SetServers
	Catalog       *rbac.Catalog
	Logger        *slog.Logger
	TotalUsers    func(delta int) // gauge jupyterhub_total_users; nil: not counted
}

// Users creates, finds, changes and deletes users. Safe for concurrent use after the wiring.
type Users struct {
	store   *orm.Store
	rules   *auth.Rules
	hooks   auth.UserHooks
	servers ServerViews
	states  AuthStates
	catalog *rbac.Catalog
	log     *slog.Logger
	total   func(delta int)
}

// NewUsers returns Users.
func NewUsers(o UsersOptions) *Users {
	u := &Users{store: o.Store, rules: o.Rules, servers: o.Servers, states: noStates{}, catalog: o.Catalog, log: logger(o.Logger), total: o.TotalUsers}
	if u.servers == nil {
		u.servers = noServers{}
	}
	if u.total == nil {
		u.total = func(int) {}
	}
	if hooks, ok := o.Authenticator.(auth.UserHooks); ok {
		u.hooks = hooks
	} else {
		u.hooks = noHooks{}
	}
	return u
}

// SetServers completes the wiring: Servers need tokens and users, and Users need Servers. Call it before the first request.
func (u *Users) SetServers(s ServerViews) { u.servers = s }

// SetAuthStates completes the wiring with Logins, which need Users. Call it before the first request.
func (u *Users) SetAuthStates(s AuthStates) { u.states = s }

// Find returns a user's row; NotFound when there is none of that name.
func (u *Users) Find(ctx context.Context, name string) (*orm.User, error) {
	user, err := userByName(ctx, u.store, name)
	return user, notFound(err, "No such user: %s", name)
}

// notFound turns orm.ErrNotFound into a NotFound error with the message, and other errors into storeErr's.
func notFound(err error, format string, args ...any) error {
	if errors.Is(err, orm.ErrNotFound) {
		return errorf(NotFound, format, args...).because(err)
	}
	return storeErr(err, "look up row")
}

// Get returns one user with servers; NotFound when there is none of that name.
func (u *Users) Get(ctx context.Context, name string) (*UserView, error) {
	user, err := u.Find(ctx, name)
	if err != nil {
		return nil, err
	}
	return u.View(ctx, user)
}

// View completes a user row that the caller already has (GET /user).
func (u *Users) View(ctx context.Context, user *orm.User) (*UserView, error) {
	views, err := u.views(ctx, []orm.User{*user})
	if err != nil {
		return nil, err
	}
	return &views[0], nil
}

// List returns one page of users in a constant number of queries. Invalid: an unknown state or sort column.
func (u *Users) List(ctx context.Context, q orm.UserQuery) (UserPage, error) {
	if !slices.Contains([]string{"", "inactive", "active", "ready"}, q.State) {
		return UserPage{}, errorf(Invalid, "Unrecognized state filter: %q", q.State).withHint("use inactive, active or ready")
	}
	if !slices.Contains([]string{"", "id", "name", "last_activity"}, q.Sort) {
		return UserPage{}, errorf(Invalid, "sort must be 'id', 'name', or 'last_activity', not %q", q.Sort)
	}
	if q.After != 0 && q.Sort != "" && q.Sort != "id" {
		return UserPage{}, errorf(Invalid, "after needs the order by id, not by %s", q.Sort)
	}
	rows, offset, total, err := u.store.UserPage(ctx, q)
	if err != nil {
		return UserPage{}, storeErr(err, "list users")
	}
	page := UserPage{Total: total, Offset: offset}
	if len(rows) > 0 {
		page.Last = rows[len(rows)-1].ID
	}
	views, err := u.views(ctx, rows)
	if err != nil {
		return UserPage{}, err
	}
	if q.State == "ready" { // the database knows only what is active
		views = slices.DeleteFunc(views, func(v UserView) bool {
			return !slices.ContainsFunc(v.Servers, func(s ServerView) bool { return s.Ready })
		})
	}
	page.Users = views
	return page, nil
}

func (u *Users) views(ctx context.Context, rows []orm.User) ([]UserView, error) {
	ids := make([]int64, len(rows))
	for i := range rows {
		ids[i] = rows[i].ID
	}
	groups, err := u.store.GroupNamesOfUsers(ctx, ids)
	if err != nil {
		return nil, storeErr(err, "load groups of users")
	}
	roles, err := u.store.RoleNamesOfUsers(ctx, ids)
	if err != nil {
		return nil, storeErr(err, "load roles of users")
	}
	servers, err := u.servers.Views(ctx, rows)
	if err != nil {
		return nil, storeErr(err, "load servers of users")
	}
	views := make([]UserView, len(rows))
	for i, row := range rows {
		views[i] = UserView{User: row, Groups: groups[row.ID], Roles: roles[row.ID], Servers: servers[row.ID]}
	}
	return views, nil
}

// noServers, noStates and noHooks stand for parts that a small program does without.
type noServers struct{}

func (noServers) Views(context.Context, []orm.User) (map[int64][]ServerView, error) { return nil, nil }
func (noServers) StopForDelete(context.Context, *orm.User) error                    { return nil }
func (noServers) ForgetUser(int64)                                                  {}
func (noServers) Changed(string)                                                    {}
func (noServers) Renamed(context.Context, *orm.User, string) error                  { return nil }

type noStates struct{}

func (noStates) Forget(*orm.User) {}
func (noStates) Seal(state any) ([]byte, error) {
	if state == nil {
		return nil, nil
	}
	return nil, &Error{Kind: Invalid, Message: "auth_state cannot be stored", Hint: auth.ErrNoKeys.Error()}
}

type noHooks struct{}

func (noHooks) AddUser(context.Context, auth.User) error    { return nil }
func (noHooks) DeleteUser(context.Context, auth.User) error { return nil }
