package orm_test

import (
	"crypto/sha256"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/minihub/minihub/orm"
)

func TestDatabaseURLs(t *testing.T) {
	tests := []struct{ url, engine, want string }{
		{"sqlite://", "sqlite", ""},
		{"sqlite:///", "sqlite", ""},
		{"sqlite:///:memory:", "sqlite", ""},
		{":memory:", "sqlite", ""},
		{"sqlite:///jupyterhub.sqlite", "sqlite", "jupyterhub.sqlite"},
		{"sqlite:////var/lib/a b%20c.sqlite", "sqlite", "/var/lib/a b%20c.sqlite"},
		{"sqlite+pysqlite:////x.sqlite?timeout=5", "sqlite", "/x.sqlite"},
		{"sqlite:///file:x.sqlite?mode=rw&uri=true", "sqlite", "x.sqlite"},
		{"sqlite:///file:x?mode=memory&uri=true", "sqlite", ""},
		{"/srv/jupyterhub.sqlite", "sqlite", "/srv/jupyterhub.sqlite"},
		{"odd name?.sqlite", "sqlite", "odd name?.sqlite"},
		{"postgresql://u:p%40ss%3A%2F%27%25@db:5433/hub", "postgres", `user='u' password='p@ss:/\'%' host='db' port='5433' dbname='hub' connect_timeout='10'`},
		{"postgresql+psycopg2://db/hub?sslmode=require&keepalives=1", "postgres", `host='db' dbname='hub' connect_timeout='10' sslmode='require'`},
		{"postgresql://u@/hub?host=/run/pg", "postgres", `user='u' dbname='hub' connect_timeout='10' host='/run/pg'`},
		{"postgresql://u:p@[::1]:5/hub", "postgres", `user='u' password='p' host='::1' port='5' dbname='hub' connect_timeout='10'`},
		{"postgresql://?connect_timeout=3", "postgres", `connect_timeout='3'`},
	}
	for _, tt := range tests {
		engine, got, err := orm.ParseForTest(tt.url)
		if err != nil || engine != tt.engine || got != tt.want {
			t.Errorf("%s: %s %q %v, want %q", tt.url, engine, got, err, tt.want)
		}
	}
	for _, url := range []string{"", "mysql://u:secret@h/d", "sqlite://host/x", "oracle://x", "://", "sqlite:///x?timeout=soon", "postgresql://u:secret@h/d?%zz"} {
		_, _, err := orm.ParseForTest(url)
		if !errors.Is(err, orm.ErrUnsupportedURL) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", url, err)
		}
	}
}

func TestMemoryDatabasesAreSeparate(t *testing.T) {
	a, b := open(t, "sqlite://"), open(t, "sqlite:///:memory:")
	addUser(t, a, "ada")
	if n := must(b.CountUsers(t.Context())); n != 0 {
		t.Errorf("the other database has %d users", n)
	}
}

func TestNewFileIsPrivateAndStaysAfterReopening(t *testing.T) {
	path := filepath.Join(t.TempDir(), "odd name?#%41.sqlite")
	s := open(t, path)
	id := must(s.HubID(t.Context()))
	addUser(t, s, "ada")
	ok(t, s.Close())
	ok(t, s.Close())
	if mode := must(os.Stat(path)).Mode().Perm(); mode != 0o600 {
		t.Errorf("mode %o", mode)
	}
	s = open(t, path)
	if again := must(s.HubID(t.Context())); again != id {
		t.Errorf("hub id changed from %s to %s", id, again)
	}
	must(s.UserByName(t.Context(), "ada"))
}

func TestReset(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db.sqlite")
	s := open(t, path)
	addUser(t, s, "ada")
	addServer(t, s, must(s.UserByName(t.Context(), "ada")), "")
	ok(t, s.Close())
	s = openWith(t, orm.Options{URL: path, Reset: true})
	if n := must(s.CountUsers(t.Context())); n != 0 {
		t.Errorf("%d users after reset", n)
	}
}

func TestOpenFailures(t *testing.T) {
	dir := t.TempDir()
	broken := filepath.Join(dir, "text")
	ok(t, os.WriteFile(broken, []byte(strings.Repeat("no database ", 100)), 0o600))
	for _, url := range []string{filepath.Join(dir, "none", "db.sqlite"), broken, dir, "postgresql://u:secret@127.0.0.1:1/x"} {
		_, err := orm.Open(t.Context(), orm.Options{URL: url})
		if !errors.Is(err, orm.ErrUnavailable) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v, want ErrUnavailable", url, err)
		}
	}
}

func TestPasswordIsNeverInAnError(t *testing.T) {
	for _, url := range []string{"postgresql://u:a%27secret@h:99999999/x", "postgresql://u:secret@h/x?sslmode=secret", "postgresql://u:a%20secret@127.0.0.1:1/x"} {
		if _, err := orm.Open(t.Context(), orm.Options{URL: url}); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", url, err)
		}
	}
}

