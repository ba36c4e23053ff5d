package orm_test

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/minihub/minihub/orm"
)

func TestADatabaseInMemoryIsPutBack(t *testing.T) {
	s := open(t, "sqlite://")
	ctx := t.Context()
	add := func(name string) {
		t.Helper()
		if err := s.CreateUsers(ctx, []*orm.User{{Name: name}}); err != nil {
			t.Fatal(err)
		}
	}
	names := func() (out []string) {
		t.Helper()
		for _, n := range []string{"ann", "bob"} {
			switch _, err := s.UserByName(ctx, n); {
			case err == nil:
				out = append(out, n)
			case !errors.Is(err, orm.ErrNotFound):
				t.Fatal(err)
			}
		}
		return out
	}
	add("ann")
	if err := s.Snapshot(ctx, "one/../x"); err != nil {
		t.Fatal(err)
	}
	before, err := s.Generation(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // a snapshot can be used again
		add("bob")
		begin := time.Now()
		if err := s.Restore(ctx, "one/../x"); err != nil {
			t.Fatal(err)
		}
		t.Logf("restored in %s", time.Since(begin))
		if got := names(); len(got) != 1 || got[0] != "ann" {
			t.Errorf("users = %v, want ann only", got)
		}
	}
	if after, err := s.Generation(ctx); err != nil || after == before {
		t.Errorf("generation is %q as before, %v: caches would not notice", after, err)
	}
	add("bob")
	if err := s.Snapshot(ctx, "one/../x"); err != nil { // replaces the first
		t.Fatal(err)
	}
	if err := s.Restore(ctx, "one/../x"); err != nil || len(names()) != 2 {
		t.Errorf("users = %v, %v; want both", names(), err)
	}
	if err := s.Restore(ctx, "two"); !errors.Is(err, orm.ErrNotFound) {
		t.Errorf("an unknown snapshot: %v", err)
	}
}

func TestTimesGetOlder(t *testing.T) {
	s := open(t, "sqlite://")
	ctx := t.Context()
	created := time.Now().UTC().Truncate(time.Millisecond)
	if err := s.CreateUsers(ctx, []*orm.User{{Name: "ann", Created: &created}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Age(ctx, 90*time.Minute); err != nil {
		t.Fatal(err)
	}
	u, err := s.UserByName(ctx, "ann")
	if err != nil || u.Created == nil || !u.Created.Equal(created.Add(-90*time.Minute)) || u.LastActivity != nil {
		t.Errorf("user = %+v, %v; want created at %s, and no activity as before", u, err, created.Add(-90*time.Minute))
	}
}

func TestOnlyDatabasesInMemoryCanBeRewound(t *testing.T) {
	s := open(t, "sqlite:///"+filepath.Join(t.TempDir(), "hub.sqlite"))
	for name, err := range map[string]error{"Snapshot": s.Snapshot(t.Context(), "x"), "Restore": s.Restore(t.Context(), "x"), "Age": s.Age(t.Context(), time.Hour)} {
		if !errors.Is(err, orm.ErrNotVolatile) {
			t.Errorf("%s: %v, want ErrNotVolatile", name, err)
		}
	}
}
