package pybridge

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// Facts are what the child knows about the hub.
type Facts struct {
	BaseURL          string         `json:"base_url"`   // "/", slashes at both ends
	HubPrefix        string         `json:"hub_prefix"` // "/hub/"
	APIURL           string         `json:"api_url"`
	PublicHost       string         `json:"public_host"`
	PublicURL        string         `json:"public_url"`
	Domain           string         `json:"domain"`
	SubdomainHost    string         `json:"subdomain_host"`
	CookieOptions    map[string]any `json:"cookie_options,omitempty"`
	CookieHostPrefix bool           `json:"cookie_host_prefix"`
	CookieSecret     []byte         `json:"cookie_secret,omitempty"` // for cookies of the authenticator's own pages; the hub's is not given
	TemplatePaths    []string       `json:"template_paths,omitempty"`
	// Templates are the hub's own, by name, for those pages.
	Templates         map[string]string `json:"templates,omitempty"`
	DBURL             string            `json:"db_url,omitempty"`       // for the few plug-ins that keep tables of their own in the hub's database
	PagesPath         string            `json:"pages_socket,omitempty"` // set by Setup
	DefaultURL        string            `json:"default_url,omitempty"`
	AdminAccess       bool              `json:"admin_access"`
	AllowNamedServers bool              `json:"allow_named_servers"`
	LogLevel          int               `json:"log_level"` // Python's number
}

// ClassChoice is authenticator_class or spawner_class as the child needs it.
type ClassChoice struct {
	Python bool           `json:"python"` // the class lives in the child
	Given  string         `json:"given"`
	Chain  []string       `json:"chain"`            // sections of a built-in class, the closest first
	Traits map[string]any `json:"traits,omitempty"` // values of a built-in authenticator, for its hooks
}

// SetupRequest is what a child is told once the hub knows its own addresses.
type SetupRequest struct {
	Facts         Facts       `json:"facts"`
	Authenticator ClassChoice `json:"authenticator"`
	Spawner       ClassChoice `json:"spawner"`
	Pages         bool        `json:"-"` // Pages says that there may be pages to serve.
}

// SetupResult is what the child made of it.
type SetupResult struct {
	Authenticator *ClassInfo `json:"authenticator"` // nil: the hub's own
	Spawner       *ClassInfo `json:"spawner"`       // likewise
	Pages         *PagesInfo `json:"pages"`         // nil: there are none
	JupyterHub    string     `json:"jupyterhub"`    // version of the child's jupyterhub package, "" without one
}

// PagesInfo tells which pages the child serves. All are regular expressions for paths below the hub.
type PagesInfo struct {
	Own    []string `json:"own"`    // Own are those of get_handlers: they come before the hub's own pages.
	Extra  []string `json:"extra"`  // Extra are those of extra_handlers: the hub's own pages come first.
	API    []string `json:"api"`    // API are those of extra_handlers that take tokens and answer JSON.
	Socket string   `json:"socket"` // Socket is where they are served.
}

// ClassInfo describes a Python class with the configuration applied.
type ClassInfo struct {
	Name       string         `json:"name"` // dotted
	Version    string         `json:"version"`
	Traits     map[string]any `json:"traits"` // values of the traits that the hub itself uses
	Overrides  []string       `json:"overrides"`
	Reconciles bool           `json:"reconciles"` // reconcile_auth_state_hook is set
	Page       pageInfo       `json:"page"`
	Ready      bool           `json:"progress_ready"` // progress_ready_hook is set
	Profiles   bool           `json:"profiles"`       // profile_list is set, and the class has no such trait of its own
}

// Has reports whether the class has a method of its own in place of JupyterHub's.
func (c *ClassInfo) Has(method string) bool { return slices.Contains(c.Overrides, method) }

// SetupError says which trait's class could not be made.
type SetupError struct {
	Trait string // "authenticator_class", "spawner_class" or "extra_handlers"
	Err   *Error
}

// Error names the trait and the exception.
func (e *SetupError) Error() string {
	text := fmt.Sprintf("JupyterHub.%s: %s", e.Trait, e.Err)
	if n := len(e.Err.Traceback); n > 0 {
		text += " (" + e.Err.Traceback[n-1] + ")"
	}
	return text
}

