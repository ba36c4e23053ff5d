package oauthprovider_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/minihub/minihub/oauthprovider"
	"github.com/minihub/minihub/orm"
)

// The whole dance, as HubOAuth does it: PKCE, form fields, a relative redirect URI.
func TestFlow(t *testing.T) {
	s := newSite(t)
	alice := s.browser("alice")
	page := alice.get(authorizeURL("code_challenge", challenge, "code_challenge_method", "S256"))
	c := alice.consent(page)
	if c.ClientID != appID || c.ClientDescription != "JupyterHub service app" || c.RedirectURI != appCallback {
		t.Errorf("consent page: %+v", c)
	}
	back := alice.post(authorizeURL("code_challenge", challenge, "code_challenge_method", "S256"), url.Values{"_xsrf": {c.XSRF}, "scopes": c.Scopes})
	if back.status != http.StatusFound || back.to.Path != appCallback || back.to.Query().Get("state") != "st" {
		t.Fatalf("redirect: %d %v", back.status, back.to)
	}
	code := back.to.Query().Get("code")
	if !regexp.MustCompile(`^[A-Za-z0-9]{30}$`).MatchString(code) {
		t.Errorf("code %q is not like JupyterHub's", code)
	}
	reply := s.exchange(code, "code_verifier", verifier)
	reply.want(t, http.StatusOK, "")
	if !regexp.MustCompile(`^[A-Za-z0-9]{30}$`).MatchString(reply.AccessToken) || reply.TokenType != "Bearer" || reply.ExpiresIn != 14*24*3600 || reply.RefreshToken != "" {
		t.Errorf("reply: %s", reply.body)
	}
	if want := appAccess + " " + strings.Join(identity, " ") + " read:users:name!user=alice"; reply.Scope != want {
		t.Errorf("scope %q, want %q", reply.Scope, want)
	}
	if reply.header.Get("Pragma") != "no-cache" || reply.header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("headers: %v", reply.header)
	}
	scopes, ok := s.valid(reply.AccessToken)
	if !ok {
		t.Fatal("the token is not accepted")
	}
	if diff := cmp.Diff([]string{appAccess, "read:users:groups!user=alice", "read:users:name!user=alice"}, scopes); diff != "" {
		t.Errorf("effective scopes: %s", diff)
	}
	for _, secret := range []string{code, reply.AccessToken, appSecret, verifier, c.XSRF} {
		if strings.Contains(s.log.String(), secret) {
			t.Errorf("the log has a secret:\n%s", s.log)
		}
	}
}

