package hub

import (
	"context"
	"errors"
	"log/slog"

	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/rbac"
)

// Grantee is who gets a share: exactly one of User and Group.
type Grantee struct{ User, Group string }

// ShareView is a share with the server it is about.
type ShareView struct {
	orm.ShareRow
	Server ServerView
}

// SharesOptions configure Shares.
type SharesOptions struct {
	Store   *orm.Store
	Access  *Access
	Catalog *rbac.Catalog
	Servers ServerViews
	Logger  *slog.Logger
}

// Shares grants and revokes access to servers, directly and by codes. Safe for concurrent use.
type Shares struct {
	store   *orm.Store
	access  *Access
	catalog *rbac.Catalog
	servers ServerViews
	log     *slog.Logger
}

// NewShares returns Shares.
func NewShares(o SharesOptions) *Shares {
	s := &Shares{store: o.Store, access: o.Access, catalog: o.Catalog, servers: o.Servers, log: logger(o.Logger)}
	if s.servers == nil {
		s.servers = noServers{}
	}
	return s
}

// OfServer lists the shares of one server and counts all of them; NotFound when there is no such server.
func (s *Shares) OfServer(ctx context.Context, owner, server string, offset, limit int) ([]ShareView, int, error) {
	target, err := s.server(ctx, owner, server)
	if err != nil {
		return nil, 0, err
	}
	rows, total, err := s.store.SharesOfServer(ctx, target.row.ID, orm.ShareQuery{Offset: offset, Limit: limit})
	return s.page(ctx, rows, total, err)
}

// OfOwner lists the shares of all servers of an owner.
func (s *Shares) OfOwner(ctx context.Context, owner string, offset, limit int) ([]ShareView, int, error) {
	user, err := s.user(ctx, owner)
	if err != nil {
		return nil, 0, err
	}
	rows, total, err := s.store.SharesOfOwner(ctx, user.ID, orm.ShareQuery{Offset: offset, Limit: limit})
	return s.page(ctx, rows, total, err)
}

// WithUser lists what is shared with a user, through groups as well.
func (s *Shares) WithUser(ctx context.Context, user string, offset, limit int) ([]ShareView, int, error) {
	row, err := s.user(ctx, user)
	if err != nil {
		return nil, 0, err
	}
	rows, total, err := s.store.SharesWithUser(ctx, row.ID, orm.ShareQuery{Offset: offset, Limit: limit})
	return s.page(ctx, rows, total, err)
}

// SharedWith lists what is shared with a user who is known already, through groups as well, without counting it.
func (s *Shares) SharedWith(ctx context.Context, user *orm.User, limit int) ([]ShareView, error) {
	if found, err := s.store.AnyShareWithUser(ctx, user.ID); err != nil {
		return nil, storeErr(err, "list shares")
	} else if !found {
		return nil, nil
	}
	rows, total, err := s.store.SharesWithUser(ctx, user.ID, orm.ShareQuery{Limit: limit})
	views, _, err := s.page(ctx, rows, total, err)
	return views, err
}

// WithGroup lists what is shared with a group.
func (s *Shares) WithGroup(ctx context.Context, group string, offset, limit int) ([]ShareView, int, error) {
	row, err := groupByName(ctx, s.store, group)
	if err != nil {
		return nil, 0, notFound(err, "No such group: %s", group)
	}
	rows, total, err := s.store.SharesWithGroup(ctx, row.ID, orm.ShareQuery{Offset: offset, Limit: limit})
	return s.page(ctx, rows, total, err)
}

// GetWithUser returns the direct share of one server with a user.
func (s *Shares) GetWithUser(ctx context.Context, user, owner, server string) (*ShareView, error) {
	found, err := s.find(ctx, s.store, Grantee{User: user}, owner, server)
	if err != nil {
		return nil, err
	}
	return s.view(ctx, found)
}

// GetWithGroup returns the share of one server with a group.
func (s *Shares) GetWithGroup(ctx context.Context, group, owner, server string) (*ShareView, error) {
	found, err := s.find(ctx, s.store, Grantee{Group: group}, owner, server)
	if err != nil {
		return nil, err
	}
	return s.view(ctx, found)
}

// LeaveUser deletes a user's own direct share of a server.
func (s *Shares) LeaveUser(ctx context.Context, user, owner, server string) error {
	return s.leave(ctx, Grantee{User: user}, owner, server)
}

// LeaveGroup deletes a group's share of a server.
func (s *Shares) LeaveGroup(ctx context.Context, group, owner, server string) error {
	return s.leave(ctx, Grantee{Group: group}, owner, server)
}

func (s *Shares) leave(ctx context.Context, who Grantee, owner, server string) error {
	found, err := s.find(ctx, s.store, who, owner, server)
	if err != nil {
		return err
	}
	s.log.InfoContext(ctx, "share left", "user", who.User, "group", who.Group, "server", owner+"/"+server)
	return storeErr(s.store.DeleteShares(ctx, []int64{found.share.ID}), "delete share")
}

// shared is a server that is, or is to be, shared.
type shared struct {
	owner *orm.User
	row   *orm.Spawner
}

// holder is a resolved Grantee.
type holder struct {
	Grantee
	userID, groupID *int64
}

// foundShare is a share with everybody it is about.
type foundShare struct {
	shared
	holder
	share *orm.Share
}

func (s *Shares) user(ctx context.Context, name string) (*orm.User, error) {
	row, err := userByName(ctx, s.store, name)
	return row, notFound(err, "No such user: %s", name)
}

