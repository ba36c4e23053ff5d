package hub

import (
	"context"
	"sync/atomic"

	"github.com/minihub/minihub/orm"
)

// memo is what is remembered with an identity. It is as old as the identity, which the cache of Access drops with the next commit to
// the database that may concern it, so nothing in it can be stale.
type memo struct {
	own    atomic.Pointer[ownRows]
	answer atomic.Pointer[Answer]
}

// ownRows is what OwnView needs from the database beyond the identity.
type ownRows struct {
	spawners []orm.Spawner
}

// Answer is the finished answer of GET /user; Key says for which live state of the servers it is right.
type Answer struct {
	Key  string
	Body []byte
}

// Answer returns what SetAnswer left, nil when there is nothing.
func (i *Identity) Answer() *Answer {
	if i.memo == nil {
		return nil
	}
	return i.memo.answer.Load()
}

// SetAnswer remembers an answer with the identity; neither may be changed afterwards.
func (i *Identity) SetAnswer(a *Answer) {
	if i.memo != nil {
		i.memo.answer.Store(a)
	}
}

// liveViews is the part of Servers that tells the live state of rows that are known already.
type liveViews interface {
	ViewsOf(user *orm.User, rows []orm.Spawner) []ServerView
}

// OwnView is View for the user of an identity (GET /user): the rows are loaded once per identity, the live state of servers is
// always fresh.
func (u *Users) OwnView(ctx context.Context, id *Identity) (*UserView, error) {
	live, ok := u.servers.(liveViews)
	if !ok || id.memo == nil {
		return u.View(ctx, id.User)
	}
	rows := id.memo.own.Load()
	if rows == nil {
		ids := []int64{id.User.ID}
		spawners, err := u.store.SpawnersOfUsers(ctx, ids)
		if err != nil {
			return nil, storeErr(err, "load servers of user")
		}
		rows = &ownRows{spawners: spawners[id.User.ID]}
		id.memo.own.Store(rows)
	}
	return &UserView{User: *id.User, Groups: id.Groups, Roles: id.roles, Servers: live.ViewsOf(id.User, rows.spawners)}, nil
}
