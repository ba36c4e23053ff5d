package orm_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/minihub/minihub/orm"
)

// benchStore is a hub of 1000 users in 20 groups, with a token and a server each.
func benchStore(b *testing.B) (*orm.Store, []int64) {
	s := open(b, filepath.Join(b.TempDir(), "db.sqlite"))
	ctx := b.Context()
	var users []*orm.User
	var ids []int64
	role := &orm.Role{Name: "user", Scopes: orm.JSONList{"self"}}
	ok(b, s.CreateRole(ctx, role))
	ok(b, s.Tx(ctx, func(tx *orm.Store) error {
		for i := range 1000 {
			users = append(users, &orm.User{Name: fmt.Sprintf("user%04d", i)})
		}
		ok(b, tx.CreateUsers(ctx, users))
		for i, u := range users {
			ids = append(ids, u.ID)
			plain := orm.NewToken()
			ok(b, tx.CreateToken(ctx, &orm.APIToken{UserID: &u.ID, Hashed: orm.HashToken(plain, 1), Prefix: plain[:4], ClientID: ptr("jupyterhub")}))
			ok(b, tx.CreateSpawner(ctx, &orm.Spawner{UserID: u.ID, Name: "", State: orm.JSONDict{"pid": int64(i)}}))
		}
		for g := range 20 {
			group := &orm.Group{Name: fmt.Sprint("group", g)}
			ok(b, tx.CreateGroups(ctx, []*orm.Group{group}))
			ok(b, tx.AddToGroup(ctx, group.ID, ids[g*50:g*50+50]))
		}
		return tx.Grant(ctx, orm.HolderUser, ids, role.ID, false)
	}))
	b.ResetTimer()
	return s, ids
}

func BenchmarkGeneration(b *testing.B) {
	s, _ := benchStore(b)
	for b.Loop() {
		must(s.Generation(b.Context()))
	}
}

func BenchmarkGenerationRollbackJournal(b *testing.B) {
	s := openWith(b, orm.Options{URL: filepath.Join(b.TempDir(), "db.sqlite"), NoWAL: true})
	for b.Loop() {
		must(s.Generation(b.Context()))
	}
}

func BenchmarkTokensByPrefix(b *testing.B) {
	s, _ := benchStore(b)
	now := time.Now()
	for b.Loop() {
		must(s.TokensByPrefix(b.Context(), "abcd", now))
	}
}

func BenchmarkAuthorityOfUser(b *testing.B) {
	s, ids := benchStore(b)
	for i := 0; b.Loop(); i++ {
		must(s.AuthorityOfUser(b.Context(), ids[i%len(ids)]))
	}
}

func BenchmarkListUsersPage(b *testing.B) {
	s, _ := benchStore(b)
	for b.Loop() {
		_, _, err := s.ListUsers(b.Context(), orm.UserQuery{Limit: 50, Offset: 500})
		ok(b, err)
	}
}

func BenchmarkWrite(b *testing.B) {
	s, ids := benchStore(b)
	for i := 0; b.Loop(); i++ {
		ok(b, s.TouchUsers(b.Context(), map[int64]time.Time{ids[i%len(ids)]: time.Now()}))
	}
}
