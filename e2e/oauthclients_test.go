//go:build e2e

package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/minihub/minihub/e2e/harness"
)

// loginResult is what a client tells after it has logged in, asked about its token, ended it, and asked again.
type loginResult struct {
	TokenType     string `json:"token_type"`
	User          map[string]any
	Before, After map[string]any
	Stolen        string // how it refused an answer with another issuer
}

// oauthClient is one library: start gives the address for the browser, and what to do with the address where that came out.
type oauthClient struct {
	name  string
	start func(t *testing.T, site oauthSite) (address string, finish func(back string) loginResult)
}

// oauthSite is what a client is told; everything else it finds out.
type oauthSite struct {
	hub                                 *harness.Hub
	issuer, clientID, secret, redirects string
}

func (s oauthSite) env() []string {
	return []string{"ISSUER=" + s.issuer, "CLIENT_ID=" + s.clientID, "CLIENT_SECRET=" + s.secret, "REDIRECT_URI=" + s.redirects}
}

// TestOAuthClients lets clients that have nothing to do with each other or with JupyterHub log in, knowing the issuer alone; also
// below a base_url, whose place in the address of the description is special.
func TestOAuthClients(t *testing.T) {
	t.Parallel()
	harness.MinihubOnly(t, "it has no description of its endpoints, no revocation and no introspection")
	clients := []oauthClient{
		{"authlib", func(t *testing.T, s oauthSite) (string, func(string) loginResult) {
			return external(t, s, harness.Python(), harness.Testdata("oauth_discovery.py"))
		}},
		{"oauth4webapi", func(t *testing.T, s oauthSite) (string, func(string) loginResult) {
			return external(t, s, "node", nodeScript(t, "login.mjs"))
		}},
		{"golang.org/x/oauth2", goClient},
	}
	for _, base := range []string{"", "/@/jupyter/"} {
		secret := harness.NewToken() + harness.NewToken()
		redirects := fmt.Sprintf("http://127.0.0.1:%d/callback", harness.FreePort(t))
		hub := harness.Start(t, harness.Options{Base: base, Config: fmt.Sprintf(`
c.JupyterHub.services += [{"name": "wiki", "api_token": %q, "oauth_redirect_uri": %q, "oauth_client_allowed_scopes": ["read:users!user"]}]
c.JupyterHub.load_roles += [{"name": "user", "scopes": ["self", "access:services!service=wiki"]}]
`, secret, redirects)})
		hub.Secret(secret)
		site := oauthSite{hub: hub, issuer: hub.URL + strings.TrimSuffix(base, "/"), clientID: "service-wiki", secret: secret, redirects: redirects}
		for _, client := range clients {
			t.Run("base_url "+base+": "+client.name, func(t *testing.T) { logInWith(t, site, client) })
		}
	}
}

// logInWith plays the browser for a client.
func logInWith(t *testing.T, site oauthSite, client oauthClient) {
	address, finish := client.start(t, site)
	browser := site.hub.Browse(t)
	browser.StopAt(site.redirects)
	back := browser.Visit(address, "queequeg").URL
	if !strings.HasPrefix(back.String(), site.redirects+"?") || back.Query().Get("code") == "" {
		t.Fatalf("the browser came out at %s", back)
	}
	site.hub.Secret(back.Query().Get("code"))
	got := finish(back.String())
	if got.TokenType != "Bearer" && got.TokenType != "bearer" {
		t.Errorf("token_type %q", got.TokenType)
	}
	if got.User["preferred_username"] != "queequeg" || got.User["sub"] == "" || got.User["sub"] != got.Before["sub"] {
		t.Errorf("userinfo: %v, introspection %v", got.User, got.Before)
	}
	scope, _ := got.Before["scope"].(string)
	if got.Before["active"] != true || got.Before["username"] != "queequeg" || got.Before["client_id"] != site.clientID || got.Before["iss"] != site.issuer ||
		!strings.Contains(scope, "read:users!user=queequeg") {
		t.Errorf("introspection: %v", got.Before)
	}
	if len(got.After) != 1 || got.After["active"] != false {
		t.Errorf("introspection after the token was revoked: %v", got.After)
	}
	if client.name == "oauth4webapi" && !strings.Contains(got.Stolen, "iss") {
		t.Errorf("an answer of another server: %q", got.Stolen)
	}
}

