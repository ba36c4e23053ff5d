package orm_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/minihub/minihub/orm"
)

// sqlLog counts statements.
type sqlLog struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *sqlLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *sqlLog) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.b.String(), text)
}

// Writes that come together share a commit; each is there when its call returns, or not at all.
func TestGroupCommit(t *testing.T) {
	log := &sqlLog{}
	s := openWith(t, orm.Options{URL: filepath.Join(t.TempDir(), "db.sqlite"), LogSQL: true,
		Logger: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	ctx := t.Context()
	taken := addUser(t, s, "taken")
	before := log.count("query=COMMIT")
	begin := make(chan struct{})
	var wg sync.WaitGroup
	const n = 200
	fails := func(i int) bool { return i%10 >= 6 }
	for i := range n {
		wg.Go(func() {
			<-begin
			name := fmt.Sprintf("u%03d", i)
			mine, cancel := context.WithCancel(ctx)
			defer cancel()
			err := write(mine, cancel, s, i%10, name)
			switch {
			case fails(i) && err == nil:
				t.Errorf("%s: no error", name)
			case !fails(i) && err != nil:
				t.Errorf("%s: %v", name, err)
			}
			u, lookup := s.UserByName(ctx, name)
			switch {
			case fails(i) && !errors.Is(lookup, orm.ErrNotFound):
				t.Errorf("%s was not created, but is there: %v, %v", name, u, lookup)
			case !fails(i) && lookup != nil:
				t.Errorf("%s was created, but is not there: %v", name, lookup)
			}
		})
	}
	close(begin)
	wg.Wait()
	if got := must(s.CountUsers(ctx)); got != n*6/10+1 {
		t.Errorf("%d users, want %d", got, n*6/10+1)
	}
	if commits := log.count("query=COMMIT") - before; commits > n/2 {
		t.Errorf("%d commits for %d writes", commits, n)
	}
	if now := must(s.User(ctx, taken.ID)); now.Admin {
		t.Error("the change of a write that failed is there")
	}
	ok(t, s.SetMeta(ctx, "after", "all")) // the lead was given back
}

// Whoever is refused because of a row finds that row, also when it came in the same commit.
func TestConflictsInOneCommitAreSeen(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "db.sqlite"))
	ctx := t.Context()
	for i := range 20 {
		name := fmt.Sprint("u", i)
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				if err := s.CreateUsers(ctx, []*orm.User{{Name: name}}); err != nil && !errors.Is(err, orm.ErrConflict) {
					t.Error(err)
				}
				if _, err := s.UserByName(ctx, name); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	}
}

// write is one of several ways to create a user; those from 6 on fail.
func write(ctx context.Context, cancel func(), s *orm.Store, way int, name string) (err error) {
	create := func(tx *orm.Store) error { return tx.CreateUsers(ctx, []*orm.User{{Name: name}}) }
	switch way {
	case 6: // the second statement fails
		return s.Tx(ctx, func(tx *orm.Store) error {
			return errors.Join(create(tx), tx.CreateUsers(ctx, []*orm.User{{Name: "taken"}}))
		})
	case 7:
		defer func() { err = fmt.Errorf("panic: %v", recover()) }()
		return s.Tx(ctx, func(tx *orm.Store) error {
			_ = create(tx)
			panic("test")
		})
	case 8:
		done := make(chan struct{})
		go func() { // as t.FailNow does
			defer close(done)
			_ = s.Tx(ctx, func(tx *orm.Store) error {
				_ = create(tx)
				runtime.Goexit()
				return nil
			})
		}()
		<-done
		return errors.New("the goroutine ended")
	case 9: // gone before its turn
		cancel()
		return s.Tx(ctx, create)
	case 1: // gone in the middle: what was begun is finished
		return s.Tx(ctx, func(tx *orm.Store) error {
			cancel()
			return create(tx)
		})
	case 2:
		return s.Tx(ctx, func(tx *orm.Store) error { return tx.Tx(ctx, create) })
	}
	return create(s)
}
