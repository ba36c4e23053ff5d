package orm_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/minihub/minihub/orm"
)

func TestLock(t *testing.T) {
	urls := map[string]func(*testing.T) string{"sqlite": func(t *testing.T) string { return filepath.Join(t.TempDir(), "db.sqlite") }, "postgres": postgresURL}
	for name, url := range urls {
		t.Run(name, func(t *testing.T) {
			at := url(t)
			first, second := open(t, at), open(t, at)
			unlock, err := first.Lock(t.Context())
			ok(t, err)
			_, err = second.Lock(t.Context())
			if used, is := errors.AsType[*orm.InUseError](err); !is || !strings.Contains(used.Holder, fmt.Sprintf("process %d", os.Getpid())) {
				t.Fatalf("while another hub runs: %v", err)
			}
			addUser(t, second, "ann") // other programs may write all the same
			ok(t, unlock())
			again, err := second.Lock(t.Context())
			ok(t, err)
			ok(t, again())
			if name == "sqlite" {
				if left := must(filepath.Glob(at + ".*")); len(left) > 0 {
					t.Errorf("left behind: %v", left)
				}
			}
		})
	}
}
