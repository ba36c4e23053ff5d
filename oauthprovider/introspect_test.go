package oauthprovider_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/minihub/minihub/orm"
)

// asClient are the form fields of the client app, or of another.
func asClient(token string, pairs ...string) url.Values {
	return params(url.Values{"client_id": {appID}, "client_secret": {appSecret}, "token": {token}}, pairs)
}

var asOther = []string{"client_id", "service-other", "client_secret", "secret-of-other"}

func bearer(token string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
}

// A client ends its own tokens, and nobody else's.
func TestRevoke(t *testing.T) {
	s := newSite(t)
	alice := s.browser("alice")
	token, kept := s.exchange(alice.code()).AccessToken, s.exchange(alice.code()).AccessToken
	refused := []struct {
		name   string
		form   url.Values
		change func(*http.Request)
		status int
		want   string
	}{
		{"nobody", url.Values{"token": {token}}, nil, 401, "invalid_client"},
		{"wrong secret", asClient(token, "client_secret", "guess"), nil, 401, "invalid_client"},
		{"another client", asClient(token, asOther...), nil, 400, "unauthorized_client"},
		{"the token itself", url.Values{"token": {token}}, bearer(token), 401, "invalid_client"},
		{"token in the query", asClient(""), func(r *http.Request) { r.URL.RawQuery = "token=" + token }, 400, "invalid_request"},
		{"no token", asClient(""), nil, 400, "invalid_request"},
		{"two tokens", url.Values{"client_id": {appID}, "client_secret": {appSecret}, "token": {token, kept}}, nil, 400, "invalid_request"},
		{"JSON", asClient(token), func(r *http.Request) { r.Header.Set("Content-Type", "application/json") }, 400, "invalid_request"},
		{"its own secret, which is the service's token", asClient(appSecret), nil, 400, "unauthorized_client"},
	}
	for _, tt := range refused {
		t.Run(tt.name, func(t *testing.T) {
			change := tt.change
			if change == nil {
				change = func(*http.Request) {}
			}
			a := s.send("revoke", tt.form, change)
			if a.status != tt.status || !strings.Contains(a.body, `"error":"`+tt.want+`"`) {
				t.Errorf("%d %s, want %d %s", a.status, a.body, tt.status, tt.want)
			}
		})
	}
	if _, ok := s.valid(token); !ok {
		t.Fatal("a refused request ended the token")
	}
	for name, form := range map[string]url.Values{
		"the token": asClient(token), "again": asClient(token, "token_type_hint", "refresh_token"), "unknown": asClient("never-issued", "token_type_hint", "what"),
		"hostile": asClient("' OR 1=1 --\x00"), "long": asClient(strings.Repeat("x", 20_000)),
	} {
		if a := s.send("revoke", form); a.status != http.StatusOK || a.body != "" {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	if _, ok := s.valid(token); ok {
		t.Error("the token is still good")
	}
	if _, ok := s.valid(kept); !ok {
		t.Error("another token of the client is gone too")
	}
	a := s.send("revoke", url.Values{"token": {kept}}, func(r *http.Request) { r.SetBasicAuth(appID, appSecret) })
	if _, ok := s.valid(kept); ok || a.status != http.StatusOK {
		t.Errorf("HTTP Basic: %d %s", a.status, a.body)
	}
	if strings.Contains(s.log.String(), token) {
		t.Error("the log has the token")
	}
}

// What a token is good for is told to its client, and to those who may read the tokens of its owner. Nobody else learns whether it exists.
func TestIntrospect(t *testing.T) {
	s := newSite(t)
	ctx := t.Context()
	token := s.exchange(s.browser("rita").code("scope", "custom:app:read")).AccessToken
	const inactive = `{"active":false}`
	ask := func(form url.Values, change ...func(*http.Request)) string {
		t.Helper()
		a := s.send("introspect", form, change...)
		if a.status != http.StatusOK || a.header.Get("Cache-Control") != "no-store" {
			t.Fatalf("%d %s", a.status, a.body)
		}
		return strings.TrimSpace(a.body)
	}
	row, err := s.access.ByToken(ctx, token)
	noErr(t, err)
	var got map[string]any
	noErr(t, json.Unmarshal([]byte(ask(asClient(token))), &got))
	sub, _ := got["sub"].(string)
	delete(got, "sub")
	want := map[string]any{"active": true, "client_id": appID, "username": "rita", "token_type": "Bearer", "iss": s.http.URL,
		"exp": float64(row.Token.ExpiresAt.Unix()), "iat": float64(row.Token.Created.Unix()),
		"scope": appAccess + " custom:app:read read:users:groups!user=rita read:users:name!user=rita"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(sub) < 20 {
		t.Errorf("sub %q", sub)
	}
	holder := func(scopes ...string) string {
		raw, ownClient := orm.NewToken(), "jupyterhub"
		id := s.user("bob").ID
		noErr(t, s.store.CreateRole(ctx, &orm.Role{Name: "r" + raw, Scopes: scopes}))
		role, err := s.store.RoleByName(ctx, "r"+raw)
		noErr(t, err)
		noErr(t, s.store.Grant(ctx, orm.HolderUser, []int64{id}, role.ID, false))
		noErr(t, s.store.CreateToken(ctx, &orm.APIToken{UserID: &id, ClientID: &ownClient, Hashed: orm.HashToken(raw, orm.GeneratedRounds), Prefix: orm.TokenPrefix(raw), Scopes: scopes}))
		return raw
	}
	form := url.Values{"token": {token}}
	for name, answer := range map[string]string{
		"another client":               ask(asClient(token, asOther...)),
		"an unknown token":             ask(asClient("never-issued")),
		"a hostile one":                ask(asClient("\x00' --")),
		"the token itself":             ask(form, bearer(token)),
		"read:tokens of somebody else": ask(form, bearer(holder("read:tokens!user=alice"))),
		"read:users":                   ask(form, bearer(holder("read:users"))),
	} {
		if answer != inactive {
			t.Errorf("%s: %s", name, answer)
		}
	}
	for _, scope := range []string{"read:tokens", "read:tokens!user=rita", "tokens!group=readers"} {
		if answer := ask(form, bearer(holder(scope))); !strings.Contains(answer, `"active":true`) {
			t.Errorf("%s: %s", scope, answer)
		}
	}
	for name, a := range map[string]answer{
		"nobody": s.send("introspect", form), "a dead bearer": s.send("introspect", form, bearer("x")), "wrong secret": s.send("introspect", asClient(token, "client_secret", "x")),
	} {
		if a.status != http.StatusUnauthorized || a.header.Get("WWW-Authenticate") == "" || strings.Contains(a.body, "active") {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	// Rights that were lost since, and tokens that have ended.
	role, err := s.store.RoleByName(ctx, "reader")
	noErr(t, err)
	role.Scopes = orm.JSONList{"read:users:name"}
	noErr(t, s.store.UpdateRole(ctx, role))
	if answer := ask(asClient(token)); strings.Contains(answer, "custom:app:read") || !strings.Contains(answer, `"active":true`) {
		t.Errorf("after the right was lost: %s", answer)
	}
	noErr(t, s.store.DeleteTokens(ctx, []int64{row.Token.ID}))
	if answer := ask(asClient(token)); answer != inactive {
		t.Errorf("after the end: %s", answer)
	}
}
