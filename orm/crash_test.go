package orm_test

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/minihub/minihub/orm"
)

// childTransactions creates users with their servers, each pair in one transaction, until it is killed.
func childTransactions(ctx context.Context, path string) {
	s := must(orm.Open(ctx, orm.Options{URL: path}))
	start := must(s.CountUsers(ctx))
	for i := start; ; i++ {
		err := s.Tx(ctx, func(tx *orm.Store) error {
			u := &orm.User{Name: fmt.Sprint("u", i)}
			if err := tx.CreateUsers(ctx, []*orm.User{u}); err != nil {
				return err
			}
			return tx.CreateSpawner(ctx, &orm.Spawner{UserID: u.ID, Name: "", State: orm.JSONDict{"pid": int64(i)}})
		})
		if err != nil {
			fmt.Println("error", err)
			return
		}
		fmt.Println(i + 1)
	}
}

func TestKilledInTheMiddleOfTransactions(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db.sqlite")
	ctx := t.Context()
	for round := range 5 {
		cmd := exec.CommandContext(ctx, must(os.Executable()))
		cmd.Env = append(os.Environ(), childVariable+"=transactions "+path)
		out := must(cmd.StdoutPipe())
		ok(t, cmd.Start())
		lines, told := bufio.NewScanner(out), 0
		for n := 0; n < 10+7*round && lines.Scan(); n++ {
			must(fmt.Sscan(lines.Text(), &told))
		}
		ok(t, cmd.Process.Kill())
		for lines.Scan() { // what it had confirmed before it died
			if _, err := fmt.Sscan(lines.Text(), &told); err != nil {
				t.Fatal(lines.Text())
			}
		}
		_ = cmd.Wait()

		s := open(t, path)
		users, spawners := must(s.CountUsers(ctx)), must(orm.CountRows(ctx, s, "spawners"))
		if users < told || users > told+1 || users != spawners {
			t.Errorf("round %d: %d users, %d servers, %d confirmed", round, users, spawners, told)
		}
		ok(t, s.Close())
		raw := must(sql.Open("sqlite", path))
		var verdict string
		ok(t, raw.QueryRow(`PRAGMA integrity_check`).Scan(&verdict))
		ok(t, raw.Close())
		if verdict != "ok" {
			t.Errorf("round %d: %s", round, verdict)
		}
	}
}
