package orm_test

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/minihub/minihub/orm"
)

// childVariable tells the test binary to be the second process of a test.
const childVariable = "MINIHUB_ORM_TEST_CHILD"

func TestMain(m *testing.M) {
	if job := os.Getenv(childVariable); job != "" {
		child(job)
		return
	}
	os.Exit(m.Run())
}

// child is another program at the same database. "commit" commits once per line that it reads; "transactions" writes for ever.
func child(job string) {
	kind, path, _ := strings.Cut(job, " ")
	ctx := context.Background()
	if kind == "transactions" {
		childTransactions(ctx, path)
		return
	}
	db := must(sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(5000)"))
	lines := bufio.NewScanner(os.Stdin)
	for n := 0; lines.Scan(); n++ {
		query := lines.Text()
		if _, err := db.Exec(query); err != nil {
			fmt.Println("error", err)
			continue
		}
		fmt.Println("done")
	}
}

type otherProcess struct {
	in  *bufio.Writer
	out *bufio.Scanner
}

func startOther(t *testing.T, path string) *otherProcess {
	t.Helper()
	cmd := exec.Command(must(os.Executable()))
	cmd.Env = append(os.Environ(), childVariable+"=commit "+path)
	cmd.Stderr = os.Stderr
	in, out := must(cmd.StdinPipe()), must(cmd.StdoutPipe())
	ok(t, cmd.Start())
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	return &otherProcess{in: bufio.NewWriter(in), out: bufio.NewScanner(out)}
}

func (o *otherProcess) exec(t *testing.T, query string) {
	t.Helper()
	must(o.in.WriteString(query + "\n"))
	ok(t, o.in.Flush())
	if !o.out.Scan() || o.out.Text() != "done" {
		t.Fatalf("other process, %s: %s", query, o.out.Text())
	}
}

// generations remembers every generation seen and complains when one comes back.
type generations struct {
	t    *testing.T
	s    *orm.Store
	seen map[string]string
	last string
}

func (g *generations) changed(what string) {
	g.t.Helper()
	now := must(g.s.Generation(g.t.Context()))
	if before, old := g.seen[now]; old {
		g.t.Errorf("after %s the generation is %q, as after %s", what, now, before)
	}
	g.seen[now], g.last = what, now
	if again := must(g.s.Generation(g.t.Context())); again != now && !strings.Contains(now, ":") {
		g.t.Errorf("generation moved from %q to %q without a commit", now, again)
	}
}

func TestGenerationChangesWithEveryCommit(t *testing.T) {
	onAll(t, func(t *testing.T, s *orm.Store) {
		ctx := t.Context()
		g := &generations{t: t, s: s, seen: map[string]string{}}
		g.changed("open")
		u := addUser(t, s, "a")
		g.changed("insert")
		for i := range 50 {
			ok(t, s.SetMeta(ctx, "k", fmt.Sprint(i)))
			g.changed(fmt.Sprint("update ", i))
		}
		u.Admin = true
		ok(t, s.Tx(ctx, func(tx *orm.Store) error { return tx.UpdateUser(ctx, u, "admin") }))
		g.changed("transaction")
		before := must(s.Generation(ctx))
		_ = s.Tx(ctx, func(tx *orm.Store) error {
			u.Admin = false
			ok(t, tx.UpdateUser(ctx, u, "admin"))
			if now := must(s.Generation(ctx)); now != before && !strings.Contains(now, ":") {
				t.Errorf("generation moved before the commit, from %q to %q", before, now)
			}
			return context.Canceled
		})
		if !must(s.User(ctx, u.ID)).Admin {
			t.Error("a transaction that failed was committed")
		}
	})
}

func TestGenerationSeesOtherProcesses(t *testing.T) {
	for _, mode := range []string{"WAL", "DELETE"} {
		t.Run(mode, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "db.sqlite")
			ok(t, open(t, path).Close())
			other := startOther(t, path)
			s := openWith(t, orm.Options{URL: path, NoWAL: mode == "DELETE"})
			g := &generations{t: t, s: s, seen: map[string]string{}}
			g.changed("open")
			for i := range 20 {
				other.exec(t, fmt.Sprintf("INSERT INTO users (name, cookie_id) VALUES ('u%d', 'c%d')", i, i))
				g.changed(fmt.Sprint("insert ", i))
				if _, err := s.UserByName(t.Context(), fmt.Sprint("u", i)); err != nil {
					t.Errorf("row of the other process: %v", err)
				}
			}
			other.exec(t, "CREATE TABLE extra (x)")
			g.changed("create table")
			other.exec(t, "DROP TABLE extra")
			g.changed("drop table")
			other.exec(t, "PRAGMA wal_checkpoint(TRUNCATE)")
			other.exec(t, "DELETE FROM users WHERE name = 'u1'")
			g.changed("delete after checkpoint")
		})
	}
}

