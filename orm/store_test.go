package orm_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/minihub/minihub/orm"
)

// postgresVariable names the DSN of a PostgreSQL server whose user may create schemas, as postgresql://user:password@host:port/database.
const postgresVariable = "MINIHUB_TEST_POSTGRES"

// onAll runs a test on every engine: a SQLite file, SQLite in memory, and PostgreSQL when configured.
func onAll(t *testing.T, test func(t *testing.T, s *orm.Store)) {
	t.Run("file", func(t *testing.T) { test(t, open(t, filepath.Join(t.TempDir(), "jupyterhub.sqlite"))) })
	t.Run("memory", func(t *testing.T) { test(t, open(t, "sqlite://")) })
	t.Run("postgres", func(t *testing.T) { test(t, open(t, postgresURL(t))) })
}

// postgresURL makes an empty schema and returns a URL that works in it.
func postgresURL(t *testing.T) string {
	t.Helper()
	base := os.Getenv(postgresVariable)
	if base == "" {
		t.Skip("set " + postgresVariable + " to a postgresql:// URL to run this on PostgreSQL")
	}
	db, err := sql.Open("pgx", base)
	if err != nil {
		t.Fatal(err)
	}
	var raw [6]byte
	_, _ = rand.Read(raw[:])
	name := "test_" + hex.EncodeToString(raw[:])
	if _, err := db.Exec("CREATE SCHEMA " + name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := db.Exec("DROP SCHEMA " + name + " CASCADE"); err != nil {
			t.Error(err)
		}
		_ = db.Close()
	})
	sep := "?"
	if strings.Contains(base, "?") {
		sep = "&"
	}
	return base + sep + "search_path=" + name
}

func open(t testing.TB, url string) *orm.Store {
	t.Helper()
	return openWith(t, orm.Options{URL: url})
}

func openWith(t testing.TB, o orm.Options) *orm.Store {
	t.Helper()
	s, err := orm.Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func ptr[T any](v T) *T { return &v }

// addUser creates a user without servers.
func addUser(t testing.TB, s *orm.Store, name string) *orm.User {
	t.Helper()
	u := &orm.User{Name: name}
	ok(t, s.CreateUsers(t.Context(), []*orm.User{u}))
	return u
}

// addServer creates a running server with address, OAuth client and token.
func addServer(t testing.TB, s *orm.Store, u *orm.User, name string) (*orm.Spawner, *orm.APIToken) {
	t.Helper()
	ctx := t.Context()
	client := "jupyterhub-user-" + u.Name + "-" + name
	ok(t, s.SaveOAuthClient(ctx, &orm.OAuthClient{Identifier: client, RedirectURI: "/user/" + u.Name + "/oauth_callback"}))
	row := &orm.Server{Proto: "http", IP: "127.0.0.1", Port: 5000, BaseURL: "/user/" + u.Name + "/" + name + "/", CookieName: "cookie"}
	ok(t, s.CreateServer(ctx, row))
	sp := &orm.Spawner{UserID: u.ID, Name: name, ServerID: &row.ID, OAuthClientID: &client, State: orm.JSONDict{"pid": int64(7)}}
	ok(t, s.CreateSpawner(ctx, sp))
	token := addToken(t, s, u, "Server at "+row.BaseURL)
	ok(t, s.SaveServerExtra(ctx, &orm.ServerExtra{SpawnerID: sp.ID, TokenID: token.ID, Marker: "m-" + name}))
	return sp, token
}

func addToken(t testing.TB, s *orm.Store, u *orm.User, note string) *orm.APIToken {
	t.Helper()
	plain := orm.NewToken()
	token := &orm.APIToken{UserID: &u.ID, Hashed: orm.HashToken(plain, 1), Prefix: orm.TokenPrefix(plain), ClientID: ptr("jupyterhub"),
		Note: &note, Scopes: orm.JSONList{"inherit"}}
	ok(t, s.CreateToken(t.Context(), token))
	return token
}

func at(hour int) time.Time { return time.Date(2026, 1, 2, hour, 4, 5, 123456000, time.UTC) }