func (s *Shares) server(ctx context.Context, owner, server string) (shared, error) {
	return lookupServer(ctx, s.store, owner, server)
}

func lookupServer(ctx context.Context, store *orm.Store, owner, server string) (shared, error) {
	user, err := userByName(ctx, store, owner)
	if err != nil {
		return shared{}, notFound(err, "No such server: %s/%s", owner, server)
	}
	row, err := spawnerByName(ctx, store, user.ID, server)
	if server == "" && errors.Is(err, orm.ErrNotFound) {
		return shared{owner: user, row: &orm.Spawner{UserID: user.ID}}, nil // the default server always exists, with or without a row
	}
	if err != nil {
		return shared{}, notFound(err, "No such server: %s/%s", owner, server)
	}
	return shared{owner: user, row: row}, nil
}

// withRow makes the row of a default server that never ran: what is shared needs something to refer to.
func (s *Shares) withRow(ctx context.Context, t shared) (shared, error) {
	if t.row.ID != 0 {
		return t, nil
	}
	row := &orm.Spawner{UserID: t.owner.ID}
	err := s.store.CreateSpawner(ctx, row)
	if errors.Is(err, orm.ErrConflict) { // somebody else was faster
		return s.server(ctx, t.owner.Name, "")
	}
	return shared{owner: t.owner, row: row}, storeErr(err, "create row of default server")
}

// resolve looks up who gets a share; Invalid when there is no such user or group.
func resolve(ctx context.Context, store *orm.Store, to Grantee) (holder, error) {
	if to.User != "" {
		row, err := userByName(ctx, store, to.User)
		if err = notFound(err, "No such user: %s", to.User); err != nil {
			return holder{}, invalidIfMissing(err)
		}
		return holder{Grantee: to, userID: &row.ID}, nil
	}
	row, err := groupByName(ctx, store, to.Group)
	if err = notFound(err, "No such group: %s", to.Group); err != nil {
		return holder{}, invalidIfMissing(err)
	}
	return holder{Grantee: to, groupID: &row.ID}, nil
}

func invalidIfMissing(err error) error {
	if e, ok := err.(*Error); ok && e.Kind == NotFound {
		e.Kind = Invalid
	}
	return err
}

// find looks up the share of a server with someone; NotFound, with the same message, when any of them is missing.
func (s *Shares) find(ctx context.Context, store *orm.Store, who Grantee, owner, server string) (*foundShare, error) {
	kind, name := "user", who.User
	if who.Group != "" {
		kind, name = "group", who.Group
	}
	missing := errorf(NotFound, "No such share for %s %s on %s/%s", kind, name, owner, server)
	to, err := resolve(ctx, store, who)
	if KindOf(err) == Invalid {
		return nil, missing
	}
	if err != nil {
		return nil, err
	}
	target, err := lookupServer(ctx, store, owner, server)
	if KindOf(err) == NotFound {
		return nil, missing
	}
	if err != nil {
		return nil, err
	}
	share, err := store.FindShare(ctx, target.row.ID, to.userID, to.groupID)
	if err != nil {
		return nil, notFound(err, "%s", missing.Message)
	}
	return &foundShare{shared: target, holder: to, share: share}, nil
}

// view completes one share.
func (s *Shares) view(ctx context.Context, f *foundShare) (*ShareView, error) {
	row := orm.ShareRow{Share: *f.share, OwnerName: f.owner.Name, ServerName: f.row.Name, UserName: f.User, GroupName: f.Group}
	views, _, err := s.page(ctx, []orm.ShareRow{row}, 1, nil)
	if err != nil {
		return nil, err
	}
	return &views[0], nil
}

func (s *Shares) page(ctx context.Context, rows []orm.ShareRow, total int, err error) ([]ShareView, int, error) {
	if err != nil {
		return nil, 0, storeErr(err, "list shares")
	}
	owners := make([]int64, len(rows))
	for i := range rows {
		owners[i] = rows[i].OwnerID
	}
	servers, err := s.serversOf(ctx, owners)
	if err != nil {
		return nil, 0, err
	}
	views := make([]ShareView, len(rows))
	for i, row := range rows {
		views[i] = ShareView{ShareRow: row, Server: servers.view(row.SpawnerID, row.OwnerID, row.OwnerName, row.ServerName)}
	}
	return views, total, nil
}

// spawnerViews are servers by the id of their row.
type spawnerViews map[int64]ServerView

func (v spawnerViews) view(spawnerID, ownerID int64, owner, name string) ServerView {
	if view, ok := v[spawnerID]; ok {
		return view
	}
	return ServerView{Spawner: orm.Spawner{ID: spawnerID, UserID: ownerID, Name: name}, UserName: owner}
}

// serversOf loads the servers of owners in a constant number of queries.
func (s *Shares) serversOf(ctx context.Context, owners []int64) (spawnerViews, error) {
	users, err := s.store.UsersByID(ctx, owners)
	if err != nil {
		return nil, storeErr(err, "load owners of shares")
	}
	list := make([]orm.User, 0, len(users))
	for _, user := range users {
		list = append(list, *user)
	}
	byUser, err := s.servers.Views(ctx, list)
	if err != nil {
		return nil, storeErr(err, "load shared servers")
	}
	out := spawnerViews{}
	for _, views := range byUser {
		for _, view := range views {
			out[view.ID] = view
		}
	}
	return out, nil
}
