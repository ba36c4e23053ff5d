package hub

import (
	"context"
	"errors"
	"log/slog"
	"slices"

	"github.com/minihub/minihub/auth"
	"github.com/minihub/minihub/orm"
)

// GroupView is a group with members and roles.
type GroupView struct {
	orm.Group
	Users []string // in the order in which the users were created
	Roles []string // sorted
}

// GroupsOptions configure Groups.
type GroupsOptions struct {
	Store  *orm.Store
	Rules  *auth.Rules // normalises member names
	Logger *slog.Logger
}

// Groups manages groups. Safe for concurrent use. It works with manage_groups too: the next login of a member overwrites.
type Groups struct {
	store *orm.Store
	rules *auth.Rules
	log   *slog.Logger
}

// NewGroups returns Groups.
func NewGroups(o GroupsOptions) *Groups {
	return &Groups{store: o.Store, rules: o.Rules, log: logger(o.Logger)}
}

// Get returns one group; NotFound when there is none of that name.
func (g *Groups) Get(ctx context.Context, name string) (*GroupView, error) {
	row, err := g.find(ctx, g.store, name)
	if err != nil {
		return nil, err
	}
	views, err := g.views(ctx, g.store, []orm.Group{*row})
	if err != nil {
		return nil, err
	}
	return &views[0], nil
}

// List returns one page of groups and the number of all that match.
func (g *Groups) List(ctx context.Context, q orm.GroupQuery) ([]GroupView, int, error) {
	rows, total, err := g.store.ListGroups(ctx, q)
	if err != nil {
		return nil, 0, storeErr(err, "list groups")
	}
	views, err := g.views(ctx, g.store, rows)
	return views, total, err
}

// Create makes several groups, each with the same members, or none (POST /groups). Conflict when one exists, Invalid for a name that
// cannot be and for a member who does not exist.
func (g *Groups) Create(ctx context.Context, names, users []string) ([]GroupView, error) {
	if len(names) == 0 {
		return nil, errorf(Invalid, "Must specify at least one group to create")
	}
	for i, name := range names {
		if err := auth.ValidateGroupName(name); err != nil {
			return nil, errorf(Invalid, "Invalid group name: %s", auth.ShortName(name)).withHint("%s", err)
		}
		if slices.Contains(names[:i], name) {
			return nil, errorf(Invalid, "Group %s is named twice", name)
		}
	}
	var views []GroupView
	err := g.store.Tx(ctx, func(tx *orm.Store) error {
		existing, err := tx.GroupsByName(ctx, names)
		if err != nil {
			return err
		}
		for _, name := range names {
			if existing[name] != nil {
				return errorf(Conflict, "Group %s already exists", name)
			}
		}
		members, err := g.members(ctx, tx, users)
		if err != nil {
			return err
		}
		views, err = g.insert(ctx, tx, names, members)
		return err
	})
	if errors.Is(err, orm.ErrConflict) {
		return nil, errorf(Conflict, "One of the groups was created by someone else at the same time").because(err)
	}
	if err != nil {
		return nil, domainErr(err, "create groups")
	}
	for _, name := range names {
		g.log.InfoContext(ctx, "group created", "group", name, "members", len(users))
	}
	return views, nil
}

func (g *Groups) insert(ctx context.Context, tx *orm.Store, names []string, members []int64) ([]GroupView, error) {
	rows := make([]*orm.Group, len(names))
	for i, name := range names {
		rows[i] = &orm.Group{Name: name}
	}
	if err := tx.CreateGroups(ctx, rows); err != nil {
		return nil, err
	}
	made := make([]orm.Group, len(rows))
	for i, row := range rows {
		if err := tx.AddToGroup(ctx, row.ID, members); err != nil {
			return nil, err
		}
		made[i] = *row
	}
	return g.views(ctx, tx, made)
}

// CreateOne makes one group (POST /groups/{group}).
func (g *Groups) CreateOne(ctx context.Context, name string, users []string) (*GroupView, error) {
	views, err := g.Create(ctx, []string{name}, users)
	if err != nil {
		return nil, err
	}
	return &views[0], nil
}

