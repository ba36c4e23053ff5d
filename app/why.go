package app

import (
	"context"

	"github.com/minihub/minihub/auth"
	"github.com/minihub/minihub/hub"
)

// Can tells whether a user of the database holds a scope, and by what. It changes nothing.
func (a *App) Can(ctx context.Context, user, scope string) (*hub.Permission, error) {
	return a.core.access.Why(ctx, user, scope)
}

// LoginRules are the rules of the configuration about who may log in, and the authenticator that checks credentials.
func (a *App) LoginRules() (*auth.Rules, auth.Authenticator) {
	return a.core.rules, a.core.logins.Authenticator()
}