// The conformance suite creates and drops a table after every answer: no lock may be left, and kept statements must go on.
func TestNoLockIsLeftAndSchemaMayChange(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db.sqlite")
	s := open(t, path)
	ctx := t.Context()
	raw := must(sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(0)"))
	defer raw.Close()
	u := addUser(t, s, "ada")
	steps := map[string]func() error{
		"read":       func() error { return second(s.User(ctx, u.ID)) },
		"view":       func() error { return second(s.AuthorityOfUser(ctx, u.ID)) },
		"write":      func() error { return s.UpdateUser(ctx, u, "admin") },
		"failed":     func() error { _ = s.CreateUsers(ctx, []*orm.User{{Name: "ada"}}); return nil },
		"not found":  func() error { _, _ = s.User(ctx, 99); return nil },
		"generation": func() error { return second(s.Generation(ctx)) },
		"broken loop": func() error {
			for range s.AllUsers(ctx) {
				break
			}
			return nil
		},
		"cancelled": func() error {
			gone, cancel := context.WithCancel(ctx)
			cancel()
			_ = s.UpdateUser(gone, u, "admin")
			return nil
		},
	}
	for round := range 3 {
		for what, step := range steps {
			ok(t, step())
			for _, query := range []string{"CREATE TABLE scratch (x)", "DROP TABLE scratch"} {
				if _, err := raw.Exec(query); err != nil {
					t.Errorf("round %d, after %s: %s: %v", round, what, query, err)
				}
			}
		}
	}
}

func TestWritersWaitForEachOther(t *testing.T) {
	onAll(t, func(t *testing.T, s *orm.Store) {
		ctx := t.Context()
		u := addUser(t, s, "ada")
		ok(t, s.SetMeta(ctx, "n", "0"))
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range 10 {
					if _, err := s.AuthorityOfUser(ctx, u.ID); err != nil {
						t.Error(err)
					}
					err := s.Tx(ctx, func(tx *orm.Store) error {
						if strings.HasPrefix(t.Name(), "TestWritersWaitForEachOther/postgres") {
							ok(t, orm.RawExec(ctx, tx, `LOCK TABLE minihub_meta IN EXCLUSIVE MODE`))
						}
						n := must(tx.Meta(ctx, "n"))
						var i int
						must(fmt.Sscan(n, &i))
						return tx.SetMeta(ctx, "n", fmt.Sprint(i+1))
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		if n := must(s.Meta(ctx, "n")); n != "80" {
			t.Errorf("counted to %s, want 80", n)
		}
	})
}

func TestTx(t *testing.T) {
	onAll(t, func(t *testing.T, s *orm.Store) {
		ctx := t.Context()
		err := s.Tx(ctx, func(tx *orm.Store) error {
			ok(t, tx.CreateUsers(ctx, []*orm.User{{Name: "a"}}))
			return tx.Tx(ctx, func(inner *orm.Store) error {
				must(inner.UserByName(ctx, "a"))
				return context.DeadlineExceeded
			})
		})
		if err != context.DeadlineExceeded {
			t.Errorf("Tx returned %v, want the function's error as it is", err)
		}
		func() {
			defer func() { _ = recover() }()
			_ = s.Tx(ctx, func(tx *orm.Store) error {
				ok(t, tx.CreateUsers(ctx, []*orm.User{{Name: "b"}}))
				panic("test")
			})
		}()
		if n := must(s.CountUsers(ctx)); n != 0 {
			t.Errorf("%d users after roll back", n)
		}
		addUser(t, s, "c") // the writer is free again
	})
}

func TestOnQuery(t *testing.T) {
	var n atomic.Int64
	s := openWith(t, orm.Options{URL: "sqlite://", OnQuery: counting(&n)})
	before := n.Load()
	must(s.CountUsers(t.Context()))
	if n.Load() != before+1 {
		t.Errorf("%d statements for one count", n.Load()-before)
	}
}