// What the file holds, byte by byte, is what SQLAlchemy would have written.
func TestStoredForms(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db.sqlite")
	s := open(t, path)
	u := &orm.User{Name: "ada", Admin: true, Created: ptr(at(3)), LastActivity: ptr(time.Date(2026, 1, 2, 1, 0, 0, 0, time.FixedZone("x", 3600))),
		UserInfo: orm.JSONDict{"b": []any{"é"}, "a": int64(1)}}
	ok(t, s.CreateUsers(t.Context(), []*orm.User{u}))
	ok(t, s.TouchUsers(t.Context(), map[int64]time.Time{u.ID: at(4).Truncate(time.Second)}))
	raw := must(sql.Open("sqlite", path))
	defer raw.Close()
	var got string
	ok(t, raw.QueryRow(`SELECT concat_ws('|', typeof(admin), admin, typeof(created), CAST(created AS BLOB), CAST(last_activity AS BLOB), user_info,
		coalesce(state, 'NULL'), coalesce(encrypted_auth_state, 'NULL')) FROM users`).Scan(&got))
	if want := `integer|1|text|2026-01-02 03:04:05.123456|2026-01-02 04:04:05.000000|{"a": 1, "b": ["\u00e9"]}|NULL|NULL`; got != want {
		t.Errorf("stored\n%s\nwant\n%s", got, want)
	}
}

func TestClosedStoreIsUnavailable(t *testing.T) {
	s := open(t, "sqlite://")
	ok(t, s.Ping(t.Context()))
	ok(t, s.Close())
	for what, err := range map[string]error{"read": second(s.UserByName(t.Context(), "x")), "generation": second(s.Generation(t.Context())),
		"write": s.SetMeta(t.Context(), "a", "b"), "ping": s.Ping(t.Context())} {
		if !errors.Is(err, orm.ErrUnavailable) || errors.Is(err, orm.ErrNotFound) {
			t.Errorf("%s: %v, want ErrUnavailable", what, err)
		}
	}
}

func TestBusyIsUnavailable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db.sqlite")
	ok(t, open(t, path).Close())
	s := open(t, "sqlite:///"+path+"?timeout=0.05")
	raw := must(sql.Open("sqlite", path))
	defer raw.Close()
	raw.SetMaxOpenConns(1)
	must(raw.Exec("BEGIN IMMEDIATE"))
	err := s.SetMeta(t.Context(), "a", "b")
	if !errors.Is(err, orm.ErrUnavailable) {
		t.Errorf("write: %v, want ErrUnavailable", err)
	}
	if _, err := s.UserByName(t.Context(), "x"); !errors.Is(err, orm.ErrNotFound) {
		t.Errorf("read while another writes: %v, want ErrNotFound", err)
	}
	must(raw.Exec("ROLLBACK"))
	ok(t, s.SetMeta(t.Context(), "a", "b"))
}

// asOf takes a file back to an older revision, as that version would have left it.
func asOf(t *testing.T, path, revision string) {
	t.Helper()
	raw := must(sql.Open("sqlite", path))
	defer raw.Close()
	undo := []struct {
		down  string
		query []string
	}{
		{"ff1860e38070", []string{"ALTER TABLE spawners DROP COLUMN display_name", "DROP TABLE minihub_meta", "DROP TABLE minihub_servers", "DROP TABLE minihub_used_codes"}},
		{"afd65840b69e", []string{"ALTER TABLE users DROP COLUMN user_info"}},
		{"be8ecf03ddac", []string{"ALTER TABLE oauth_codes DROP COLUMN code_challenge", "ALTER TABLE oauth_codes DROP COLUMN code_challenge_method"}},
		{"4621fec11365", []string{"ALTER TABLE services DROP COLUMN timeout"}},
		{"3c2384c5aae1", []string{"ALTER TABLE roles DROP COLUMN managed_by_auth", "ALTER TABLE user_role_map DROP COLUMN managed_by_auth",
			"ALTER TABLE group_role_map DROP COLUMN managed_by_auth", "ALTER TABLE service_role_map DROP COLUMN managed_by_auth",
			"DROP TABLE shares", "DROP TABLE share_codes"}},
		{"0eee8c825d24", []string{"ALTER TABLE services DROP COLUMN from_config", "ALTER TABLE services DROP COLUMN url",
			"ALTER TABLE services DROP COLUMN oauth_client_allowed_scopes", "ALTER TABLE services DROP COLUMN info",
			"ALTER TABLE services DROP COLUMN display", "ALTER TABLE services DROP COLUMN oauth_no_confirm", "ALTER TABLE services DROP COLUMN command",
			"ALTER TABLE services DROP COLUMN cwd", "ALTER TABLE services DROP COLUMN environment", "ALTER TABLE services DROP COLUMN user"}},
		{"651f5419b74d", []string{`ALTER TABLE "groups" DROP COLUMN properties`}},
	}
	for _, u := range undo {
		for _, query := range u.query {
			must(raw.Exec(query))
		}
		if u.down == revision {
			must(raw.Exec("UPDATE alembic_version SET version_num = ?", revision))
			return
		}
	}
	t.Fatalf("no way down to %s", revision)
}

