package oauthprovider_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/minihub/minihub/orm"
)

func form(code string, pairs ...string) url.Values {
	return params(url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {appCallback}}, pairs)
}

func TestClientAuthentication(t *testing.T) {
	s := newSite(t)
	code := s.browser("alice").code()
	basic := func(id, secret string) func(*http.Request) {
		return func(r *http.Request) { r.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(secret)) }
	}
	query := func(q string) func(*http.Request) { return func(r *http.Request) { r.URL.RawQuery = q } }
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	in := func(id, secret string) url.Values { return form(code, "client_id", id, "client_secret", secret) }
	tests := []struct {
		name   string
		form   url.Values
		change func(*http.Request)
		status int
		want   string
		scheme string // of WWW-Authenticate
	}{
		{"nothing", form(code), nil, 401, "invalid_client", "Bearer"},
		{"no secret", in(appID, ""), nil, 401, "invalid_client", "Bearer"},
		{"wrong secret", in(appID, "wrong"), nil, 401, "invalid_client", "Bearer"},
		{"another client's secret", in(appID, "secret-of-trusted"), nil, 401, "invalid_client", "Bearer"},
		{"the hash as secret", in(appID, "sha512:16384"), nil, 401, "invalid_client", "Bearer"},
		{"long secret", in(appID, strings.Repeat("x", 50_000)), nil, 401, "invalid_client", "Bearer"},
		{"unknown client", in("nobody", appSecret), nil, 401, "invalid_client", "Bearer"},
		{"NUL in the client", in(appID+"\x00", appSecret), nil, 401, "invalid_client", "Bearer"},
		{"client without secret", in("service-bare", "x"), nil, 401, "invalid_client", "Bearer"},
		{"client without secret and none", in("service-bare", ""), nil, 401, "invalid_client", "Bearer"},
		{"the hub itself", in("jupyterhub", ""), nil, 401, "invalid_client", "Bearer"},
		{"secret in the query", form(code, "client_id", appID), query("client_secret=" + appSecret), 401, "invalid_client", "Bearer"},
		{"all in the query", url.Values{}, query(form(code, "client_id", appID, "client_secret", appSecret).Encode()), 401, "invalid_client", "Bearer"},
		{"secret twice", url.Values{"client_id": {appID}, "client_secret": {appSecret, "x"}, "grant_type": {"authorization_code"}, "code": {code}}, nil, 400, "invalid_request", ""},
		{"basic, wrong secret", form(code), basic(appID, "wrong"), 401, "invalid_client", "Basic"},
		{"basic, empty", form(code), basic("", ""), 401, "invalid_client", "Basic"},
		{"basic, bad escape", form(code), func(r *http.Request) { r.SetBasicAuth(appID, "%zz") }, 401, "invalid_client", "Basic"},
		{"basic and body", in(appID, appSecret), basic(appID, appSecret), 400, "invalid_request", ""},
		{"basic and another client_id", form(code, "client_id", "service-other"), basic(appID, appSecret), 401, "invalid_client", "Basic"},
		{"bearer is none", form(code), header("Authorization", "Bearer "+appSecret), 401, "invalid_client", "Bearer"},
		{"JSON", in(appID, appSecret), header("Content-Type", "application/json"), 400, "invalid_request", ""},
		{"no content type", in(appID, appSecret), header("Content-Type", ""), 400, "invalid_request", ""},
		{"cross-site", form(code), header("Origin", "https://evil.test"), 401, "invalid_client", "Bearer"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			change := tt.change
			if change == nil {
				change = func(*http.Request) {}
			}
			a := s.token(tt.form, change)
			a.want(t, tt.status, tt.want)
			if got := a.header.Get("WWW-Authenticate"); !strings.HasPrefix(got, tt.scheme) || (got == "") != (tt.scheme == "") {
				t.Errorf("WWW-Authenticate %q", got)
			}
			if a.header.Get("Access-Control-Allow-Origin") != "" {
				t.Error("CORS")
			}
		})
	}
	// None of them burnt the code.
	s.token(form(code), basic(appID, appSecret)).want(t, 200, "")
	// The answer says nothing of what was wrong, the log does.
	log := s.log.String()
	for _, want := range []string{"there is no such client", "its api_token", "no client_secret was sent", "wrong client_secret"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %q", want)
		}
	}
	if strings.Contains(log, appSecret) || strings.Contains(log, code) {
		t.Error("the log has secrets")
	}
}

