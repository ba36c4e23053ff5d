package orm_test

import (
	"database/sql"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/minihub/minihub/orm"
)

// pythonVariable names a Python in which jupyterhub 6.1.1 is installed.
const pythonVariable = "MINIHUB_TEST_JUPYTERHUB"

func python(t *testing.T, script string, args ...string) []byte {
	t.Helper()
	bin := os.Getenv(pythonVariable)
	if bin == "" {
		t.Skip("set " + pythonVariable + " to a python with jupyterhub==6.1.1 to compare with the real one")
	}
	cmd := exec.CommandContext(t.Context(), bin, append([]string{filepath.Join("testdata", script)}, args...)...)
	cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(bin)+":"+os.Getenv("PATH"))
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, stderr.String())
	}
	return out
}

// normal brings a CREATE statement to one form: single spaces, and the lines of the body sorted.
func normal(statement string) string {
	statement = strings.Join(strings.Fields(statement), " ")
	head, body, isTable := strings.Cut(statement, "(")
	if !isTable || !strings.HasPrefix(head, "CREATE TABLE") {
		return strings.TrimSpace(statement)
	}
	parts := strings.Split(strings.TrimSuffix(strings.TrimSpace(body), ")"), ", ")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	slices.Sort(parts)
	return strings.TrimSpace(head) + "\n" + strings.Join(parts, "\n")
}

func liteSchema(t *testing.T, path string) map[string]string {
	t.Helper()
	db := must(sql.Open("sqlite", path))
	defer db.Close()
	rows := must(db.Query(`SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'minihub_%'`))
	defer rows.Close()
	out := map[string]string{}
	for rows.Next() {
		var name, text string
		ok(t, rows.Scan(&name, &text))
		out[name] = normal(text)
	}
	return out
}

func columnOrder(t *testing.T, path string) map[string]string {
	t.Helper()
	db := must(sql.Open("sqlite", path))
	defer db.Close()
	rows := must(db.Query(`SELECT m.name, group_concat(p.name) FROM sqlite_master m, pragma_table_info(m.name) p
		WHERE m.type = 'table' AND m.name NOT LIKE 'minihub_%' GROUP BY m.name`))
	defer rows.Close()
	out := map[string]string{}
	for rows.Next() {
		var name, text string
		ok(t, rows.Scan(&name, &text))
		out[name] = text
	}
	return out
}

func TestSchemaIsThatOfJupyterHub(t *testing.T) {
	theirs := filepath.Join(t.TempDir(), "theirs.sqlite")
	python(t, "write.py", theirs, "0123456789abcdef0123456789abcdef")
	ours := filepath.Join(t.TempDir(), "ours.sqlite")
	ok(t, must(orm.Open(t.Context(), orm.Options{URL: ours})).Close())
	if diff := cmp.Diff(liteSchema(t, theirs), liteSchema(t, ours)); diff != "" {
		t.Errorf("schema differs (-jupyterhub +minihub):\n%s", diff)
	}
	if diff := cmp.Diff(columnOrder(t, theirs), columnOrder(t, ours)); diff != "" {
		t.Errorf("columns differ (-jupyterhub +minihub):\n%s", diff)
	}
}

func TestPostgresSchemaIsThatOfJupyterHub(t *testing.T) {
	var want map[string]string
	ok(t, json.Unmarshal(python(t, "schema.py", "postgresql"), &want))
	got := orm.DDL("postgres")
	for name, statement := range want {
		if diff := cmp.Diff(normal(statement), normal(got[name])); diff != "" {
			t.Errorf("%s differs (-jupyterhub +minihub):\n%s", name, diff)
		}
	}
}

const sharedToken = "0123456789abcdef0123456789abcdef"

