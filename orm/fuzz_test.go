package orm_test

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/minihub/minihub/orm"
)

// FuzzJSONColumn: any text in a JSON column can be read, and what was read can be written and read again, the same
// (GHSA-hx46-2cv3-mh6g: JupyterHub could write what it could not read).
func FuzzJSONColumn(f *testing.F) {
	for _, text := range hostile {
		f.Add(text)
	}
	for _, text := range []string{`{"a": 1}`, `{"__jupyterhub_bytes__": true, "data": "aGk=\n"}`, `{"__minihub_opaque__": "x"}`, `["a", 1, null]`, `{"a": -0, "b": 1.0, "c": 12345678901234567890123}`, `{"k": "\ud800"}`, `{"a": NaN}`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var dict, again orm.JSONDict
		if err := dict.Scan(text); err != nil {
			t.Fatalf("%q cannot be read: %v", text, err)
		}
		written, err := dict.Value()
		if err != nil {
			t.Fatalf("%q was read as %v, which cannot be written: %v", text, dict, err)
		}
		if err := again.Scan(written); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(dict, again); diff != "" {
			t.Fatalf("%q, written as %v: %s", text, written, diff)
		}
		var list orm.JSONList
		if err := list.Scan(text); err != nil {
			t.Fatalf("%q cannot be read as a list: %v", text, err)
		}
		// What the API takes as options is an object; it comes back as it was sent.
		dec := json.NewDecoder(strings.NewReader(text))
		dec.UseNumber()
		var sent map[string]any
		if dec.Decode(&sent) != nil || sent == nil || strings.Contains(text, "__jupyterhub_bytes__") || strings.Contains(text, "__minihub_opaque__") {
			return
		}
		stored, err := orm.JSONDict(sent).Value()
		if err != nil {
			t.Fatalf("options %q cannot be stored: %v", text, err)
		}
		var back orm.JSONDict
		if err := back.Scan(stored); err != nil {
			t.Fatal(err)
		}
		a, errA := json.Marshal(sent)
		b, errB := json.Marshal(map[string]any(back))
		if errA != nil || errB != nil || !bytes.Equal(a, b) {
			t.Fatalf("options %s came back as %s (%v, %v)", a, b, errA, errB)
		}
	})
}

// FuzzVerifyToken: no stored text makes a check panic, take long, or accept what does not have this hash.
func FuzzVerifyToken(f *testing.F) {
	good := orm.HashToken("0123456789abcdef", orm.GeneratedRounds)
	for _, hashed := range []string{good, orm.HashToken("x", 3), "", ":::", "sha512:1:salt:", "sha512:0:s:d", "sha512:-1:s:d", "sha512:99999999999999999999:s:d", "sha512:1000000:s:d", "sha512:1000001:s:d", "sha256:1:s:d", "sha512:1:a:b:c", "sha512: 1:s:d", "SHA512:1:s:d"} {
		f.Add(hashed, "0123456789abcdef")
	}
	f.Add(good, strings.Repeat("é", 65))
	f.Fuzz(func(t *testing.T, hashed, token string) {
		begin := time.Now()
		ok := orm.VerifyToken(hashed, token)
		if took := time.Since(begin); took > 5*time.Second {
			t.Fatalf("%q took %v", hashed, took)
		}
		if ok && len([]rune(token)) > orm.MaxTokenLength {
			t.Fatalf("a token of %d characters was accepted", len([]rune(token)))
		}
		if hashed == good && ok != (token == "0123456789abcdef") {
			t.Fatalf("%q: %t", token, ok)
		}
		if prefix := orm.TokenPrefix(token); !strings.HasPrefix(token, prefix) {
			t.Fatalf("prefix %q of %q", prefix, token)
		}
		if n := len([]rune(token)); n > 0 && n <= orm.MaxTokenLength && len(token) <= 4*orm.MaxTokenLength {
			if mine := orm.HashToken(token, 2); !orm.VerifyToken(mine, token) || orm.VerifyToken(mine, token+"x") {
				t.Fatalf("the hash of %q does not verify, or too much does", token)
			}
		}
	})
}

// FuzzSchemaStamp: whatever Alembic's table says, a database is either opened or refused with a reason, and a refused one is not changed.
func FuzzSchemaStamp(f *testing.F) {
	for _, stamp := range []string{orm.Head, "4621fec11365", "19c0846f6344", "", "ffffffffffff", "f460b0348206 ", "'; DROP TABLE users; --", "\x00", "be8ecf03ddac", strings.Repeat("a", 5000)} {
		f.Add(stamp, true)
	}
	f.Add("", false)
	dir := f.TempDir()
	path := filepath.Join(dir, "whole.sqlite")
	store, err := orm.Open(f.Context(), orm.Options{URL: path})
	if err != nil {
		f.Fatal(err)
	}
	if err := store.Close(); err != nil {
		f.Fatal(err)
	}
	whole := must(os.ReadFile(path))
	f.Fuzz(func(t *testing.T, stamp string, row bool) {
		path := filepath.Join(t.TempDir(), "hub.sqlite")
		if err := os.WriteFile(path, whole, 0o600); err != nil {
			t.Fatal(err)
		}
		db := must(sql.Open("sqlite", path))
		must(db.Exec("PRAGMA journal_mode=DELETE"))
		must(db.Exec("DELETE FROM alembic_version"))
		if row {
			must(db.Exec("INSERT INTO alembic_version (version_num) VALUES (?)", stamp))
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		before := must(os.ReadFile(path))
		seen, lookErr := orm.Inspect(t.Context(), orm.Options{URL: path})
		if lookErr == nil && !bytes.Equal(before, must(os.ReadFile(path))) {
			t.Fatalf("looking at a database stamped %q changed it", stamp)
		}
		store, err := orm.Open(t.Context(), orm.Options{URL: path})
		if err == nil {
			if seen.Hint != "" {
				t.Errorf("%q was opened, but the inspection says %q", stamp, seen.Hint)
			}
			if err := store.Close(); err != nil {
				t.Error(err)
			}
			return
		}
		if len(err.Error()) > 2000 || err.Error() == "" {
			t.Errorf("error of %d bytes", len(err.Error()))
		}
		if errors.Is(err, orm.ErrNotFound) {
			t.Errorf("%q: %v", stamp, err)
		}
		if !bytes.Equal(before, must(os.ReadFile(path))) {
			t.Errorf("a refused database (stamp %q, %v) was changed", stamp, err)
		}
	})
}
