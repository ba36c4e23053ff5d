package pybridge

import "context"

// callables: functions that traits of JupyterHub itself hold.

// UserRedirect runs user_redirect_hook; "" means the usual target.
func (b *Bridge) UserRedirect(ctx context.Context, path string, user User) (string, error) {
	return b.text(ctx, map[string]any{"trait": "user_redirect_hook", "path": path, "user": user})
}

// DefaultURL runs a callable default_url.
func (b *Bridge) DefaultURL(ctx context.Context, user *User) (string, error) {
	return b.text(ctx, map[string]any{"trait": "default_url", "user": user})
}

// SubdomainHook runs subdomain_hook(name, domain, kind).
func (b *Bridge) SubdomainHook(ctx context.Context, name, domain, kind string) (string, error) {
	return b.text(ctx, map[string]any{"trait": "subdomain_hook", "name": name, "domain": domain, "kind": kind})
}

// NamedServerLimit runs a callable named_server_limit_per_user; 0 is no limit.
func (b *Bridge) NamedServerLimit(ctx context.Context, user User) (int, error) {
	var out *float64
	err := b.trait(ctx, map[string]any{"trait": "named_server_limit_per_user", "user": user}, &out)
	if err != nil || out == nil {
		return 0, err
	}
	return int(*out), nil
}

// TemplateVar runs the function under key in template_vars.
func (b *Bridge) TemplateVar(ctx context.Context, key string, user *User) (any, error) {
	var out any
	err := b.trait(ctx, map[string]any{"trait": "template_vars", "key": key, "user": user}, &out)
	return out, err
}

func (b *Bridge) text(ctx context.Context, args map[string]any) (string, error) {
	var out *string
	err := b.trait(ctx, args, &out)
	if err != nil || out == nil {
		return "", err
	}
	return *out, nil
}

func (b *Bridge) trait(ctx context.Context, args map[string]any, out any) error {
	ctx, cancel := limited(ctx, pollTimeout)
	defer cancel()
	// a function that takes the handler gets one even when no request is known
	if r := RequestFrom(ctx); r != nil {
		out := *r
		switch u := args["user"].(type) { // who has just logged in is not yet known to the request
		case User:
			out.User = &u
		case *User:
			if u != nil {
				out.User = u
			}
		}
		args["request"] = &out
	} else {
		args["request"] = map[string]any{"user": args["user"]}
	}
	return b.Call(ctx, "call", args, out)
}
