package hubapi

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"time"
)

// UserQuery chooses users. The zero value is all of them.
type UserQuery struct {
	State      string // "": all; active: with an active server; inactive; ready
	NameFilter string // part of the name
	Sort       string // id (default), name, last_activity; with "-" in front descending
	Stopped    bool   // include servers that do not run
}

func (q UserQuery) values() url.Values {
	v := url.Values{}
	for key, value := range map[string]string{"state": q.State, "name_filter": q.NameFilter, "sort": q.Sort} {
		if value != "" {
			v.Set(key, value)
		}
	}
	if q.Stopped {
		v.Set("include_stopped_servers", "1")
	}
	return v
}

// Users are the users that the token may see. Scope: list:users.
func (c *Client) Users(ctx context.Context, q UserQuery) iter.Seq2[User, error] {
	return all[User](ctx, c, "/users", q.values())
}

// CountUsers is how many users match, without reading them.
func (c *Client) CountUsers(ctx context.Context, q UserQuery) (int, error) {
	v := q.values()
	v.Set("limit", "1")
	var p page[User]
	_, err := c.do(ctx, request{method: http.MethodGet, path: "/users", query: v, accept: paginated}, &p)
	return p.Pagination.Total, err
}

// User is one user with all servers, also those that do not run.
func (c *Client) User(ctx context.Context, name string) (*User, error) {
	u := &User{}
	_, err := c.do(ctx, request{method: http.MethodGet, path: at("users", name), query: url.Values{"include_stopped_servers": {"1"}}}, u)
	return u, err
}

// CreateUser creates a user. ErrConflict: there is one of that name. Scope: admin:users.
func (c *Client) CreateUser(ctx context.Context, name string) (*User, error) {
	u := &User{}
	_, err := c.do(ctx, request{method: http.MethodPost, path: at("users", name)}, u)
	return u, err
}

// NewUsers are users to be created at once.
type NewUsers struct {
	Names []string `json:"usernames"`
	Admin bool     `json:"admin"`
}

// CreateUsers creates several users at once and returns those that are new. ErrConflict: none is. Scope: admin:users.
func (c *Client) CreateUsers(ctx context.Context, n NewUsers) ([]User, error) {
	var list []User
	_, err := c.do(ctx, request{method: http.MethodPost, path: "/users", body: n}, &list)
	return list, err
}

// UserChange is what UpdateUser changes; nil leaves it as it is.
type UserChange struct {
	Name      *string        `json:"name,omitempty"`
	Admin     *bool          `json:"admin,omitempty"`
	AuthState map[string]any `json:"auth_state,omitempty"`
}

// UpdateUser renames a user, makes or unmakes an administrator, or stores auth_state.
func (c *Client) UpdateUser(ctx context.Context, name string, change UserChange) (*User, error) {
	u := &User{}
	_, err := c.do(ctx, request{method: http.MethodPatch, path: at("users", name), body: change}, u)
	return u, err
}

// DeleteUser deletes a user with everything that belongs to it; servers are stopped first. Scope: delete:users.
func (c *Client) DeleteUser(ctx context.Context, name string) error {
	_, err := c.do(ctx, request{method: http.MethodDelete, path: at("users", name)}, nil)
	return err
}

// PostActivity tells the hub that the user, and the named servers ("" is the default one), were in use. Scope: users:activity.
func (c *Client) PostActivity(ctx context.Context, name string, when time.Time, servers ...string) error {
	stamp := when.UTC().Format(time.RFC3339Nano)
	body := map[string]any{"last_activity": stamp}
	if len(servers) > 0 {
		each := map[string]any{}
		for _, s := range servers {
			each[s] = map[string]any{"last_activity": stamp}
		}
		body["servers"] = each
	}
	_, err := c.do(ctx, request{method: http.MethodPost, path: at("users", name, "activity"), body: body}, nil)
	return err
}