func TestGrantTypes(t *testing.T) {
	s := newSite(t)
	code := s.browser("alice").code()
	for _, grant := range []string{"password", "client_credentials", "refresh_token", "implicit", "urn:ietf:params:oauth:grant-type:device_code",
		"urn:ietf:params:oauth:grant-type:jwt-bearer", "Authorization_Code"} {
		s.exchange(code, "grant_type", grant, "username", "alice", "password", "x").want(t, 400, "unsupported_grant_type")
	}
	s.exchange(code, "grant_type", "").want(t, 400, "invalid_request")
	s.exchange(code).want(t, 200, "")
}

func TestBadCodes(t *testing.T) {
	s := newSite(t)
	alice := s.browser("alice")
	for name, code := range map[string]string{
		"garbage": "abcdef", "10 kB": strings.Repeat("a", 10_000), "SQL": "' OR '1'='1", "like": "%", "NUL": "a\x00b", "not UTF-8": "\xff\xfe", "path": "../../x",
	} {
		t.Run(name, func(t *testing.T) { s.exchange(code).want(t, 400, "invalid_grant") })
	}
	s.exchange("").want(t, 400, "invalid_request")
	s.exchange(strings.Repeat("a", 100_000)).want(t, 400, "invalid_request") // larger than any form

	code := alice.code()
	t.Run("of another client", func(t *testing.T) {
		s.exchange(code, "client_id", "service-other", "client_secret", "secret-of-other", "redirect_uri", "https://other.test:8443/cb?keep=1").want(t, 400, "invalid_grant")
	})
	t.Run("other redirect_uri", func(t *testing.T) {
		s.exchange(code, "redirect_uri", "https://evil.test/").want(t, 400, "invalid_grant")
	})
	t.Run("redirect_uri missing", func(t *testing.T) { s.exchange(code, "redirect_uri", "").want(t, 400, "invalid_grant") })
	s.exchange(code).want(t, 200, "")

	t.Run("redirect_uri never given", func(t *testing.T) {
		first, second, third := alice.code("redirect_uri", ""), alice.code("redirect_uri", ""), alice.code("redirect_uri", "")
		s.exchange(first, "redirect_uri", "").want(t, 200, "")
		s.exchange(second).want(t, 200, "") // HubOAuth always sends it
		s.exchange(third, "redirect_uri", "/elsewhere").want(t, 400, "invalid_grant")
	})
}

func TestCodeLivesFiveMinutes(t *testing.T) {
	s := newSite(t)
	begin := time.Now()
	code := s.browser("alice").code()
	row, err := s.store.CodeByValue(t.Context(), code)
	noErr(t, err)
	if left := row.ExpiresAt - begin.Unix(); left < 299 || left > 305 {
		t.Errorf("the code lives for %d s", left)
	}
	old := *row
	old.ID, old.Code, old.ExpiresAt = 0, "Old0000000000000000000000000xx", begin.Unix()-1
	noErr(t, s.store.CreateCode(t.Context(), &old))
	s.exchange(old.Code).want(t, 400, "invalid_grant")
	s.exchange(code).want(t, 200, "")
}

// A code is good once; who uses it again ends what it gave, because one of the two is a thief (RFC 6749 section 4.1.2).
func TestReplayRevokes(t *testing.T) {
	s := newSite(t)
	alice := s.browser("alice")
	earlier := s.exchange(alice.code()).AccessToken
	code := alice.code()
	token := s.exchange(code).AccessToken

	// Somebody without the secret, and another client, cannot end it.
	s.exchange(code, "client_secret", "guess").want(t, 401, "invalid_client")
	s.exchange(code, "client_id", "service-other", "client_secret", "secret-of-other").want(t, 400, "invalid_grant")
	if _, ok := s.valid(token); !ok {
		t.Fatal("a stranger ended the token")
	}
	s.exchange(code).want(t, 400, "invalid_grant")
	if _, ok := s.valid(token); ok {
		t.Error("the token is still good after the code was used twice")
	}
	if _, ok := s.valid(earlier); !ok {
		t.Error("the token of another code is gone too")
	}
	s.exchange(code).want(t, 400, "invalid_grant")
	if log := s.log.String(); !strings.Contains(log, "oauth code used twice") || strings.Contains(log, code) {
		t.Errorf("log:\n%s", log)
	}
}

// What a code gave is known for as long as that lives, also to the hub that comes after a restart. Ids are given out again by SQLite:
// a token that got the id of one that has ended stays.
func TestReplayAfterRestart(t *testing.T) {
	s := newSite(t)
	alice := s.browser("alice")
	code, ended := alice.code(), alice.code()
	token := s.exchange(code).AccessToken
	last := s.exchange(ended).AccessToken
	row, err := s.access.ByToken(t.Context(), last)
	noErr(t, err)
	noErr(t, s.store.DeleteTokens(t.Context(), []int64{row.Token.ID}))
	next := s.exchange(alice.code()).AccessToken

	s.provider = s.newProvider() // a hub that remembers nothing but its database
	s.exchange(ended).want(t, 400, "invalid_grant")
	if _, ok := s.valid(next); !ok {
		t.Error("a token that has nothing to do with the code was revoked")
	}
	s.exchange(code).want(t, 400, "invalid_grant")
	if _, ok := s.valid(token); ok {
		t.Error("the token is still good after the code was used again")
	}
}