func TestJupyterHubReadsWhatWeWrite(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "jupyterhub.sqlite")
	s := must(orm.Open(ctx, orm.Options{URL: path}))
	ada := &orm.User{Name: "ada", Admin: true, CookieID: "cookie", Created: ptr(at(3)), LastActivity: ptr(at(4).Truncate(time.Second)),
		UserInfo: orm.JSONDict{"é": "𝄞<>"}, EncryptedAuthState: []byte("gAAAA")}
	bob := &orm.User{Name: "bob"}
	ok(t, s.CreateUsers(ctx, []*orm.User{ada, bob}))
	lab := &orm.Group{Name: "lab", Properties: orm.JSONDict{"a": []any{int64(1), 2.5, nil}}}
	ok(t, s.CreateGroups(ctx, []*orm.Group{lab}))
	ok(t, s.SetUserGroups(ctx, ada.ID, []int64{lab.ID}))
	role := &orm.Role{Name: "reader", Description: "reads", Scopes: orm.JSONList{"read:users"}, ManagedByAuth: true}
	ok(t, s.CreateRole(ctx, role))
	ok(t, s.Grant(ctx, orm.HolderUser, []int64{ada.ID}, role.ID, true))
	ok(t, s.Grant(ctx, orm.HolderGroup, []int64{lab.ID}, role.ID, false))
	sp, _ := addServer(t, s, ada, "x")
	sp.UserOptions = orm.JSONDict{"raw": []byte("\x00\xff"), "n": nil}
	sp.DisplayName = ptr("My server")
	ok(t, s.UpdateSpawner(ctx, sp, "user_options", "display_name"))
	ok(t, s.CreateToken(ctx, &orm.APIToken{UserID: &ada.ID, Hashed: orm.HashToken(sharedToken, 1), Prefix: orm.TokenPrefix(sharedToken),
		ClientID: ptr("jupyterhub"), Note: ptr("mine"), ExpiresAt: ptr(at(9)), Scopes: orm.JSONList{"inherit"}}))
	ok(t, s.CreateCode(ctx, &orm.OAuthCode{ClientID: *sp.OAuthClientID, Code: "c", ExpiresAt: 5, UserID: ada.ID, CodeChallenge: ptr("ch")}))
	ok(t, s.SaveShare(ctx, &orm.Share{OwnerID: ada.ID, SpawnerID: sp.ID, UserID: &bob.ID, Scopes: orm.JSONList{"access:servers!server=ada/x"}}))
	ok(t, s.CreateShareCode(ctx, &orm.ShareCode{OwnerID: ada.ID, SpawnerID: sp.ID, Hashed: orm.HashToken(sharedToken, 16384),
		Prefix: orm.TokenPrefix(sharedToken), Scopes: orm.JSONList{"access:servers!server=ada/x"}}))
	ok(t, s.SaveService(ctx, &orm.Service{Name: "svc", Command: orm.JSONList{"a"}, Timeout: 30, Info: orm.JSONDict{"k": "v"}, SystemUser: ptr("root")}))

	// Once while we have it open, and once after.
	for _, when := range []string{"open", "closed"} {
		if when == "closed" {
			ok(t, s.Close())
			left := must(filepath.Glob(path + "-*"))
			if len(left) > 0 {
				t.Errorf("files beside the closed database: %v", left)
			}
		}
		var got map[string]any
		ok(t, json.Unmarshal(python(t, "read.py", path, sharedToken), &got))
		users := got["users"].([]any)
		u := users[0].(map[string]any)
		tokens := u["tokens"].([]any)
		want := map[string]any{
			"name": "ada", "admin": true, "created": "2026-01-02T03:04:05.123456", "last_activity": "2026-01-02T04:04:05", "cookie_id": "cookie",
			"user_info": map[string]any{"é": "𝄞<>"}, "auth_state": "gAAAA", "groups": []any{"lab"}, "roles": []any{"reader"},
			"tokens": []any{tokens[0], []any{"mine", "0123", []any{"inherit"}, "2026-01-02T09:04:05.123456", "jupyterhub", true}},
			"codes":  []any{[]any{"c", 5.0, []any{}, "ch"}}, "shares": []any{},
			"share_codes": []any{[]any{[]any{"access:servers!server=ada/x"}, true}},
			"servers": []any{map[string]any{"name": "x", "display_name": "My server", "port": 5000.0,
				"options": `{'n': None, 'raw': b'\x00\xff'}`, "state": map[string]any{"pid": 7.0}, "client": []any{}}},
		}
		if diff := cmp.Diff(want, u); diff != "" {
			t.Errorf("%s: user (-want +jupyterhub sees):\n%s", when, diff)
		}
		rest := map[string]any{
			"groups":   []any{[]any{"lab", map[string]any{"a": []any{1.0, 2.5, nil}}, []any{"reader"}}},
			"roles":    []any{[]any{"reader", "reads", []any{"read:users"}, true}},
			"services": []any{[]any{"svc", false, nil, []any{}, map[string]any{"k": "v"}, nil, []any{"a"}, nil, "root", 30.0, false}},
		}
		delete(got, "users")
		if diff := cmp.Diff(rest, got); diff != "" {
			t.Errorf("%s: rest (-want +jupyterhub sees):\n%s", when, diff)
		}
	}
}

func TestWeReadWhatJupyterHubWrites(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "jupyterhub.sqlite")
	python(t, "write.py", path, sharedToken)
	s := open(t, "sqlite:///"+path)
	ada := must(s.UserByName(ctx, "ada"))
	if !ada.Admin || !ada.Created.Equal(time.Date(2026, 1, 2, 3, 4, 5, 678000, time.UTC)) || string(ada.EncryptedAuthState) != "gAAAA" {
		t.Errorf("user: %+v", ada)
	}
	tokens := must(s.TokensByPrefix(ctx, orm.TokenPrefix(sharedToken), time.Now()))
	if len(tokens) != 1 || !orm.VerifyToken(tokens[0].Hashed, sharedToken) || orm.VerifyToken(tokens[0].Hashed, sharedToken+"x") {
		t.Errorf("tokens: %+v", tokens)
	}
	group := must(s.GroupByName(ctx, "lab"))
	if diff := cmp.Diff(orm.JSONDict{"é": []any{int64(1), 2.5, nil, true, "𝄞"}}, group.Properties); diff != "" {
		t.Error(diff)
	}
	servers := must(s.SpawnersOfUsers(ctx, []int64{ada.ID}))[ada.ID]
	want := orm.JSONDict{"raw": []byte(strings.Repeat("\x00\xff", 60)), "f": json.Number("1.0"), "nan": nil, "deep": map[string]any{"x": []any{[]byte("q")}}}
	if diff := cmp.Diff(want, servers[0].UserOptions); diff != "" {
		t.Error(diff)
	}
	if servers[1].UserOptions[orm.OpaqueKey] != `{"__jupyterhub_bytes__": true}` {
		t.Errorf("poisoned options: %v", servers[1].UserOptions)
	}
	if running := must(s.RunningSpawners(ctx)); len(running) != 1 || running[0].Server.Port != 1234 || running[0].User.Name != "ada" {
		t.Errorf("running: %+v", running)
	}
	bob := must(s.AuthorityOfUser(ctx, must(s.UserByName(ctx, "bob")).ID))
	if diff := cmp.Diff([]orm.ShareScope{{Scopes: []string{"access:servers!server=ada/"}}}, bob.Shares); diff != "" {
		t.Error(diff)
	}
	svc := must(s.ServiceByName(ctx, "svc"))
	if svc.FromConfig || svc.Timeout != 30 || len(svc.Command) != 2 {
		t.Errorf("service: %+v", svc)
	}
}
