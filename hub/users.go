package hub

import (
	"context"
	"log/slog"

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
	Total int
}

// ServerViews is what people need from servers; *Servers implements it. Methods may be called concurrently.
type ServerViews interface {
	// Views returns the servers of each user, default server first, then by name, in a constant number of queries.
	Views(ctx context.Context, users []orm.User) (map[int64][]ServerView, error)
	// StopForDelete stops what runs for a user who is about to be deleted and removes what outlives a stop.
	StopForDelete(ctx context.Context, user *orm.User) error
	// ForgetUser drops in-memory state after the user's rows are gone.
	ForgetUser(userID int64)
	// Renamed tells that the user's name changed (user.Name is the new one, already committed).
	Renamed(ctx context.Context, user *orm.User, oldName string) error
}

// AuthStates reads and writes auth_state; *Logins implements it.
type AuthStates interface {
	AuthState(ctx context.Context, user *orm.User) (any, error)
	SetAuthState(ctx context.Context, user *orm.User, state any) error
}

// UsersOptions configure Users.
type UsersOptions struct {
	Store         *orm.Store
	Rules         *auth.Rules
	Authenticator auth.Authenticator // its UserHooks are told about creation and deletion
	Servers       ServerViews        // nil: users have no servers (start-up, tests); set later with SetServers
	Catalog       *rbac.Catalog
	Logger        *slog.Logger
	TotalUsers    func(delta int) // gauge jupyterhub_total_users; nil: not counted
}

// Users creates, finds, changes and deletes users. Safe for concurrent use.
type Users struct {
	o UsersOptions
}

// NewUsers returns Users.
func NewUsers(o UsersOptions) *Users { return &Users{o: o} }

// SetServers completes the wiring: Servers need Users and Users need Servers. Call it before the first request.
func (u *Users) SetServers(s ServerViews) { u.o.Servers = s }

// SetAuthStates completes the wiring with Logins, which need Users. Call it before the first request.
func (u *Users) SetAuthStates(s AuthStates) {}

// Get returns one user with servers; NotFound when there is none of that name.
func (u *Users) Get(ctx context.Context, name string) (*UserView, error) { return nil, nil }

// View completes a user row that the caller already has (GET /user).
func (u *Users) View(ctx context.Context, user *orm.User) (*UserView, error) { return nil, nil }

// List returns one page of users in a constant number of queries.
func (u *Users) List(ctx context.Context, q orm.UserQuery) (UserPage, error) { return UserPage{}, nil }

// Find returns a user's row; NotFound when there is none of that name.
func (u *Users) Find(ctx context.Context, name string) (*orm.User, error) { return nil, nil }

// Create makes several users (POST /users).
func (u *Users) Create(ctx context.Context, by *Identity, names []string, admin bool) ([]UserView, error) {
	return nil, nil
}

// CreateOne makes one user (POST /users/{user}).
func (u *Users) CreateOne(ctx context.Context, by *Identity, name string, p UserPatch) (*UserView, error) {
	return nil, nil
}

// Ensure returns the user of that name, created with the default roles when missing (login, configuration).
func (u *Users) Ensure(ctx context.Context, name string) (user *orm.User, created bool, err error) {
	return nil, false, nil
}

// Update changes name, admin flag or auth_state (PATCH /users/{user}).
func (u *Users) Update(ctx context.Context, by *Identity, name string, p UserPatch) (*UserView, error) {
	return nil, nil
}

// Delete stops a user's servers and deletes the user with everything they own.
func (u *Users) Delete(ctx context.Context, by *Identity, name string) error { return nil }
