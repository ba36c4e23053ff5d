package httpmw_test

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/minihub/minihub/internal/httpmw"
)

func TestCookieSecretOrder(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "secret")
	inFile, inEnv, configured := strings.Repeat("01", 32), strings.Repeat("02", 32), bytes.Repeat([]byte{3}, 32)
	if err := os.WriteFile(file, []byte(inFile+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		o    httpmw.CookieSecretOptions
		from string
		want byte
	}{
		{httpmw.CookieSecretOptions{Configured: configured, Env: inEnv, File: file}, "config", 3},
		{httpmw.CookieSecretOptions{Env: inEnv, File: file}, "env", 2},
		{httpmw.CookieSecretOptions{File: file}, "file", 1},
	} {
		s, err := httpmw.LoadCookieSecret(tc.o)
		if err != nil || s.From != tc.from || !bytes.Equal(s.Secret, bytes.Repeat([]byte{tc.want}, 32)) || s.Warnings != nil {
			t.Errorf("got %+v, %v; want it from %s", s, err, tc.from)
		}
	}
}

func TestCookieSecretIsMadeOnce(t *testing.T) {
	file := filepath.Join(t.TempDir(), "jupyterhub_cookie_secret")
	for _, prepare := range []func() error{func() error { return nil }, func() error { return os.WriteFile(file, nil, 0o600) }} {
		if err := prepare(); err != nil {
			t.Fatal(err)
		}
		made, err := httpmw.LoadCookieSecret(httpmw.CookieSecretOptions{File: file})
		if err != nil || made.From != "new" || len(made.Secret) != httpmw.CookieSecretBytes {
			t.Fatalf("got %+v, %v", made, err)
		}
		info, err := os.Stat(file)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Fatalf("%v, %v", info, err)
		}
		text, _ := os.ReadFile(file)
		if string(text) != hex.EncodeToString(made.Secret)+"\n" {
			t.Errorf("the file holds %q", text)
		}
		again, err := httpmw.LoadCookieSecret(httpmw.CookieSecretOptions{File: file})
		if err != nil || again.From != "file" || !bytes.Equal(again.Secret, made.Secret) {
			t.Errorf("read again: %+v, %v", again, err)
		}
	}
	if left, _ := filepath.Glob(file + ".*"); left != nil {
		t.Errorf("temporary files are left: %v", left)
	}
	a, _ := httpmw.LoadCookieSecret(httpmw.CookieSecretOptions{})
	b, _ := httpmw.LoadCookieSecret(httpmw.CookieSecretOptions{})
	if len(a.Secret) != 32 || bytes.Equal(a.Secret, b.Secret) {
		t.Error("secrets without a file are not random")
	}
}

func TestCookieSecretProblems(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := strings.Repeat("ab", 32)
	for _, tc := range []struct {
		o    httpmw.CookieSecretOptions
		want []string
	}{
		{httpmw.CookieSecretOptions{File: write("readable", good, 0o644)}, []string{"readable", "0644", "chmod 600"}},
		{httpmw.CookieSecretOptions{File: write("writable", good, 0o602)}, []string{"writable", "everybody"}},
		{httpmw.CookieSecretOptions{File: write("rubbish", "not a secret!\n", 0o600)}, []string{"rubbish", "neither hex digits nor base64", "openssl rand -hex 32"}},
		{httpmw.CookieSecretOptions{File: dir}, []string{dir, "cookie_secret"}},
		{httpmw.CookieSecretOptions{File: filepath.Join(dir, "no", "such", "dir")}, []string{"no/such/dir", "JupyterHub.cookie_secret_file"}},
		{httpmw.CookieSecretOptions{Env: "xyz"}, []string{"JPY_COOKIE_SECRET", "hex digits"}},
	} {
		s, err := httpmw.LoadCookieSecret(tc.o)
		if err == nil {
			t.Errorf("%+v: accepted as %+v", tc.o, s)
			continue
		}
		for _, want := range tc.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("the error lacks %q: %v", want, err)
			}
		}
		if strings.Contains(err.Error(), good) {
			t.Errorf("the error shows the secret: %v", err)
		}
	}

	// Group access, old base64, odd lengths: accepted, with a warning where JupyterHub warns.
	for _, tc := range []struct {
		text    string
		mode    os.FileMode
		warning string
		length  int
	}{
		{good, 0o660, "", 32},
		{strings.ToUpper(good), 0o400, "", 32},
		{"c2VjcmV0\nc2VjcmV0\n", 0o600, "before JupyterHub 0.8", 12},
		{"abcd", 0o600, "has 2 bytes", 2},
	} {
		s, err := httpmw.LoadCookieSecret(httpmw.CookieSecretOptions{File: write("ok"+tc.text[:4]+tc.mode.String(), tc.text, tc.mode)})
		warnings := strings.Join(s.Warnings, "\n")
		if err != nil || len(s.Secret) != tc.length || tc.warning == "" && warnings != "" || !strings.Contains(warnings, tc.warning) {
			t.Errorf("%q: %+v, %v", tc.text, s, err)
		}
	}
	if _, err := httpmw.ParseCookieSecret("abc"); err == nil {
		t.Error("an odd number of hex digits is accepted")
	}
}