func TestParallelUses(t *testing.T) {
	s := newSite(t)
	code := s.browser("alice").code()
	const n = 20
	replies := make([]tokenAnswer, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { replies[i] = s.exchange(code) })
	}
	wg.Wait()
	won := 0
	for _, r := range replies {
		if r.status == http.StatusOK {
			won++
			continue
		}
		r.want(t, 400, "invalid_grant")
	}
	if won != 1 {
		t.Errorf("%d of %d got a token", won, n)
	}
	rows, err := s.store.TokensOfUser(t.Context(), s.user("alice").ID)
	noErr(t, err)
	if len(rows) > 1 {
		t.Errorf("%d tokens in the database", len(rows))
	}
}

func TestPKCE(t *testing.T) {
	s := newSite(t)
	alice := s.browser("alice")
	s256, plain := alice.code("code_challenge", challenge, "code_challenge_method", "S256"), alice.code("code_challenge", verifier)
	none := alice.code()
	tests := []struct{ name, code, verifier, want string }{
		{"missing", s256, "", "invalid_request"},
		{"wrong", s256, strings.Repeat("a", 43), "invalid_grant"},
		{"truncated", s256, verifier[:42], "invalid_grant"},
		{"extended", s256, verifier + "x", "invalid_grant"},
		{"challenge as verifier", s256, challenge, "invalid_grant"},
		{"plain, missing", plain, "", "invalid_request"},
		{"plain, hashed", plain, challenge, "invalid_grant"},
		{"downgrade", none, verifier, "invalid_grant"}, // RFC 9700 section 4.8.2
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { s.exchange(tt.code, "code_verifier", tt.verifier).want(t, 400, tt.want) })
	}
	// None of the attempts burnt a code.
	s.exchange(s256, "code_verifier", verifier).want(t, 200, "")
	s.exchange(plain, "code_verifier", verifier).want(t, 200, "")
	s.exchange(none).want(t, 200, "")
}

// Things may change between code and token.
func TestChangesInBetween(t *testing.T) {
	s := newSite(t)
	ctx := t.Context()
	t.Run("client deleted", func(t *testing.T) {
		s.server("alice", "", "jupyterhub-user-alice")
		code := s.browser("alice").code("client_id", "jupyterhub-user-alice", "redirect_uri", "")
		noErr(t, s.store.DeleteOAuthClient(ctx, "jupyterhub-user-alice"))
		s.exchange(code, "client_id", "jupyterhub-user-alice", "client_secret", "secret-of-server", "redirect_uri", "").want(t, 401, "invalid_client")
	})
	t.Run("redirect URI changed", func(t *testing.T) {
		code := s.browser("alice").code()
		client, err := s.store.OAuthClient(ctx, appID)
		noErr(t, err)
		client.RedirectURI = "/elsewhere"
		noErr(t, s.store.SaveOAuthClient(ctx, client))
		s.exchange(code).want(t, 400, "invalid_grant")
		client.RedirectURI = appCallback
		noErr(t, s.store.SaveOAuthClient(ctx, client))
	})
	t.Run("user deleted", func(t *testing.T) {
		b := s.browser("bob")
		code, token := b.code(), s.exchange(b.code()).AccessToken
		noErr(t, s.store.DeleteUser(ctx, s.user("bob").ID))
		s.exchange(code).want(t, 400, "invalid_grant")
		if _, ok := s.valid(token); ok {
			t.Error("the token outlives its user")
		}
		_, _, err := s.users.Ensure(ctx, "bob")
		noErr(t, err)
		s.exchange(code).want(t, 400, "invalid_grant")
		if _, ok := s.valid(token); ok {
			t.Error("the next user of the name has inherited a token")
		}
	})
	t.Run("rights lost", func(t *testing.T) {
		code := s.browser("rita").code("scope", "custom:app:read")
		role, err := s.store.RoleByName(ctx, "reader")
		noErr(t, err)
		role.Scopes = orm.JSONList{"read:users:name"}
		noErr(t, s.store.UpdateRole(ctx, role))
		scopes, ok := s.valid(s.exchange(code).AccessToken)
		for _, scope := range scopes {
			if strings.HasPrefix(scope, "custom:") {
				t.Errorf("the token still has %s", scope)
			}
		}
		if !ok || len(scopes) == 0 {
			t.Errorf("the rest is gone as well: %v", scopes)
		}
	})
}
