package hubtest

import (
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"

	"github.com/minihub/minihub/app"
)

// Options describe a hub. The zero value is a hub without users, which anybody can log in to.
type Options struct {
	Users    []User
	Groups   map[string][]string // members by group; the groups' users must be in Users
	Services []map[string]any    // as c.JupyterHub.services
	Roles    []map[string]any    // as c.JupyterHub.load_roles

	// Config is more configuration, values by class and trait with JupyterHub's names: {"JupyterHub": {"allow_named_servers": true}}.
	// It wins over what this package chooses.
	Config map[string]map[string]any

	// Log takes the hub's log lines; nil drops them. New gives it to the test.
	Log *slog.Logger

	// Address is the public address: host:port of this machine; "" takes a free port of 127.0.0.1.
	Address string

	// Tune changes how the hub is built, after this package has; for minihub's own commands. No promise is made about it.
	Tune func(*app.Options)

	// Output takes what managed services and Python print; nil drops it.
	Output io.Writer
}

// User is a user that exists when the hub starts.
type User struct {
	Name  string
	Admin bool
}

// adminService is the name of the service whose token is Hub.Admin's.
const adminService = "hubtest"

// sections are the configuration of a hub on two ports.
func (o Options) sections(public, private, secret, adminToken string) map[string]map[string]any {
	hub := map[string]any{
		"bind_url": "http://" + public, "hub_bind_url": "http://" + private, "db_url": "sqlite://", "cookie_secret": secret,
		"trust_user_provided_tokens": true, // a slow hash protects tokens that somebody thought up, and tests keep no secrets
		"authenticator_class":        "dummy", "spawner_class": "toy",
		"services":   append([]any{map[string]any{"name": adminService, "api_token": adminToken, "admin": true, "display": false}}, anys(o.Services)...),
		"load_roles": append([]any{map[string]any{"name": adminService, "services": []any{adminService}, "scopes": anys(more())}}, anys(o.Roles)...),
	}
	out := map[string]map[string]any{"JupyterHub": hub, "Authenticator": {"allow_all": true}}
	for class, traits := range o.Config {
		if out[class] == nil {
			out[class] = map[string]any{}
		}
		for trait, value := range traits {
			if list, ok := value.([]any); ok && class == "JupyterHub" && (trait == "services" || trait == "load_roles") {
				value = append(slices.Clone(out[class][trait].([]any)), list...)
			}
			if class == "JupyterHub" && trait == "base_url" { // which would bring bind_url back to port 8000
				trait, value = "bind_url", fmt.Sprintf("http://%s/%s", public, strings.Trim(fmt.Sprint(value), "/"))
			}
			out[class][trait] = value
		}
	}
	return out
}

// more are scopes that the role admin, which the administrator's service has, does not include.
func more() []string {
	return []string{"shares", "groups:shares", "users:shares", "access:services", "access:servers"}
}

func anys[T any](list []T) []any {
	out := make([]any, len(list))
	for i, v := range list {
		out[i] = v
	}
	return out
}

// check says what cannot be meant.
func (o Options) check() error {
	known := map[string]bool{}
	for i, u := range o.Users {
		if u.Name == "" {
			return fmt.Errorf("hubtest: Options.Users[%d] has no name", i)
		}
		known[u.Name] = true
	}
	for group, members := range o.Groups {
		for _, m := range members {
			if !known[m] {
				return fmt.Errorf("hubtest: Options.Groups[%q] has the member %q, who is not in Options.Users", group, m)
			}
		}
	}
	return nil
}
