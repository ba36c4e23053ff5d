package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/internal/httpmw"
	"github.com/minihub/minihub/web"
)

// Inspect is how "minihub dev" looks into a hub. No trait, flag or environment variable sets it: only package devserver, which the
// sub-command dev alone imports (internal/archtest sees to that). All fields are mandatory.
type Inspect struct {
	// Front is put around everything that a port answers: "public", or "hub" for the port of servers and services.
	Front func(port string, next http.Handler) http.Handler
	// Decided is told what the hub found out and decided, for each request that it answered itself.
	Decided func(*http.Request, httpmw.Decision)
	// Tables are more routes.
	Tables func(Inside) []httpmw.Table
}

// Inside is what an inspector may use of a hub.
type Inside struct {
	BaseURL string // percent-encoded, slashes at both ends
	// Why tells which roles and shares give a user a scope.
	Why func(ctx context.Context, user, scope string) (*hub.Permission, error)
	// Page shows HTML in the frame of the hub's pages.
	Page func(w http.ResponseWriter, r *http.Request, p web.EmbeddedPage) error
	// Become logs the browser out, and in as another user, who must exist.
	Become func(w http.ResponseWriter, r *http.Request, user string) error
	// Revoke ends a token by its id, whoever owns it.
	Revoke func(ctx context.Context, tokenID int64) error
}

// inspector are the routes that Options.Inspect adds.
func (a *App) inspector(site *web.Site) []httpmw.Table {
	if a.o.Inspect == nil {
		return nil
	}
	return a.o.Inspect.Tables(Inside{BaseURL: a.urls.BaseURL, Why: a.core.access.Why, Page: site.Embed,
		Become: func(w http.ResponseWriter, r *http.Request, user string) error { return a.become(site, w, r, user) },
		Revoke: func(ctx context.Context, id int64) error {
			if _, err := a.store.Token(ctx, id); err != nil {
				return fmt.Errorf("look up token %d: %w", id, err)
			}
			return a.store.DeleteTokens(ctx, []int64{id})
		}})
}

func (a *App) become(site *web.Site, w http.ResponseWriter, r *http.Request, name string) error {
	user, err := a.store.UserByName(r.Context(), name)
	if err != nil {
		return fmt.Errorf("look up user: %w", err)
	}
	if id := httpmw.Identity(r); id != nil && id.User != nil && id.User.ID == user.ID {
		return nil // already
	}
	return errors.Join(site.LogOut(w, r), site.LogIn(w, r, user))
}

// decided is Options.Inspect's, nil without.
func (a *App) decided() func(*http.Request, httpmw.Decision) {
	if a.o.Inspect == nil {
		return nil
	}
	return a.o.Inspect.Decided
}

// front is put around the handler of a port.
func (a *App) front(port string, h http.Handler) http.Handler {
	if a.o.Inspect == nil {
		return h
	}
	return a.o.Inspect.Front(port, h)
}

// ServiceEnvironment is what a service of the configuration would get as its environment if the hub started it, for those who start it
// themselves. The keys are names; what the hub's own environment has is not among them, but for what KeptEnv names.
func (a *App) ServiceEnvironment(name string) (map[string]string, error) {
	return a.core.services.Environment(name)
}
