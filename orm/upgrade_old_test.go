package orm_test

import (
	"database/sql"
	"fmt"
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

// oldVariable names the folder with venv0 to venv4, in which JupyterHub 0.9 to 4.1 are installed (scripts/setup.sh old).
const oldVariable = "MINIHUB_TEST_OLD"

// Databases that old JupyterHubs made come out of our migrations as they come out of JupyterHub 6.1.1's, with a copy of the file beside.
func TestDatabasesOfOldVersions(t *testing.T) {
	dir := os.Getenv(oldVariable)
	if dir == "" {
		t.Skip("set " + oldVariable + " to a folder with venv0 to venv4 (scripts/setup.sh old) to run this test")
	}
	for version, revision := range map[string]string{"0": "896818069c98", "1": "4dc2d5a8c53c", "2": "833da8570507", "3": "651f5419b74d", "4": "0eee8c825d24"} {
		t.Run("JupyterHub "+version, func(t *testing.T) {
			t.Parallel()
			at := t.TempDir()
			old, ours, theirs := filepath.Join(at, "old.sqlite"), filepath.Join(at, "ours.sqlite"), filepath.Join(at, "theirs.sqlite")
			if out, err := exec.CommandContext(t.Context(), filepath.Join(dir, "venv"+version, "bin", "python"), filepath.Join("testdata", "old.py"), old, sharedToken).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			for _, name := range []string{ours, theirs} {
				ok(t, os.WriteFile(name, must(os.ReadFile(old)), 0o600))
			}
			before := fileHash(t, ours)
			if _, err := orm.Open(t.Context(), orm.Options{URL: ours}); err == nil || !strings.Contains(err.Error(), "minihub upgrade-db") || fileHash(t, ours) != before {
				t.Fatalf("without asking: %v", err)
			}
			if in := must(orm.Inspect(t.Context(), orm.Options{URL: ours})); in.State != orm.SchemaUpgradable || in.Revision != revision || in.Users != 2 || in.Running != 1 {
				t.Errorf("%+v", in)
			}
			s := openWith(t, orm.Options{URL: ours, Upgrade: true})
			ada := must(s.UserByName(t.Context(), "ada"))
			if !ada.Admin || string(ada.EncryptedAuthState) != "gAAAA" {
				t.Errorf("ada: %+v", ada)
			}
			ok(t, s.Close())
			if copies := must(filepath.Glob(ours + ".*")); len(copies) != 1 || fileHash(t, copies[0]) != before {
				t.Errorf("copies: %v", copies)
			}
			if version == "2" { // JupyterHub 6.1.1's own migration fails where a server has an OAuth client
				got := oldContents(t, ours)
				if !slices.ContainsFunc(got["clients"], func(row string) bool {
					return strings.Contains(row, "access:servers!server=ada/") && strings.Contains(row, "list:users read:users")
				}) {
					t.Errorf("clients: %v", got["clients"])
				}
				if len(got["tokens"]) != 1 || !strings.Contains(got["tokens"][0], "list:users mine read:users") {
					t.Errorf("tokens: %v", got["tokens"])
				}
				python(t, "upgrade.py", ours, "up")
				return
			}
			python(t, "upgrade.py", theirs, "up")
			if diff := cmp.Diff(columnSet(t, theirs), columnSet(t, ours)); diff != "" {
				t.Errorf("columns (-jupyterhub +minihub):\n%s", diff)
			}
			if diff := cmp.Diff(oldContents(t, theirs), oldContents(t, ours)); diff != "" {
				t.Errorf("contents (-jupyterhub +minihub):\n%s", diff)
			}
			python(t, "upgrade.py", ours, "up") // JupyterHub 6.1.1 opens it and finds nothing to do
		})
	}
}

// oldContents are the rows that an upgrade has to bring along.
func oldContents(t *testing.T, path string) map[string][]string {
	t.Helper()
	db := must(sql.Open("sqlite", path))
	defer db.Close()
	out := map[string][]string{}
	for name, query := range map[string]string{
		"users":    `SELECT name, admin, last_activity, encrypted_auth_state, user_info FROM users ORDER BY name`,
		"groups":   `SELECT g.name || ' ' || u.name FROM "groups" g JOIN user_group_map m ON m.group_id = g.id JOIN users u ON u.id = m.user_id`,
		"spawners": `SELECT u.name, s.name, s.state, s.user_options, s.server_id, s.oauth_client_id, s.started IS NULL FROM spawners s JOIN users u ON u.id = s.user_id ORDER BY s.id`,
		"servers":  `SELECT proto, ip, port, base_url FROM servers`,
		"services": `SELECT name, oauth_client_id, from_config FROM services`,
		"tokens":   `SELECT user_id, hashed, prefix, note, scopes, client_id FROM api_tokens`,
		"clients":  `SELECT identifier, secret, allowed_scopes FROM oauth_clients WHERE identifier != 'jupyterhub' ORDER BY identifier`,
		"roles":    `SELECT name, scopes FROM roles ORDER BY name`,
	} {
		rows := must(db.Query(query))
		columns := must(rows.Columns())
		for rows.Next() {
			values, into := make([]any, len(columns)), make([]any, len(columns))
			for i := range values {
				into[i] = &values[i]
			}
			ok(t, rows.Scan(into...))
			out[name] = append(out[name], sortedScopes(fmt.Sprint(values)))
		}
		ok(t, rows.Err())
		ok(t, rows.Close())
	}
	return out
}

// sortedScopes undoes the order of a set that JupyterHub wrote as it came.
func sortedScopes(row string) string {
	words := strings.FieldsFunc(row, func(r rune) bool { return strings.ContainsRune(` [],"`, r) })
	slices.Sort(words)
	return strings.Join(words, " ")
}

// PostgreSQL takes the same steps.
func TestOldSchemaOnPostgres(t *testing.T) {
	url := postgresURL(t)
	s := open(t, url)
	ann := addUser(t, s, "ann")
	client := "jupyterhub-user-ann"
	ok(t, s.SaveOAuthClient(t.Context(), &orm.OAuthClient{Identifier: client, AllowedScopes: orm.JSONList{}}))
	ok(t, s.CreateToken(t.Context(), &orm.APIToken{UserID: &ann.ID, Hashed: "h", Prefix: "pref"}))
	ok(t, s.Close())
	_, dsn, err := orm.ParseForTest(url)
	ok(t, err)
	db := must(sql.Open("pgx", dsn))
	defer db.Close()
	for _, query := range []string{
		`DROP TABLE shares, share_codes, minihub_meta, minihub_servers, minihub_used_codes`,
		`ALTER TABLE api_tokens DROP COLUMN scopes`, `ALTER TABLE oauth_clients DROP COLUMN allowed_scopes`, `ALTER TABLE oauth_codes DROP COLUMN scopes, DROP COLUMN code_challenge, DROP COLUMN code_challenge_method`,
		`ALTER TABLE users DROP COLUMN user_info`, `ALTER TABLE spawners DROP COLUMN display_name`, `ALTER TABLE "groups" DROP COLUMN properties`,
		`ALTER TABLE services DROP COLUMN from_config, DROP COLUMN url, DROP COLUMN timeout, DROP COLUMN command`,
		`ALTER TABLE roles DROP COLUMN managed_by_auth`, `ALTER TABLE user_role_map DROP COLUMN managed_by_auth`,
		`CREATE TABLE api_token_role_map (api_token_id INTEGER REFERENCES api_tokens (id), role_id INTEGER REFERENCES roles (id))`,
		`CREATE TABLE oauth_client_role_map (oauth_client_id INTEGER REFERENCES oauth_clients (id), role_id INTEGER REFERENCES roles (id))`,
		`INSERT INTO roles (name, scopes) VALUES ('reader', '["read:users", "list:users"]')`,
		`INSERT INTO api_token_role_map SELECT t.id, r.id FROM api_tokens t, roles r`,
		`INSERT INTO oauth_client_role_map SELECT c.id, r.id FROM oauth_clients c, roles r WHERE c.identifier = '` + client + `'`,
		`UPDATE alembic_version SET version_num = '833da8570507'`,
	} {
		if _, err := db.Exec(query); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
	}
	if _, err := orm.Open(t.Context(), orm.Options{URL: url}); err == nil || !strings.Contains(err.Error(), "upgrade-db") {
		t.Fatalf("without asking: %v", err)
	}
	s = openWith(t, orm.Options{URL: url, Upgrade: true})
	defer s.Close()
	tokens := must(s.TokensByPrefix(t.Context(), "pref", time.Now()))
	if len(tokens) != 1 || fmt.Sprint(tokens[0].Scopes) != "[list:users read:users]" {
		t.Errorf("tokens: %+v", tokens)
	}
	if c := must(s.OAuthClient(t.Context(), client)); fmt.Sprint(c.AllowedScopes) != "[list:users read:users]" {
		t.Errorf("client: %+v", c)
	}
}