// nodeScript copies a script beside the packages that it imports.
func nodeScript(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(harness.Root(), "e2e", "node", name))
	if err != nil {
		t.Fatal(err)
	}
	packages := filepath.Join(harness.Root(), ".cache", "npm-clients", "node_modules")
	if _, err := os.Stat(packages); err != nil {
		t.Fatalf("the clients are not installed: %v; run scripts/setup.sh npm-clients", err)
	}
	dir := t.TempDir()
	if err := os.Symlink(packages, filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, name)
}

// external runs a client in another language: it prints the address, reads where the browser came out, and prints the result.
func external(t *testing.T, site oauthSite, command ...string) (string, func(string) loginResult) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Env = append(os.Environ(), site.env()...)
	var problems strings.Builder
	cmd.Stderr = &problems
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	read := func() string {
		t.Helper()
		if !lines.Scan() {
			_ = cmd.Wait()
			t.Fatalf("%s ended: %s", command[0], problems.String())
		}
		return lines.Text()
	}
	return read(), func(back string) loginResult {
		t.Helper()
		if _, err := io.WriteString(in, back+"\n"); err != nil {
			t.Fatal(err)
		}
		var result loginResult
		if err := json.Unmarshal([]byte(read()), &result); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s: %v\n%s", command[0], err, problems.String())
		}
		return result
	}
}

// goClient is golang.org/x/oauth2, which tries by itself how the client authenticates. It has no discovery, revocation or introspection;
// those are plain requests.
func goClient(t *testing.T, site oauthSite) (string, func(string) loginResult) {
	t.Helper()
	var server struct {
		Authorization string `json:"authorization_endpoint"`
		Token         string `json:"token_endpoint"`
		UserInfo      string `json:"userinfo_endpoint"`
		Revocation    string `json:"revocation_endpoint"`
		Introspection string `json:"introspection_endpoint"`
	}
	issuer, err := url.Parse(site.issuer)
	if err != nil {
		t.Fatal(err)
	}
	address := issuer.Scheme + "://" + issuer.Host + "/.well-known/oauth-authorization-server" + issuer.EscapedPath()
	fetch(t, mustRequest(t, http.MethodGet, address, nil), &server)
	config := oauth2.Config{ClientID: site.clientID, ClientSecret: site.secret, RedirectURL: site.redirects,
		Endpoint: oauth2.Endpoint{AuthURL: server.Authorization, TokenURL: server.Token}}
	verifier := oauth2.GenerateVerifier()
	return config.AuthCodeURL("the-state", oauth2.S256ChallengeOption(verifier)), func(back string) loginResult {
		t.Helper()
		ctx := context.Background()
		u, err := url.Parse(back)
		if err != nil || u.Query().Get("state") != "the-state" {
			t.Fatalf("came back at %s: %v", back, err)
		}
		token, err := config.Exchange(ctx, u.Query().Get("code"), oauth2.VerifierOption(verifier))
		if err != nil {
			t.Fatal(err)
		}
		site.hub.Secret(token.AccessToken)
		result := loginResult{TokenType: token.TokenType}
		answer, err := config.Client(ctx, token).Get(server.UserInfo)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		if err := json.NewDecoder(answer.Body).Decode(&result.User); err != nil {
			t.Fatal(err)
		}
		post := func(address string, into any) {
			t.Helper()
			request := mustRequest(t, http.MethodPost, address, url.Values{"token": {token.AccessToken}})
			request.SetBasicAuth(url.QueryEscape(site.clientID), url.QueryEscape(site.secret))
			fetch(t, request, into)
		}
		post(server.Introspection, &result.Before)
		post(server.Revocation, nil)
		post(server.Introspection, &result.After)
		return result
	}
}

func mustRequest(t *testing.T, method, address string, form url.Values) *http.Request {
	t.Helper()
	request, err := http.NewRequest(method, address, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return request
}

func fetch(t *testing.T, request *http.Request, into any) {
	t.Helper()
	answer := harness.Send(t, request).Want(http.StatusOK)
	if into == nil {
		return
	}
	if err := json.Unmarshal([]byte(answer.Body), into); err != nil {
		t.Fatalf("%s: %v: %s", request.URL, err, answer.Body)
	}
}
