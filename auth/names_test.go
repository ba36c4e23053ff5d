package auth_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/minihub/minihub/auth"
)

func TestNamesAsJupyterHub(t *testing.T) {
	c := loadCorpus(t)
	if len(c.Names) == 0 || len(c.Lower) == 0 {
		t.Fatal("the corpus is empty")
	}
	for _, row := range c.Names {
		name, want := row[0].(string), row[1].(bool)
		if got := auth.ValidateUserName(name); (got == nil) != want {
			t.Errorf("ValidateUserName(%q) = %v, JupyterHub says %v", name, got, want)
		}
	}
	rules := newRules(t, auth.RulesOptions{})
	for _, row := range c.Lower {
		if got := rules.Normalize(row[0]); got != row[1] {
			t.Errorf("Normalize(%+q) = %+q, JupyterHub says %+q", row[0], got, row[1])
		}
	}
}

func TestValidators(t *testing.T) {
	long := strings.Repeat("ü", auth.MaxNameLength)
	for _, tc := range []struct {
		name                 string
		user, service, group bool
	}{
		{"alice", true, true, true},
		{long, true, true, true},
		{long + "x", false, false, false},
		{"", false, false, false},
		{"..", false, false, false},
		{"%2e%2E", false, false, false},
		{"a/b", false, false, true},
		{"a%20b", true, false, true},
		{"100%", true, true, true},
		{" x", false, false, true},
		{"x\u00a0", false, false, true},
		{"a\x00b", false, false, false},
		{"a\nb", false, false, false},
		{"a\u0085b", false, false, false},
		{"a\xffb", false, false, false},
		{"e\u0301", false, false, true}, // not NFC
		{"\u00e9", true, true, true},
		{"日本", true, true, true},
	} {
		for kind, got := range map[string][2]bool{
			"user":    {auth.ValidateUserName(tc.name) == nil, tc.user},
			"service": {auth.ValidateServiceName(tc.name) == nil, tc.service},
			"group":   {auth.ValidateGroupName(tc.name) == nil, tc.group},
		} {
			if got[0] != got[1] {
				t.Errorf("%s name %q accepted: %v, want %v", kind, auth.ShortName(tc.name), got[0], got[1])
			}
		}
	}
}

func TestShortName(t *testing.T) {
	for _, tc := range []struct{ in, want string }{
		{"alice", "alice"},
		{strings.Repeat("x", 32), strings.Repeat("x", 32)},
		{strings.Repeat("ü", 32), strings.Repeat("ü", 32)},
		{strings.Repeat("x", 33), strings.Repeat("x", 16) + "...(33 chars)"},
		{strings.Repeat("ü", 500000), strings.Repeat("ü", 16) + "...(500000 chars)"},
	} {
		if got := auth.ShortName(tc.in); got != tc.want {
			t.Errorf("got %q, want %q", got, tc.want)
		}
	}
}

func FuzzValidateUserName(f *testing.F) {
	for _, seed := range []string{"alice", "..", "%2e", "a/b", "\x00", "e\u0301"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if auth.ValidateUserName(name) != nil {
			return
		}
		if name == "" || strings.ContainsAny(name, "/\x00\r\n") || !utf8.ValidString(name) || strings.Trim(name, ".") == "" {
			t.Errorf("accepted %q", name)
		}
	})
}
