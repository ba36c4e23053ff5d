package app

import (
	"context"
	"testing"

	"github.com/minihub/minihub/auth"
	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/orm"
)

// expiredAuth knows logins that are never valid any more.
type expiredAuth struct{ auth.Null }

func (expiredAuth) Refresh(context.Context, auth.User) (bool, *auth.Model, error) {
	return false, nil, nil
}

func TestExpiredLoginsAtStartAndStop(t *testing.T) {
	store, err := orm.Open(t.Context(), orm.Options{URL: "sqlite://"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	ada, admin := &orm.User{ID: 1, Name: "ada"}, &orm.User{ID: 2, Name: "admin"}
	for name, row := range map[string]struct {
		caller      *hub.Identity
		strict      bool
		start, stop bool // refused?
	}{
		"own browser":         {&hub.Identity{User: ada}, false, true, true},
		"own browser, strict": {&hub.Identity{User: ada}, true, true, true},
		"own token":           {&hub.Identity{User: ada, Token: &orm.APIToken{}}, false, false, false},
		"own token, strict":   {&hub.Identity{User: ada, Token: &orm.APIToken{}}, true, true, true},
		"admin":               {&hub.Identity{User: admin}, false, false, false},
		"admin, strict":       {&hub.Identity{User: admin}, true, true, false},
		"service":             {&hub.Identity{Service: &orm.Service{Name: "s"}, Token: &orm.APIToken{}}, false, false, false},
		"the hub itself":      {nil, false, false, false},
	} {
		logins := hub.NewLogins(hub.LoginsOptions{Store: store, Authenticator: expiredAuth{}, Traits: hub.LoginTraits{RefreshAge: 1, RefreshStrict: row.strict}})
		ctx := context.WithValue(t.Context(), hub.CallerKey{}, row.caller)
		for what, c := range map[string]struct {
			err  error
			want bool
		}{"start": {refreshBeforeSpawn(logins)(ctx, ada), row.start}, "stop": {refreshBeforeStop(logins)(ctx, ada), row.stop}} {
			if got := hub.KindOf(c.err) == hub.Forbidden; got != c.want || !got && c.err != nil {
				t.Errorf("%s by %s: %v, want refused: %t", what, name, c.err, c.want)
			}
		}
	}
}