func fileHash(t *testing.T, path string) [32]byte {
	t.Helper()
	return sha256.Sum256(must(os.ReadFile(path)))
}

func TestUpgrade(t *testing.T) {
	ctx := t.Context()
	for _, revision := range []string{"ff1860e38070", "afd65840b69e", "be8ecf03ddac", "4621fec11365", "3c2384c5aae1", "0eee8c825d24", "651f5419b74d"} {
		for _, stamped := range []bool{true, false} {
			path := filepath.Join(t.TempDir(), "db.sqlite")
			s := open(t, path)
			u := addUser(t, s, "ada")
			addServer(t, s, u, "lab")
			role := &orm.Role{Name: "r"}
			ok(t, s.CreateRole(ctx, role))
			ok(t, s.Grant(ctx, orm.HolderUser, []int64{u.ID}, role.ID, false))
			ok(t, s.SaveService(ctx, &orm.Service{Name: "svc", Timeout: 5}))
			ok(t, s.Close())
			asOf(t, path, revision)
			if !stamped {
				raw := must(sql.Open("sqlite", path))
				must(raw.Exec("DROP TABLE alembic_version"))
				ok(t, raw.Close())
			}
			before := fileHash(t, path)

			_, err := orm.Open(ctx, orm.Options{URL: path})
			var wrong *orm.RevisionError
			if !errors.As(err, &wrong) || wrong.Found != revision || !strings.Contains(wrong.Error(), "upgrade-db") {
				t.Fatalf("%s: %v, want *RevisionError", revision, err)
			}
			if fileHash(t, path) != before {
				t.Errorf("%s: the refused file was changed", revision)
			}

			s = openWith(t, orm.Options{URL: path, Upgrade: true})
			backups := must(filepath.Glob(path + ".20*"))
			if len(backups) != 1 || fileHash(t, backups[0]) != before {
				t.Errorf("%s: backups %v, want one that equals the old file", revision, backups)
			}
			a := must(s.AuthorityOfUser(ctx, u.ID))
			svc := must(s.ServiceByName(ctx, "svc"))
			if len(a.Roles) != 1 || len(must(s.RunningSpawners(ctx))) != 1 || !svc.FromConfig && revision < "3" {
				t.Errorf("%s: %+v %+v", revision, a, svc)
			}
			ok(t, s.SaveShare(ctx, &orm.Share{OwnerID: u.ID, SpawnerID: 1, UserID: &u.ID}))
			ok(t, s.Close())
			fresh := filepath.Join(t.TempDir(), "fresh.sqlite")
			ok(t, open(t, fresh).Close())
			if diff := cmp.Diff(columnSet(t, fresh), columnSet(t, path)); diff != "" {
				t.Errorf("%s: columns after the upgrade (-fresh +upgraded):\n%s", revision, diff)
			}
			ok(t, open(t, path).Close()) // and it opens without upgrade now
		}
	}
}

func columnSet(t *testing.T, path string) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	for table, columns := range columnOrder(t, path) {
		for c := range strings.SplitSeq(columns, ",") {
			out[table+"."+c] = true
		}
	}
	return out
}

func TestRevisionsThatCannotBeUpgraded(t *testing.T) {
	for revision, hint := range map[string]string{"0123456789ab": "newer JupyterHub", "ffffffffffff": "newer JupyterHub"} {
		path := filepath.Join(t.TempDir(), "db.sqlite")
		ok(t, open(t, path).Close())
		raw := must(sql.Open("sqlite", path))
		must(raw.Exec("UPDATE alembic_version SET version_num = ?", revision))
		ok(t, raw.Close())
		before := fileHash(t, path)
		_, err := orm.Open(t.Context(), orm.Options{URL: path, Upgrade: true})
		var wrong *orm.RevisionError
		if !errors.As(err, &wrong) || !strings.Contains(err.Error(), hint) || fileHash(t, path) != before {
			t.Errorf("%s: %v", revision, err)
		}
		if left := must(filepath.Glob(path + "?*")); len(left) > 0 {
			t.Errorf("%s: left %v", revision, left)
		}
	}
}

func TestUnstampedHeadIsStamped(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db.sqlite")
	ok(t, open(t, path).Close())
	raw := must(sql.Open("sqlite", path))
	defer raw.Close()
	must(raw.Exec("DROP TABLE alembic_version"))
	must(raw.Exec("DROP TABLE shares"))
	ok(t, open(t, path).Close())
	var revision string
	ok(t, raw.QueryRow("SELECT version_num FROM alembic_version").Scan(&revision))
	if revision != orm.Head {
		t.Errorf("stamped %q", revision)
	}
	must(raw.Exec("SELECT count(*) FROM shares"))
}
