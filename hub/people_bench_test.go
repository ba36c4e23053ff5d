package hub_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/orm"
)

// benchPeople has n users in 20 groups, some with servers.
func benchPeople(b *testing.B, n int) *people {
	b.Helper()
	p := newPeople(b)
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("user-%05d", i)
	}
	_, err := p.users.Create(b.Context(), nil, names, false)
	noErr(b, err)
	for i := range 20 {
		_, err := p.groups.CreateOne(b.Context(), fmt.Sprintf("group-%d", i), names[i*n/20:(i+1)*n/20])
		noErr(b, err)
	}
	return p
}

func BenchmarkByTokenCached(b *testing.B) {
	p := newPeople(b)
	p.user("alice")
	token := p.token("alice", "inherit")
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if id, err := p.access.ByToken(ctx, token); err != nil || id == nil {
			b.Fatal(id, err)
		}
	}
}

func BenchmarkByTokenParallel(b *testing.B) {
	p := newPeople(b)
	p.user("alice")
	token := p.token("alice", "inherit")
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if id, err := p.access.ByToken(b.Context(), token); err != nil || id == nil {
				b.Error(id, err)
				return
			}
		}
	})
}

// Every round something else has been committed, so nothing of the cache counts.
func BenchmarkByTokenUncached(b *testing.B) {
	p := newPeople(b)
	u := p.user("alice")
	token := p.token("alice", "inherit")
	ctx := b.Context()
	at := time.Now()
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		at = at.Add(time.Second)
		noErr(b, p.store.TouchUsers(ctx, map[int64]time.Time{u.ID: at}))
		b.StartTimer()
		if id, err := p.access.ByToken(ctx, token); err != nil || id == nil {
			b.Fatal(id, err)
		}
	}
}

func BenchmarkByTokenUnknown(b *testing.B) {
	p := newPeople(b)
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if id, err := p.access.ByToken(ctx, "0123456789abcdef0123456789abcdef"); err != nil || id != nil {
			b.Fatal(id, err)
		}
	}
}

func BenchmarkCheckOwn(b *testing.B) {
	p := newPeople(b)
	p.user("alice")
	id := p.as("alice")
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if err := p.access.Check(ctx, id, p.access.OnServer(ctx, "alice", ""), "read:servers"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkListUsers(b *testing.B) {
	p := benchPeople(b, 10_000)
	for _, q := range []orm.UserQuery{{Limit: 50}, {Limit: 200}, {Limit: 50, Offset: 9_000, Sort: "name"}} {
		b.Run(fmt.Sprintf("limit=%d,offset=%d,of=10000", q.Limit, q.Offset), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if page, err := p.users.List(b.Context(), q); err != nil || len(page.Users) != q.Limit {
					b.Fatal(len(page.Users), err)
				}
			}
		})
	}
}

func BenchmarkSetup(b *testing.B) {
	p := benchPeople(b, 10_000)
	b.ReportAllocs()
	for b.Loop() {
		p.mustSetup(hub.SetupSpecs{})
	}
}
