package orm_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/minihub/minihub/orm"
)

// Our migrations and JupyterHub's leave the same schema, defaults included.
func TestUpgradeIsThatOfJupyterHub(t *testing.T) {
	for _, revision := range []string{"4621fec11365", "3c2384c5aae1"} {
		dir := t.TempDir()
		old := filepath.Join(dir, "old.sqlite")
		python(t, "write.py", old, sharedToken)
		python(t, "upgrade.py", old, "down", revision)
		ours, theirs := filepath.Join(dir, "ours.sqlite"), filepath.Join(dir, "theirs.sqlite")
		for _, name := range []string{ours, theirs} {
			ok(t, os.WriteFile(name, must(os.ReadFile(old)), 0o600))
		}
		python(t, "upgrade.py", theirs, "up")
		s := openWith(t, orm.Options{URL: ours, Upgrade: true})
		if n := must(s.CountUsers(t.Context())); n != 2 {
			t.Errorf("%s: %d users", revision, n)
		}
		ok(t, s.Close())
		if diff := cmp.Diff(columnOrder(t, theirs), columnOrder(t, ours)); diff != "" {
			t.Errorf("%s: columns (-jupyterhub +minihub):\n%s", revision, diff)
		}
		if diff := cmp.Diff(liteSchema(t, theirs), liteSchema(t, ours)); diff != "" {
			t.Errorf("%s: schema (-jupyterhub +minihub):\n%s", revision, diff)
		}
		python(t, "read.py", ours, sharedToken)
	}
}
