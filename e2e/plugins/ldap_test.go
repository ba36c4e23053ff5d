//go:build e2e

package plugins

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/minihub/minihub/e2e/harness"
)

const slapdConfig = `include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/nis.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile %[1]s/slapd.pid
database mdb
suffix "dc=uni,dc=test"
rootdn "cn=root,dc=uni,dc=test"
rootpw %[2]s
directory %[1]s/data
access to attrs=userPassword by anonymous auth by * none
access to * by users read by * none
`

const people = `dn: dc=uni,dc=test
objectClass: dcObject
objectClass: organization
o: University
dc: uni

dn: ou=people,dc=uni,dc=test
objectClass: organizationalUnit
ou: people

dn: ou=groups,dc=uni,dc=test
objectClass: organizationalUnit
ou: groups

dn: uid=ada,ou=people,dc=uni,dc=test
objectClass: inetOrgPerson
uid: ada
cn: Ada Lovelace
sn: Lovelace
mail: ada.lovelace@uni.test
userPassword: %[1]s

dn: uid=bob,ou=people,dc=uni,dc=test
objectClass: inetOrgPerson
uid: bob
cn: Bob, the Builder
sn: Builder
mail: bob@uni.test
userPassword: %[1]s

dn: cn=hub-reader,dc=uni,dc=test
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: hub-reader
userPassword: %[2]s

dn: cn=researchers,ou=groups,dc=uni,dc=test
objectClass: groupOfNames
cn: researchers
member: uid=ada,ou=people,dc=uni,dc=test
`

