package orm_test

import (
	"testing"

	"github.com/minihub/minihub/orm"
)

func TestSmoke(t *testing.T) {
	onAll(t, func(t *testing.T, s *orm.Store) {
		ctx := t.Context()
		g0 := must(s.Generation(ctx))
		u := addUser(t, s, "ada")
		g1 := must(s.Generation(ctx))
		if g0 == g1 {
			t.Fatal(g0, g1)
		}
		addServer(t, s, u, "x")
		a := must(s.AuthorityOfUser(ctx, u.ID))
		t.Logf("%+v %s", a, g1)
		t.Logf("%+v", must(s.RunningSpawners(ctx)))
		ok(t, s.DeleteUser(ctx, u.ID))
	})
}
func BenchmarkGen(b *testing.B) {
	s := openWith(b, orm.Options{URL: b.TempDir() + "/x.sqlite"})
	for b.Loop() {
		if _, err := s.Generation(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
