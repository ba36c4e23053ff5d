package orm_test

import (
	"database/sql"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/minihub/minihub/orm"
)

// snapshot holds the content of every file of a folder.
func snapshot(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, entry := range must(os.ReadDir(dir)) {
		out[entry.Name()] = string(must(os.ReadFile(filepath.Join(dir, entry.Name()))))
	}
	return out
}

func TestInspectChangesNothing(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	path := filepath.Join(dir, "odd name?#%41.sqlite")
	look := func(what string, want orm.Inspection) {
		t.Helper()
		before := snapshot(t, dir)
		got, err := orm.Inspect(ctx, orm.Options{URL: path})
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		want.File, want.Want = path, orm.Head
		if !strings.Contains(got.Hint, want.Hint) || got.Hint != "" && want.Hint == "" {
			t.Errorf("%s: hint %q", what, got.Hint)
		}
		got.Hint = want.Hint
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
		if diff := cmp.Diff(before, snapshot(t, dir)); diff != "" {
			t.Errorf("%s: files changed:\n%s", what, diff)
		}
	}
	look("no file", orm.Inspection{State: orm.SchemaNone})

	s := openWith(t, orm.Options{URL: path})
	ann := addUser(t, s, "ann")
	addUser(t, s, "bob")
	addServer(t, s, ann, "")
	ok(t, s.CreateGroups(ctx, []*orm.Group{{Name: "g"}}))
	ok(t, s.CreateToken(ctx, &orm.APIToken{UserID: &ann.ID, Hashed: "h", Prefix: "pref"}))
	ok(t, s.Close())
	current := orm.Inspection{State: orm.SchemaCurrent, Revision: orm.Head, Users: 2, Groups: 1, Tokens: 2, Running: 1}
	look("current", current)
	statement(t, path, `PRAGMA journal_mode = WAL`)
	look("says that it has a log", current)
	statement(t, path, `PRAGMA journal_mode = DELETE`)

	for revision, want := range map[string]orm.Inspection{
		"4621fec11365": {State: orm.SchemaUpgradable, Hint: "minihub upgrade-db", Users: 2, Groups: 1, Tokens: 2, Running: 1},
		"833da8570507": {State: orm.SchemaUpgradable, Hint: "minihub upgrade-db", Users: 2, Groups: 1, Tokens: 2, Running: 1},
		"0123456789ab": {State: orm.SchemaUnknown, Hint: "newer JupyterHub"},
	} {
		statement(t, path, `UPDATE alembic_version SET version_num = '`+revision+`'`)
		want.Revision = revision
		look(revision, want)
	}
}

// A hub that runs, or was killed, has what it wrote last in the write-ahead log.
func TestInspectBesideRunningHub(t *testing.T) {
	path := filepath.Join(t.TempDir(), "jupyterhub.sqlite")
	s := openWith(t, orm.Options{URL: path})
	addUser(t, s, "ann")
	got, err := orm.Inspect(t.Context(), orm.Options{URL: path})
	if err != nil || got.Users != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	addUser(t, s, "bob") // nobody holds a lock
}

func TestInspectErrors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "text")
	ok(t, os.WriteFile(path, []byte(strings.Repeat("no database ", 100)), 0o600))
	if _, err := orm.Inspect(t.Context(), orm.Options{URL: path}); err == nil {
		t.Error("a text file is taken for a database")
	}
	ok(t, os.WriteFile(path+"-journal", []byte("something"), 0o600))
	if _, err := orm.Inspect(t.Context(), orm.Options{URL: path}); !errors.Is(err, orm.ErrUnfinished) {
		t.Errorf("with a journal: %v", err)
	}
	if _, err := orm.Inspect(t.Context(), orm.Options{URL: "mysql://h/d"}); !errors.Is(err, orm.ErrUnsupportedURL) {
		t.Errorf("mysql: %v", err)
	}
	if got, err := orm.Inspect(t.Context(), orm.Options{URL: "sqlite://"}); err != nil || got.State != orm.SchemaNone {
		t.Errorf("in memory: %+v, %v", got, err)
	}
}

func statement(t *testing.T, path, query string) {
	t.Helper()
	db := must(sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()))
	defer db.Close()
	must(db.ExecContext(t.Context(), query))
}

func TestInspectPostgres(t *testing.T) {
	url := postgresURL(t)
	if got, err := orm.Inspect(t.Context(), orm.Options{URL: url}); err != nil || got.State != orm.SchemaNone || got.File != "" {
		t.Errorf("empty: %+v, %v", got, err)
	}
	addUser(t, open(t, url), "ann")
	if got, err := orm.Inspect(t.Context(), orm.Options{URL: url}); err != nil || got.State != orm.SchemaCurrent || got.Users != 1 {
		t.Errorf("one user: %+v, %v", got, err)
	}
}