// A second visit asks again only for more than what was agreed to, and never for one's own server or a client that the administrator trusts.
func TestConsentIsSkipped(t *testing.T) {
	s := newSite(t)
	s.server("rita", "", "jupyterhub-user-rita")
	rita := s.browser("rita")
	server := []string{"client_id", "jupyterhub-user-rita", "redirect_uri", ""}
	for name, pairs := range map[string][]string{
		"own server":      server,
		"trusted service": {"client_id", "service-trusted", "redirect_uri", ""},
	} {
		if a := rita.get(authorizeURL(pairs...)); a.status != http.StatusFound || a.to.Query().Get("code") == "" {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	if a := rita.get(authorizeURL("scope", "identify")); a.status != http.StatusOK {
		t.Fatalf("first visit without consent: %d", a.status)
	}
	s.exchange(rita.code("scope", "identify")).want(t, http.StatusOK, "")
	if a := rita.get(authorizeURL("scope", "identify")); a.status != http.StatusFound {
		t.Errorf("second visit with the same scopes: %d", a.status)
	}
	if a := rita.get(authorizeURL("scope", "identify read:users:name")); a.status != http.StatusOK {
		t.Errorf("second visit with more scopes: %d %v", a.status, a.to)
	}
	if a := s.browser("alice").get(authorizeURL("scope", "identify")); a.status != http.StatusOK {
		t.Errorf("what rita agreed to counts for alice: %d", a.status)
	}
	// Tokens that are gone are no consent.
	noErr(t, s.store.DeleteClientTokens(t.Context(), s.user("rita").ID, appID))
	if a := rita.get(authorizeURL("scope", "identify")); a.status != http.StatusOK {
		t.Errorf("visit after revoking: %d", a.status)
	}
}

func TestConsentPage(t *testing.T) {
	s := newSite(t)
	rita := s.browser("rita")
	tests := []struct {
		name   string
		pairs  []string
		scopes []string
		descr  []string // scope and filter
	}{
		{"nothing beyond identity", []string{"scope", "identify"}, append([]string{appAccess}, identity...), []string{""}},
		{"what the client may have", nil, append([]string{appAccess, "custom:app:read"}, append([]string{"read:users:groups!user", "read:users:name"}, identity[1:]...)...),
			[]string{"custom:app:read", "read:users:name"}},
		{"inherit hides the rest", []string{"client_id", "service-other", "redirect_uri", "", "scope", "inherit"}, []string{"inherit"}, []string{"inherit"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := rita.get(authorizeURL(tt.pairs...))
			c := rita.consent(a)
			var descr []string
			for _, d := range c.Descriptions {
				if d.Description == "" {
					t.Errorf("%q has no description", d.Scope)
				}
				descr = append(descr, d.Scope)
			}
			if diff := cmp.Diff(tt.scopes, c.Scopes); diff != "" {
				t.Errorf("scopes: %s", diff)
			}
			if diff := cmp.Diff(tt.descr, descr); diff != "" {
				t.Errorf("descriptions: %s", diff)
			}
			if a.header.Get("Referrer-Policy") != "no-referrer" || a.header.Get("Cache-Control") != "no-store" ||
				!strings.Contains(a.header.Get("Content-Security-Policy"), "frame-ancestors 'none'") {
				t.Errorf("headers: %v", a.header)
			}
		})
	}
}

// Who does not agree has a way back, on which the client hears of it.
func TestDeny(t *testing.T) {
	s := newSite(t)
	alice := s.browser("alice")
	u, err := url.Parse(alice.consent(alice.get(authorizeURL("state", "a&b"))).DenyURL)
	noErr(t, err)
	q := u.Query()
	if u.Path != appCallback || q.Get("error") != "access_denied" || q.Get("state") != "a&b" || q.Get("iss") != s.http.URL || q.Has("code") {
		t.Errorf("denied: %s", u)
	}
	client, err := s.store.OAuthClient(t.Context(), appID)
	noErr(t, err)
	client.RedirectURI = "JavaScript:alert(1)//"
	noErr(t, s.store.SaveOAuthClient(t.Context(), client))
	if c := alice.consent(alice.get(authorizeURL("redirect_uri", ""))); c.DenyURL != "" {
		t.Errorf("a script to click on: %s", c.DenyURL)
	}
}

// The form decides, within what was offered; what identifies the user is not up for choice.
func TestConsentForm(t *testing.T) {
	s := newSite(t)
	rita := s.browser("rita")
	required := appAccess + " " + strings.Join(identity, " ")
	other := "access:services!service=other"
	tests := []struct {
		name, query string
		chosen      []string
		want        string
	}{
		{"empty", authorizeURL(), nil, required},
		{"one of two", authorizeURL(), []string{"custom:app:read"}, appAccess + " custom:app:read " + strings.Join(identity, " ")},
		{"added to the form", authorizeURL(), []string{"admin:users", "inherit", "self", "read:users:name!user=alice", "nonsense"}, required},
		{"added, though the client may have it", authorizeURL("scope", "identify"), []string{"custom:app:read"}, required},
		{"inherit", authorizeURL("client_id", "service-other", "redirect_uri", ""), []string{"inherit"}, other + " inherit " + strings.Join(identity, " ")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			xsrf := rita.consent(rita.get(authorizeURL("scope", "read:users:name"))).XSRF
			a := rita.post(tt.query, url.Values{"_xsrf": {xsrf}, "scopes": tt.chosen})
			if a.status != http.StatusFound {
				t.Fatalf("%d %s", a.status, a.body)
			}
			row, err := s.store.CodeByValue(t.Context(), a.to.Query().Get("code"))
			noErr(t, err)
			if got := strings.Join(row.Scopes, " "); got != tt.want {
				t.Errorf("granted %q, want %q", got, tt.want)
			}
		})
	}
}

func TestConsentNeedsXSRF(t *testing.T) {
	s := newSite(t)
	alice := s.browser("alice")
	c := alice.consent(alice.get(authorizeURL()))
	bobs := s.browser("bob")
	stolen := bobs.consent(bobs.get(authorizeURL())).XSRF
	for name, form := range map[string]url.Values{
		"none": {"scopes": c.Scopes}, "empty": {"_xsrf": {""}}, "self-made": {"_xsrf": {"abc"}}, "of another user": {"_xsrf": {stolen}},
	} {
		if a := alice.post(authorizeURL(), form); a.status != http.StatusForbidden || a.to != nil {
			t.Errorf("%s: %d %v", name, a.status, a.to)
		}
	}
	if a := alice.post(authorizeURL(), url.Values{"_xsrf": {c.XSRF}}); a.status != http.StatusFound {
		t.Errorf("with its own: %d %s", a.status, a.body)
	}
}

// Where the middleware had no reason to read the form, it is read here.
func TestConsentFormUnread(t *testing.T) {
	s := newSite(t)
	rita := s.browser("rita")
	send := func(body string) answer {
		t.Helper()
		r, err := http.NewRequest(http.MethodPost, s.http.URL+authorizeURL(), strings.NewReader(body))
		noErr(t, err)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Mode", "websocket") // no form of any page has this
		return rita.do(r)
	}
	a := send("scopes=custom:app:read")
	if a.status != http.StatusFound {
		t.Fatalf("%d %s", a.status, a.body)
	}
	row, err := s.store.CodeByValue(t.Context(), a.to.Query().Get("code"))
	noErr(t, err)
	if !slices.Contains(row.Scopes, "custom:app:read") || slices.Contains(row.Scopes, "read:users:name") {
		t.Errorf("granted %v", row.Scopes)
	}
	for _, body := range []string{"scopes=%zz", "scopes=" + strings.Repeat("x", 100_000)} {
		if a := send(body); a.status != http.StatusBadRequest || a.to != nil {
			t.Errorf("%.20s: %d %v", body, a.status, a.to)
		}
	}
}

// A stranger logs in first and comes back to the very same request.
func TestAnonymous(t *testing.T) {
	s := newSite(t)
	b := s.browser("")
	request := authorizeURL("state", "a b+c&d=é", "code_challenge", challenge)
	a := b.get(request)
	if a.status != http.StatusFound || a.to.Path != "/hub/login" || a.to.Query().Get("next") != request {
		t.Errorf("%d %v", a.status, a.to)
	}
	if a := b.post(authorizeURL(), nil); a.status != http.StatusForbidden {
		t.Errorf("POST: %d", a.status)
	}
	// A page is for browsers: a token opens it for nobody.
	token := s.exchange(s.browser("alice").code()).AccessToken
	r, err := http.NewRequest(http.MethodGet, s.http.URL+authorizeURL(), nil)
	noErr(t, err)
	r.Header.Set("Authorization", "token "+token)
	if a := b.do(r); a.status != http.StatusFound || a.to.Path != "/hub/login" {
		t.Errorf("token: %d %v", a.status, a.to)
	}
}

// Tokens belong to the browser session: a logout ends those of its own session only.
func TestSessionOfTokens(t *testing.T) {
	s := newSite(t)
	first, second := s.browser("alice"), s.browser("alice")
	one, two := s.exchange(first.code()).AccessToken, s.exchange(second.code()).AccessToken
	session := ""
	u, err := url.Parse(s.http.URL)
	noErr(t, err)
	for _, c := range first.client.Jar.Cookies(u) {
		if c.Name == "jupyterhub-session-id" {
			session = c.Value
		}
	}
	id, err := s.access.ByToken(t.Context(), one)
	noErr(t, err)
	if session == "" || id == nil || id.SessionID != session {
		t.Fatalf("session of the token: %+v, of the browser %q", id, session)
	}
	noErr(t, s.store.DeleteSessionTokens(t.Context(), s.user("alice").ID, session))
	_, oneValid := s.valid(one)
	_, twoValid := s.valid(two)
	if oneValid || !twoValid {
		t.Errorf("after the first browser's logout: its token %t, the other's %t", oneValid, twoValid)
	}
}

func TestTokenLife(t *testing.T) {
	s := newSite(t, func(o *oauthprovider.Options) { o.TokenLife = 90 * time.Minute })
	reply := s.exchange(s.browser("alice").code())
	id, err := s.access.ByToken(t.Context(), reply.AccessToken)
	noErr(t, err)
	if reply.ExpiresIn != 5400 || id.Token.ExpiresAt == nil {
		t.Fatalf("expires_in %d, row %v", reply.ExpiresIn, id.Token.ExpiresAt)
	}
	if left := time.Until(*id.Token.ExpiresAt); left > 90*time.Minute || left < 89*time.Minute {
		t.Errorf("the token lives for %s", left)
	}
}

func TestUserInfo(t *testing.T) {
	s := newSite(t)
	claims := func(token string) map[string]any {
		t.Helper()
		r, err := http.NewRequest(http.MethodGet, s.http.URL+"/hub/api/oauth2/userinfo", nil)
		noErr(t, err)
		r.Header.Set("Authorization", "Bearer "+token)
		a := s.browser("").do(r)
		out := map[string]any{}
		if err := json.Unmarshal([]byte(a.body), &out); err != nil || a.status != http.StatusOK || a.header.Get("Cache-Control") != "no-store" {
			t.Fatalf("%d %s", a.status, a.body)
		}
		return out
	}
	rita := s.exchange(s.browser("rita").code("scope", "identify")).AccessToken
	got := claims(rita)
	sub, _ := got["sub"].(string)
	delete(got, "sub")
	if diff := cmp.Diff(map[string]any{"name": "rita", "preferred_username": "rita", "groups": []any{"readers"}}, got); diff != "" {
		t.Error(diff)
	}
	if len(sub) < 20 || strings.Contains(sub, "rita") {
		t.Errorf("sub %q", sub)
	}

	u := s.user("rita")
	u.UserInfo = orm.JSONDict{"email": "rita@example.org", "display_name": "Rita R.", "secret": "x"}
	noErr(t, s.store.UpdateUser(t.Context(), u, "user_info"))
	got = claims(rita)
	if got["email"] != "rita@example.org" || got["name"] != "Rita R." || got["secret"] != nil {
		t.Errorf("with user_info: %v", got)
	}

	// The subject outlives a rename, and is not handed down to the next of the name.
	u.Name = "margarita"
	noErr(t, s.store.UpdateUser(t.Context(), u, "name"))
	renamed := claims(rita)
	if renamed["sub"] != sub || renamed["preferred_username"] != "margarita" {
		t.Errorf("after the rename: %v", renamed)
	}
	noErr(t, s.store.DeleteUser(t.Context(), u.ID))
	if _, ok := s.valid(rita); ok {
		t.Error("the token outlives its user")
	}
	_, _, err := s.users.Ensure(t.Context(), "rita")
	noErr(t, err)
	if next := claims(s.exchange(s.browser("rita").code("scope", "identify")).AccessToken); next["sub"] == sub {
		t.Error("the next user of the name has the same subject")
	}

	service := claims(appSecret) // a service's own token
	if diff := cmp.Diff(map[string]any{"sub": "service:app", "name": "app"}, service); diff != "" {
		t.Error(diff)
	}
	for name, b := range map[string]*browser{"nobody": s.browser(""), "a login cookie": s.browser("alice")} {
		if a := b.get("/hub/api/oauth2/userinfo"); a.status != http.StatusForbidden {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	if a := s.browser("").get("/hub/api/oauth2/userinfo?access_token=" + appSecret); a.status != http.StatusForbidden {
		t.Errorf("token in the query: %d", a.status)
	}
}

// S256 of RFC 7636 appendix B, so that the constants of these tests are beyond doubt.
func TestConstants(t *testing.T) {
	sum := sha256.Sum256([]byte(verifier))
	if got := base64.RawURLEncoding.EncodeToString(sum[:]); got != challenge {
		t.Errorf("challenge %s", got)
	}
}
