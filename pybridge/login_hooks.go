package pybridge

import (
	"context"

	"github.com/minihub/minihub/auth"
)

// PostAuth runs post_auth_hook of a built-in authenticator. A nil model refuses the login.
func (b *Bridge) PostAuth(ctx context.Context, req auth.Request, m *auth.Model) (*auth.Model, error) {
	var out *Model
	if err := b.Call(ctx, "auth.post_auth", map[string]any{"model": modelOf(m), "request": withForm(ctx, req.Form)}, &out); err != nil {
		return nil, refusal(err)
	}
	if out == nil {
		return nil, nil
	}
	return out.auth(), nil
}

// Reconcile runs reconcile_auth_state_hook, of a built-in authenticator or of one that lives in the child.
func (b *Bridge) Reconcile(ctx context.Context, m *auth.Model, existing any) (any, error) {
	var out any
	err := b.Call(ctx, "auth.reconcile", map[string]any{"model": modelOf(m), "existing": existing}, &out)
	return out, err
}
