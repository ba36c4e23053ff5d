package advisories_test

import (
	"bytes"
	"encoding/json"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// mutation is one defence taken out: in File, Is becomes Becomes. The test has to fail then.
type mutation struct {
	Test    string
	Edits   []struct{ File, Is, Becomes string }
	Without string // in words: what is missing then
}

func mutations(t *testing.T) (list []mutation) {
	t.Helper()
	if err := json.Unmarshal(need(os.ReadFile("mutations.json")), &list); err != nil {
		t.Fatal(err)
	}
	return list
}

// withoutMutation are the tests of this package that have no line to take out, each for a reason.
var withoutMutation = map[string]string{
	"TestDefencesAreWhereTheyAreSaidToBe":    "about the list itself",
	"TestEachDefenceIsNeeded":                "about the list itself",
	"TestCVE_2022_36087_HugeRedirectURIs":    "no regular expression looks at redirect URIs: there is nothing to take out",
	"TestGHSA_6x33_pw7p_hmpq_BrokenUpgrades": "net/http's reverse proxy reports what goes wrong with a server as an error of that request",
}

// TestDefencesAreWhereTheyAreSaidToBe: each test of the catalogue has a mutation, whose text occurs once in its file.
func TestDefencesAreWhereTheyAreSaidToBe(t *testing.T) {
	has := map[string]bool{}
	for _, m := range mutations(t) {
		has[m.Test] = true
		for _, e := range m.Edits {
			text, err := os.ReadFile("../../" + e.File)
			if n := strings.Count(string(text), e.Is); err != nil || n != 1 {
				t.Errorf("%s: %q occurs %d times in %s (%v): the defence has moved, or is gone", m.Test, e.Is, n, e.File, err)
			}
		}
		if len(m.Edits) == 0 || m.Without == "" {
			t.Errorf("%s: incomplete", m.Test)
		}
	}
	for _, file := range need(filepath.Glob("*_test.go")) {
		parsed := need(parser.ParseFile(token.NewFileSet(), file, nil, 0))
		for name := range parsed.Scope.Objects {
			if strings.HasPrefix(name, "Test") && name != "TestMain" && !has[name] && withoutMutation[name] == "" {
				t.Errorf("%s in %s: mutations.json does not say what the defence is", name, file)
			}
			delete(has, name)
		}
	}
	for name := range has {
		t.Errorf("mutations.json names %s, which does not exist", name)
	}
}

// TestEachDefenceIsNeeded takes out one defence after the other and runs its test, which has to fail. It builds the hub each time, so it
// runs only when it is asked to: make mutations.
func TestEachDefenceIsNeeded(t *testing.T) {
	only := os.Getenv("MINIHUB_MUTATIONS")
	if only == "" {
		t.Log("MINIHUB_MUTATIONS=1 (or a part of a test's name) takes out the defences, one after the other")
		return
	}
	for _, m := range mutations(t) {
		if only != "1" && !strings.Contains(m.Test, only) {
			continue
		}
		t.Run(m.Test+" without "+m.Without, func(t *testing.T) {
			dir := t.TempDir()
			replace := map[string]string{}
			for i, e := range m.Edits {
				file := need(filepath.Abs("../../" + e.File))
				from := file
				if changed, ok := replace[file]; ok {
					from = changed
				}
				text := bytes.Replace(need(os.ReadFile(from)), []byte(e.Is), []byte(e.Becomes), 1)
				replace[file] = filepath.Join(dir, string(rune('a'+i))+filepath.Ext(file))
				if err := os.WriteFile(replace[file], text, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			overlay := filepath.Join(dir, "overlay.json")
			if err := os.WriteFile(overlay, need(json.Marshal(map[string]any{"Replace": replace})), 0o600); err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), "go", "test", "-count=1", "-overlay", overlay, "-run", "^"+m.Test+"$", ".")
			out, err := cmd.CombinedOutput()
			if err == nil {
				t.Errorf("the test passes without the defence:\n%s", out)
			} else if !strings.Contains(string(out), "--- FAIL: "+m.Test) && !strings.Contains(string(out), "panic:") {
				t.Errorf("no failure of the test, but: %v\n%s", err, out)
			}
		})
	}
}
