package hub

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/minihub/minihub/orm"
)

// defaultShareScope is what a share grants when it does not say.
const defaultShareScope = "access:servers"

// Grant shares a server. by needs every granted scope on that server and the right to read the grantee's name. Scopes accumulate in
// the one share that a server has with a grantee. Invalid: unknown scopes, filters of other servers, no such grantee.
func (s *Shares) Grant(ctx context.Context, by *Identity, owner, server string, to Grantee, scopes []string) (*ShareView, error) {
	if err := to.check(); err != nil {
		return nil, err
	}
	if len(scopes) == 0 {
		scopes = []string{defaultShareScope}
	}
	scopes, err := s.limit(scopes, owner, server)
	if err != nil {
		return nil, err
	}
	target, err := s.server(ctx, owner, server)
	if err != nil {
		return nil, err
	}
	if err := s.mayGrant(ctx, by, owner, server, scopes); err != nil {
		return nil, err
	}
	if err := s.mayRead(ctx, by, to); err != nil {
		return nil, err
	}
	with, err := resolve(ctx, s.store, to)
	if err != nil {
		return nil, err
	}
	if target, err = s.withRow(ctx, target); err != nil {
		return nil, err
	}
	return s.grant(ctx, target, with, scopes)
}

func (to Grantee) check() error {
	switch {
	case to.User != "" && to.Group != "":
		return errorf(Invalid, "Specify exactly one of user and group, not both")
	case to.User == "" && to.Group == "":
		return errorf(Invalid, "Specify exactly one of user and group")
	}
	return nil
}

// limit gives every scope the filter of the one server that is shared; Invalid for unknown scopes and for other filters.
func (s *Shares) limit(scopes []string, owner, server string) ([]string, error) {
	own := "server=" + owner + "/" + server
	out := make([]string, len(scopes))
	for i, scope := range scopes {
		base, filter, filtered := strings.Cut(scope, "!")
		if filtered && filter != own {
			return nil, errorf(Invalid, "!%s not allowed on sharing %s, only !%s", cut(filter, 64), cut(base, 64), own)
		}
		if err := s.catalog.Check([]string{base}); err != nil {
			return nil, errorf(Invalid, "%s", err).because(err)
		}
		out[i] = base + "!" + own
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

func (s *Shares) mayGrant(ctx context.Context, by *Identity, owner, server string, scopes []string) error {
	target := s.access.OnServer(ctx, owner, server)
	for _, scope := range scopes {
		base, _, _ := strings.Cut(scope, "!")
		ok, err := s.access.Holds(ctx, by, target, base)
		if err != nil {
			return err
		}
		if !ok {
			target.GroupsOf = nil
			return errorf(Forbidden, "Do not have permission to grant share with scope %s", scope).
				withHint("%s", s.catalog.Refusal(by.Scopes, target, []string{base}).Hint(by.Owner()))
		}
	}
	return nil
}

func (s *Shares) mayRead(ctx context.Context, by *Identity, to Grantee) error {
	scope, kind, target := "read:users:name", "users", s.access.OnUser(ctx, to.User)
	if to.Group != "" {
		scope, kind, target = "read:groups:name", "groups", s.access.OnGroup(to.Group)
	}
	ok, err := s.access.Holds(ctx, by, target, scope)
	if err != nil || ok {
		return err
	}
	target.GroupsOf = nil
	return errorf(Forbidden, "Need scope '%s' to share with %s by name", scope, kind).
		withHint("%s", s.catalog.Refusal(by.Scopes, target, []string{scope}).Hint(by.Owner()))
}

// grant adds scopes to the share, which is made when missing.
func (s *Shares) grant(ctx context.Context, target shared, with holder, scopes []string) (*ShareView, error) {
	var found *foundShare
	err := s.store.Tx(ctx, func(tx *orm.Store) error {
		var err error
		found, err = grantTx(ctx, tx, target, with, scopes)
		return err
	})
	if err != nil {
		return nil, domainErr(err, "grant share")
	}
	s.log.InfoContext(ctx, "server shared", "server", target.owner.Name+"/"+target.row.Name, "user", with.User, "group", with.Group, "scopes", scopes)
	return s.view(ctx, found)
}

func grantTx(ctx context.Context, tx *orm.Store, target shared, with holder, scopes []string) (*foundShare, error) {
	share, err := tx.FindShare(ctx, target.row.ID, with.userID, with.groupID)
	if errors.Is(err, orm.ErrNotFound) {
		share, err = &orm.Share{OwnerID: target.owner.ID, SpawnerID: target.row.ID, UserID: with.userID, GroupID: with.groupID}, nil
	}
	if err != nil {
		return nil, err
	}
	all := slices.Compact(slices.Sorted(slices.Values(append(slices.Clone(share.Scopes), scopes...))))
	if share.ID == 0 || !slices.Equal(all, share.Scopes) {
		share.Scopes = all
		if err := tx.SaveShare(ctx, share); err != nil {
			return nil, err
		}
	}
	return &foundShare{shared: target, holder: with, share: share}, nil
}

// Revoke takes scopes, or all with none given, from a share. The answer is nil when nothing is left, also when there was nothing, or
// nobody, to begin with: that is what the caller wanted.
func (s *Shares) Revoke(ctx context.Context, by *Identity, owner, server string, to Grantee, scopes []string) (*ShareView, error) {
	if err := to.check(); err != nil {
		return nil, err
	}
	if len(scopes) > 0 {
		var err error
		if scopes, err = s.limit(scopes, owner, server); err != nil {
			return nil, err
		}
	}
	if _, err := s.server(ctx, owner, server); err != nil {
		return nil, err
	}
	var left *foundShare
	err := s.store.Tx(ctx, func(tx *orm.Store) error {
		found, err := s.find(ctx, tx, to, owner, server)
		if KindOf(err) == NotFound {
			return nil
		}
		if err != nil {
			return err
		}
		left, err = revokeTx(ctx, tx, found, scopes)
		return err
	})
	if err != nil {
		return nil, domainErr(err, "revoke share")
	}
	s.log.InfoContext(ctx, "share revoked", "server", owner+"/"+server, "user", to.User, "group", to.Group, "scopes", scopes, "by", nameOf(by))
	if left == nil {
		return nil, nil
	}
	return s.view(ctx, left)
}

func revokeTx(ctx context.Context, tx *orm.Store, found *foundShare, scopes []string) (*foundShare, error) {
	rest := orm.JSONList{}
	if len(scopes) > 0 {
		for _, scope := range found.share.Scopes {
			if !slices.Contains(scopes, scope) {
				rest = append(rest, scope)
			}
		}
	}
	switch {
	case len(rest) == 0:
		return nil, tx.DeleteShares(ctx, []int64{found.share.ID})
	case len(rest) == len(found.share.Scopes):
		return found, nil
	}
	found.share.Scopes = rest
	return found, tx.SaveShare(ctx, found.share)
}

// RevokeAll deletes all shares of a server; codes stay.
func (s *Shares) RevokeAll(ctx context.Context, owner, server string) error {
	target, err := s.server(ctx, owner, server)
	if err != nil {
		return err
	}
	err = s.store.Tx(ctx, func(tx *orm.Store) error {
		rows, _, err := tx.SharesOfServer(ctx, target.row.ID, orm.ShareQuery{})
		if err != nil {
			return err
		}
		ids := make([]int64, len(rows))
		for i := range rows {
			ids[i] = rows[i].ID
		}
		return tx.DeleteShares(ctx, ids)
	})
	s.log.InfoContext(ctx, "all shares of a server deleted", "server", owner+"/"+server)
	return storeErr(err, "delete shares")
}