// Delete deletes a group with its memberships, roles and shares.
func (g *Groups) Delete(ctx context.Context, name string) error {
	row, err := g.find(ctx, g.store, name)
	if err != nil {
		return err
	}
	g.log.InfoContext(ctx, "group deleted", "group", name)
	return notFound(g.store.DeleteGroup(ctx, row.ID), "No such group: %s", name)
}

// AddUsers adds members; those who are already in it are ignored. Invalid when one does not exist; then none is added.
func (g *Groups) AddUsers(ctx context.Context, name string, users []string) (*GroupView, error) {
	return g.change(ctx, name, func(tx *orm.Store, row *orm.Group) error {
		ids, err := g.members(ctx, tx, users)
		if err != nil {
			return err
		}
		return tx.AddToGroup(ctx, row.ID, ids)
	})
}

// RemoveUsers removes members; those who are not in it are ignored. Invalid when one does not exist; then none is removed.
func (g *Groups) RemoveUsers(ctx context.Context, name string, users []string) (*GroupView, error) {
	return g.change(ctx, name, func(tx *orm.Store, row *orm.Group) error {
		ids, err := g.members(ctx, tx, users)
		if err != nil {
			return err
		}
		return tx.RemoveFromGroup(ctx, row.ID, ids)
	})
}

// SetProperties replaces the properties of a group.
func (g *Groups) SetProperties(ctx context.Context, name string, props map[string]any) (*GroupView, error) {
	if props == nil {
		return nil, errorf(Invalid, "Must specify properties")
	}
	return g.change(ctx, name, func(tx *orm.Store, row *orm.Group) error {
		row.Properties = props
		return tx.UpdateGroup(ctx, row, "properties")
	})
}

func (g *Groups) change(ctx context.Context, name string, fn func(tx *orm.Store, row *orm.Group) error) (*GroupView, error) {
	var view *GroupView
	err := g.store.Tx(ctx, func(tx *orm.Store) error {
		row, err := g.find(ctx, tx, name)
		if err != nil {
			return err
		}
		if err := fn(tx, row); err != nil {
			return err
		}
		views, err := g.views(ctx, tx, []orm.Group{*row})
		if err == nil {
			view = &views[0]
		}
		return err
	})
	if err != nil {
		return nil, domainErr(err, "change group %q", name)
	}
	g.log.InfoContext(ctx, "group changed", "group", name)
	return view, nil
}

// domainErr leaves *Error as it is and treats the rest like storeErr: for errors that come out of a transaction.
func domainErr(err error, format string, args ...any) error {
	if KindOf(err) != 0 {
		return err
	}
	return storeErr(err, format, args...)
}

func (g *Groups) find(ctx context.Context, store *orm.Store, name string) (*orm.Group, error) {
	row, err := groupByName(ctx, store, name)
	return row, notFound(err, "No such group: %s", name)
}

// members returns the ids of users by name; Invalid for the first who does not exist.
func (g *Groups) members(ctx context.Context, tx *orm.Store, names []string) ([]int64, error) {
	normal := make([]string, len(names))
	for i, name := range names {
		normal[i] = g.rules.Normalize(name)
	}
	ids, missing, err := holderIDs(ctx, tx, orm.HolderUser, normal)
	if err != nil {
		return nil, err
	}
	if len(missing) > 0 {
		return nil, errorf(Invalid, "No such user: %s", auth.ShortName(missing[0]))
	}
	return ids, nil
}

func (g *Groups) views(ctx context.Context, store *orm.Store, rows []orm.Group) ([]GroupView, error) {
	ids := make([]int64, len(rows))
	for i := range rows {
		ids[i] = rows[i].ID
	}
	members, err := store.MemberNames(ctx, ids)
	if err != nil {
		return nil, storeErr(err, "load members of groups")
	}
	roles, err := store.RoleNamesOfGroups(ctx, ids)
	if err != nil {
		return nil, storeErr(err, "load roles of groups")
	}
	views := make([]GroupView, len(rows))
	for i, row := range rows {
		views[i] = GroupView{Group: row, Users: members[row.ID], Roles: roles[row.ID]}
	}
	return views, nil
}
