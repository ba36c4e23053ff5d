package oauthprovider_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/minihub/minihub/oauthprovider"
)

// The description says what is true, and every endpoint in it is there.
func TestMetadata(t *testing.T) {
	s := newSite(t)
	a := s.browser("").get("/hub/api/oauth2/metadata")
	var m map[string]any
	noErr(t, json.Unmarshal([]byte(a.body), &m))
	if a.status != http.StatusOK || a.header.Get("Content-Type") != "application/json" {
		t.Errorf("%d %s", a.status, a.header.Get("Content-Type"))
	}
	oauth := s.http.URL + "/hub/api/oauth2/"
	methods := []any{"client_secret_basic", "client_secret_post"}
	scopes, _ := m["scopes_supported"].([]any)
	delete(m, "scopes_supported")
	want := map[string]any{
		"issuer": s.http.URL, "authorization_endpoint": oauth + "authorize", "token_endpoint": oauth + "token", "revocation_endpoint": oauth + "revoke",
		"introspection_endpoint": oauth + "introspect", "userinfo_endpoint": oauth + "userinfo", "response_types_supported": []any{"code"},
		"response_modes_supported": []any{"query"}, "grant_types_supported": []any{"authorization_code"}, "code_challenge_methods_supported": []any{"S256"},
		"token_endpoint_auth_methods_supported": methods, "revocation_endpoint_auth_methods_supported": methods,
		"introspection_endpoint_auth_methods_supported": methods, "authorization_response_iss_parameter_supported": true,
	}
	if diff := cmp.Diff(want, m); diff != "" {
		t.Error(diff)
	}
	for _, scope := range []any{"identify", "inherit", "read:users", "custom:app:read"} {
		if !slices.Contains(scopes, scope) {
			t.Errorf("scopes lack %s", scope)
		}
	}
	if slices.Contains(scopes, any("(no_scope)")) {
		t.Error("the absence of scopes is no scope")
	}
	for _, key := range []string{"authorization_endpoint", "token_endpoint", "revocation_endpoint", "introspection_endpoint", "userinfo_endpoint"} {
		if a := s.browser("").get(strings.TrimPrefix(m[key].(string), s.http.URL)); a.status == http.StatusNotFound {
			t.Errorf("there is no %s", key)
		}
	}
}

// With public_url the issuer does not depend on the address by which the hub was asked, and base_url is part of it.
func TestIssuer(t *testing.T) {
	s := newSite(t, func(o *oauthprovider.Options) {
		o.BaseURL, o.PublicURL = "/jupyter/", "https://hub.example.org/jupyter/"
	})
	a := s.browser("").get("/hub/api/oauth2/metadata")
	if !strings.Contains(a.body, `"issuer":"https://hub.example.org/jupyter"`) || !strings.Contains(a.body, `"https://hub.example.org/jupyter/hub/api/oauth2/token"`) {
		t.Error(a.body)
	}
	for name, query := range map[string]string{"code": "code", "error": "token"} {
		a := s.browser("alice").get("/hub/api/oauth2/authorize?client_id=service-trusted&response_type=" + query)
		if got := a.to.Query()["iss"]; !slices.Equal(got, []string{"https://hub.example.org/jupyter"}) || !a.to.Query().Has(name) {
			t.Errorf("%s: iss %q in %s", name, got, a.to)
		}
	}
	other := newSite(t, func(o *oauthprovider.Options) {
		o.BaseURL, o.Scheme = "/b/", func(*http.Request) string { return "https" }
	})
	if a := other.browser("").get("/hub/api/oauth2/metadata"); !strings.Contains(a.body, `"issuer":"https://`+strings.TrimPrefix(other.http.URL, "http://")+`/b"`) {
		t.Error(a.body)
	}
}

// A code is good at the hub that gave it, whatever other hub the client of the same name talks to.
func TestCodeOfAnotherHub(t *testing.T) {
	one, two := newSite(t), newSite(t)
	code := one.browser("alice").code()
	two.exchange(code).want(t, 400, "invalid_grant")
	one.exchange(code).want(t, 200, "")
}