// startLDAP starts a slapd with two people, a group and an account that may search, whose password is the second result.
func startLDAP(t *testing.T) (port int, reader string) {
	t.Helper()
	slapd := "/usr/sbin/slapd"
	if _, err := os.Stat(slapd); err != nil {
		t.Fatalf("no LDAP server: %v; run scripts/setup.sh packages", err)
	}
	dir, reader := t.TempDir(), harness.NewToken()
	port = harness.FreePort(t)
	if err := os.Mkdir(filepath.Join(dir, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"slapd.conf": fmt.Sprintf(slapdConfig, dir, harness.NewToken()), "people.ldif": fmt.Sprintf(people, firstPassword, reader)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	add := exec.Command(slapd, "-T", "add", "-f", "slapd.conf", "-l", "people.ldif")
	add.Dir = dir
	if out, err := add.CombinedOutput(); err != nil {
		t.Fatalf("fill the directory: %v\n%s", err, out)
	}
	server := harness.StartProcess(t, "slapd", dir, nil, slapd, "-d", "0", "-f", "slapd.conf", "-h", fmt.Sprintf("ldap://127.0.0.1:%d", port))
	harness.Poll(t, 30*time.Second, "slapd to listen", func() bool {
		if server.Exited() {
			t.Fatalf("slapd ended: %s", server.Log())
		}
		conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			return false
		}
		return conn.Close() == nil
	})
	return port, reader
}

const ldapConfig = `
c.Authenticator.allow_all = False
c.Authenticator.admin_users = set()
c.JupyterHub.authenticator_class = "ldapauthenticator.LDAPAuthenticator"
c.LDAPAuthenticator.server_address = "127.0.0.1"
c.LDAPAuthenticator.server_port = %d
c.LDAPAuthenticator.tls_strategy = "insecure"
`

// TestLDAPTemplate binds with a template of the name, and lets a group in.
func TestLDAPTemplate(t *testing.T) {
	t.Parallel()
	port, _ := startLDAP(t)
	hub := start(t, fmt.Sprintf(ldapConfig, port)+`
c.LDAPAuthenticator.bind_dn_template = ["uid={username},ou=elsewhere,dc=uni,dc=test", "uid={username},ou=people,dc=uni,dc=test"]
c.LDAPAuthenticator.allowed_groups = ["cn=researchers,ou=groups,dc=uni,dc=test"]
c.LDAPAuthenticator.auth_state_attributes = ["mail", "cn"]
c.LDAPAuthenticator.enable_auth_state = True

def mail(spawner, auth_state):
    spawner.environment["MAIL"] = auth_state["user_attributes"]["mail"][0]

c.Spawner.auth_state_hook = mail
`, "JUPYTERHUB_CRYPT_KEY="+harness.NewToken()+harness.NewToken())
	ada := wantIn(t, hub, "ada", firstPassword)
	state := hub.Admin(t).Get("/users/ada").Want(http.StatusOK).Map()["auth_state"]
	if got := texts(dig(state, "ldap_groups")); strings.Join(got, " ") != "cn=researchers,ou=groups,dc=uni,dc=test" {
		t.Errorf("auth_state: %v", state)
	}
	ada.Get("/hub/spawn")
	if got := variable(running(t, hub, "/user/ada/").Pid, "MAIL"); got != "ada.lovelace@uni.test" {
		t.Errorf("the attribute that auth_state_hook hands over: %q", got)
	}
	for what, login := range map[string][2]string{"a wrong password": {"ada", secondPassword}, "no password": {"ada", ""}, "blanks": {"ada", "   "}, "nobody": {"eve", firstPassword},
		"not in the group": {"bob", firstPassword}, "an injection": {"ada)(uid=*", firstPassword}, "a DN": {"ada,ou=people", firstPassword}} {
		t.Run(what, func(t *testing.T) { wantOut(t, hub, login[0], login[1], "Invalid username or password") })
	}
	hub.Admin(t).Get("/users/bob").Want(http.StatusNotFound)
}

// TestLDAPSearch looks people up by their address with an account of the hub's own, and names them by their uid.
func TestLDAPSearch(t *testing.T) {
	t.Parallel()
	port, reader := startLDAP(t)
	hub := start(t, fmt.Sprintf(ldapConfig, port)+fmt.Sprintf(`
c.LDAPAuthenticator.lookup_dn = True
c.LDAPAuthenticator.lookup_dn_search_user = "cn=hub-reader,dc=uni,dc=test"
c.LDAPAuthenticator.lookup_dn_search_password = %q
c.LDAPAuthenticator.user_search_base = "ou=people,dc=uni,dc=test"
c.LDAPAuthenticator.user_attribute = "mail"
c.LDAPAuthenticator.lookup_dn_user_dn_attribute = "uid"
c.LDAPAuthenticator.use_lookup_dn_username = True
c.LDAPAuthenticator.valid_username_regex = r"^[a-z@.]+$"
c.LDAPAuthenticator.allowed_users = {"ada"}
c.LDAPAuthenticator.admin_users = {"bob"}
`, reader))
	hub.Secret(reader)
	wantIn(t, hub, "ada.lovelace@uni.test", firstPassword)
	hub.Admin(t).Get("/users/ada").Want(http.StatusOK)
	bob := wantIn(t, hub, "bob@uni.test", firstPassword)
	if page := bob.Get("/hub/admin"); page.Status != http.StatusOK {
		t.Errorf("the admin page for bob: status %d", page.Status)
	}
	wantOut(t, hub, "ada.lovelace@uni.test", secondPassword, "Invalid username or password")
	wantOut(t, hub, "eve@uni.test", firstPassword, "Invalid username or password")
}

// TestLDAPAway has no directory to ask: that is an error of the hub's side, said on a page, not a wrong password.
func TestLDAPAway(t *testing.T) {
	t.Parallel()
	hub := start(t, fmt.Sprintf(ldapConfig, harness.FreePort(t))+`
c.LDAPAuthenticator.bind_dn_template = "uid={username},ou=people,dc=uni,dc=test"
c.LDAPAuthenticator.allow_all = True
`)
	page := hub.Browse(t).TryLogin("ada", firstPassword)
	if page.Status < 500 || strings.Contains(page.Text(), "Invalid username") || strings.Contains(page.Body, "LDAPSocket") {
		t.Errorf("status %d at %s\n%s", page.Status, page.URL, page.Text())
	}
}
