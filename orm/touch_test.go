package orm_test

import (
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/minihub/minihub/orm"
)

func TestTouchMakesNoGeneration(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db.sqlite")
	s := open(t, path)
	ctx := t.Context()
	ada, bob := addUser(t, s, "ada"), addUser(t, s, "bob")
	sp := &orm.Spawner{UserID: bob.ID, Name: "x"}
	ok(t, s.CreateSpawner(ctx, sp))
	before := must(s.Generation(ctx))
	at := time.Now().UTC().Truncate(time.Microsecond)
	for _, row := range []struct {
		name     string
		touches  orm.Touches
		ada, bob bool // whose rows have moved
	}{
		{"a user", orm.Touches{Users: map[int64]time.Time{ada.ID: at}}, true, false},
		{"a server", orm.Touches{Spawners: map[int64]time.Time{sp.ID: at}}, false, true},
		{"a token", orm.Touches{Tokens: map[int64]time.Time{17: at}}, false, false},
		{"all", orm.Touches{Users: map[int64]time.Time{ada.ID: at.Add(1), bob.ID: at}, Tokens: map[int64]time.Time{17: at}}, true, true},
		{"nothing", orm.Touches{}, false, false},
	} {
		any, a, b, token := s.AnyTouched(), s.Touched(ada.ID, 0), s.Touched(bob.ID, 0), s.Touched(0, 17)
		ok(t, s.Touch(ctx, row.touches))
		if now := must(s.Generation(ctx)); now != before {
			t.Errorf("%s: generation %q, before %q", row.name, now, before)
		}
		if moved := s.Touched(ada.ID, 0) != a; moved != row.ada {
			t.Errorf("%s: ada moved: %v", row.name, moved)
		}
		if moved := s.Touched(bob.ID, 0) != b; moved != row.bob {
			t.Errorf("%s: bob moved: %v", row.name, moved)
		}
		if moved := s.Touched(0, 17) != token; moved != (len(row.touches.Tokens) > 0) {
			t.Errorf("%s: token moved: %v", row.name, moved)
		}
		if moved := s.AnyTouched() != any; moved != (row.name != "nothing") {
			t.Errorf("%s: anything moved: %v", row.name, moved)
		}
	}
	if got := must(s.User(ctx, bob.ID)).LastActivity; got == nil || !got.Equal(at) {
		t.Errorf("last activity of bob is %v, want %v", got, at)
	}
	ok(t, s.SetMeta(ctx, "k", "v"))
	if now := must(s.Generation(ctx)); now == before {
		t.Error("a real commit made no generation")
	}
}

// A commit of another process counts at once, also while activity is written all the time.
func TestTouchHidesNobodysCommit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db.sqlite")
	ok(t, open(t, path).Close())
	other := startOther(t, path)
	s := open(t, path)
	ctx := t.Context()
	ada := addUser(t, s, "ada")
	stop, touches := make(chan struct{}), 0
	var wg sync.WaitGroup
	wg.Go(func() {
		at, pace := time.Now().UTC(), time.NewTimer(0)
		defer pace.Stop()
		for {
			select {
			case <-stop:
				return
			case <-pace.C:
			}
			touches++
			at = at.Add(time.Millisecond)
			if err := s.Touch(ctx, orm.Touches{Users: map[int64]time.Time{ada.ID: at}}); err != nil {
				t.Error(err)
				return
			}
			pace.Reset(20 * time.Millisecond) // the other process wants to write, too
		}
	})
	seen := map[string]int{}
	for i := range 40 {
		other.exec(t, fmt.Sprintf("INSERT INTO users (name, cookie_id) VALUES ('u%d', 'c%d')", i, i))
		now := must(s.Generation(ctx))
		if before, old := seen[now]; old {
			t.Errorf("commit %d has the generation of commit %d", i, before)
		}
		seen[now] = i
		if err := s.SetMeta(ctx, "k", fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
		if again := must(s.Generation(ctx)); again == now {
			t.Errorf("own commit %d made no generation", i)
		}
	}
	close(stop)
	wg.Wait()
	if touches == 0 {
		t.Error("nothing was touched meanwhile")
	}
}
