package hub

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/rbac"
)

// Permission is the answer of Why.
type Permission struct {
	User    string
	Scope   string   // the asked one
	Granted bool     // whether the user holds it
	By      []Source // what grants it
	Others  []Source // what the user has beside that, which does not grant it
	Hint    string   // when it is not granted: what is needed and held, and the load_roles entry that would do
}

// Source is a role or share of a user.
type Source struct {
	What   string   // in words: role "x", role "x" of group "g", share of ann/
	Scopes []string // as stored; for By only those that grant
}

// Why tells whether a user holds a scope, which may have a filter (read:users!user=ann, access:servers!server=ann/), and by which
// roles, groups and shares. NotFound: no such user. Invalid: no such scope, with the nearest one.
func (a *Access) Why(ctx context.Context, user, scope string) (*Permission, error) {
	name, target, err := a.askedFor(ctx, scope)
	if err != nil {
		return nil, err
	}
	row, err := a.store.UserByName(ctx, user)
	if errors.Is(err, orm.ErrNotFound) {
		return nil, &Error{Kind: NotFound, Message: fmt.Sprintf("the database has no user %q", user)}
	}
	if err != nil {
		return nil, storeErr(err, "look up user")
	}
	id, err := a.OfUser(ctx, row.ID)
	if err != nil {
		return nil, err
	}
	sources, err := a.sources(ctx, row.ID)
	if err != nil {
		return nil, err
	}
	p := &Permission{User: user, Scope: scope, Granted: id.Scopes.Check(target, name) == rbac.Granted}
	for _, s := range sources {
		grants := slices.DeleteFunc(slices.Clone(s.Scopes), func(raw string) bool {
			expanded, _ := a.catalog.Expand([]string{raw}, id.Owner())
			scopes, err := rbac.Parse(expanded)
			return err != nil || scopes.Check(target, name) != rbac.Granted
		})
		if len(grants) > 0 {
			p.By = append(p.By, Source{What: s.What, Scopes: grants})
		} else {
			p.Others = append(p.Others, s)
		}
	}
	if !p.Granted {
		p.Hint = a.catalog.Explain(id.Scopes, target, []string{name}, id.Owner())
	}
	return p, nil
}

// askedFor takes a scope apart into its name and the target of its filter.
func (a *Access) askedFor(ctx context.Context, scope string) (string, rbac.Target, error) {
	if err := a.catalog.Check([]string{scope}); err != nil {
		return "", rbac.Target{}, &Error{Kind: Invalid, Message: err.Error()}
	}
	name, filter, _ := strings.Cut(scope, "!")
	kind, value, _ := strings.Cut(filter, "=")
	switch kind {
	case "":
		return name, rbac.Target{}, nil
	case rbac.KindUser:
		return name, a.OnUser(ctx, value), nil
	case rbac.KindServer:
		owner, server, ok := strings.Cut(value, "/")
		if !ok {
			return "", rbac.Target{}, &Error{Kind: Invalid, Message: fmt.Sprintf("%s: a server is written user/name, and user/ for the default server", scope)}
		}
		return name, a.OnServer(ctx, owner, server), nil
	case rbac.KindGroup:
		return name, rbac.Target{Kind: rbac.KindGroup, Group: value}, nil
	case rbac.KindService:
		return name, rbac.Target{Kind: rbac.KindService, Service: value}, nil
	}
	return "", rbac.Target{}, &Error{Kind: Invalid, Message: fmt.Sprintf("%s: filters are user=, server=, group= and service=", scope)}
}

// sources are the roles and shares of a user, with the groups that they come from.
func (a *Access) sources(ctx context.Context, userID int64) ([]Source, error) {
	auth, err := a.store.AuthorityOfUser(ctx, userID)
	if err != nil {
		return nil, storeErr(err, "load authority of user")
	}
	groups, err := a.store.GroupsByName(ctx, auth.Groups)
	if err != nil {
		return nil, storeErr(err, "load groups of user")
	}
	byID := map[int64]string{}
	for name, g := range groups {
		byID[g.ID] = name
	}
	roles, err := a.store.RoleNamesOfGroups(ctx, slices.Collect(maps.Keys(byID)))
	if err != nil {
		return nil, storeErr(err, "load roles of groups")
	}
	var out []Source
	for _, r := range auth.Roles {
		out = append(out, Source{What: fmt.Sprintf("role %q", r.Name), Scopes: r.Scopes})
	}
	for _, r := range auth.GroupRoles {
		for id, names := range roles {
			if slices.Contains(names, r.Name) {
				out = append(out, Source{What: fmt.Sprintf("role %q of group %q", r.Name, byID[id]), Scopes: r.Scopes})
			}
		}
	}
	for _, s := range auth.Shares {
		out = append(out, Source{What: "a share with the user", Scopes: s.Scopes})
	}
	for _, s := range auth.GroupShares {
		out = append(out, Source{What: "a share with a group of the user", Scopes: s.Scopes})
	}
	return out, nil
}