// Unwrap returns the exception.
func (e *SetupError) Unwrap() error { return e.Err }

// Setup makes authenticator and spawner class in the child, and in every child that replaces it.
func (b *Bridge) Setup(ctx context.Context, r SetupRequest) (*SetupResult, error) {
	b.mu.Lock()
	if r.Pages && b.room == "" {
		room, err := os.MkdirTemp("", "minihub-pages-") // 0700
		if err != nil {
			b.mu.Unlock()
			return nil, fmt.Errorf("make a folder for the socket of pages in python: %w", err)
		}
		b.room = room
	}
	if b.room != "" {
		r.Facts.PagesPath = filepath.Join(b.room, "pages.sock")
	}
	b.setup = &r
	users := slices.Sorted(maps.Keys(b.known))
	b.mu.Unlock()
	args := map[string]any{"facts": r.Facts, "authenticator": r.Authenticator, "spawner": r.Spawner, "users": users}
	out := &SetupResult{}
	if err := b.Call(ctx, "setup", args, out); err != nil {
		var e *Error
		if asError(err, &e) && e.Public != "" {
			return nil, &SetupError{Trait: e.Public, Err: e}
		}
		return nil, err
	}
	return out, nil
}

// Find imports the class that authenticator_class or spawner_class (kind without "_class") names: a class of the file, a registered name
// or a dotted path. It makes no object.
func (b *Bridge) Find(ctx context.Context, kind, given string) error {
	return b.Call(ctx, "find", map[string]any{"kind": kind, "given": given}, nil)
}

// User is what hooks see of a user.
type User struct {
	Name         string   `json:"name"`
	ID           int64    `json:"id,omitempty"`
	Admin        bool     `json:"admin"`
	Groups       []string `json:"groups"`
	Created      string   `json:"created,omitempty"`
	LastActivity string   `json:"last_activity,omitempty"`
	HasAuthState bool     `json:"has_auth_state"`
	// Properties are those of Groups, by group; nil leaves what the child knows.
	Properties map[string]map[string]any `json:"properties,omitempty"`
	// Servers are all servers of the user, the default one included; nil leaves what the child knows.
	Servers []Server `json:"servers,omitempty"`
}

// Server is what hooks see of a server besides its user.
type Server struct {
	Name        string         `json:"name"`
	ID          int64          `json:"id,omitempty"`
	DisplayName string         `json:"display_name,omitempty"`
	ClientID    string         `json:"client_id,omitempty"`
	State       map[string]any `json:"state,omitempty"`
	URL         string         `json:"url,omitempty"` // where it listens, "" when it does not run
	UserOptions map[string]any `json:"user_options,omitempty"`
	Pending     string         `json:"pending,omitempty"` // "spawn", "stop", "check" or ""
	Ready       bool           `json:"ready"`
	Active      bool           `json:"active"` // pending or ready
}

// asked answers the child's calls.
func (b *Bridge) asked(ctx context.Context, op string, raw json.RawMessage) (any, error) {
	b.mu.Lock()
	dir := b.dir
	b.mu.Unlock()
	if dir == nil {
		return nil, fmt.Errorf("%s: the hub is still starting", op)
	}
	var args struct {
		User  string          `json:"user"`
		State json.RawMessage `json:"state"`
		Model json.RawMessage `json:"model"`
	}
	if err := json.Unmarshal(raw, &args); err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	switch op {
	case "user":
		return dir.User(ctx, args.User)
	case "auth_state":
		return dir.AuthState(ctx, args.User)
	case "save_auth_state":
		var state any
		if err := decodeResult(op, args.State, &state); err != nil {
			return nil, err
		}
		return nil, dir.SaveAuthState(ctx, args.User, state)
	case "delete_user":
		return nil, dir.DeleteUser(ctx, args.User)
	case "login":
		var m Model
		if err := decodeResult(op, args.Model, &m); err != nil {
			return nil, err
		}
		user, ticket, err := dir.CompleteLogin(ctx, m)
		return map[string]any{"user": user, "ticket": ticket}, err
	}
	return nil, fmt.Errorf("the hub has no operation %q", op)
}
