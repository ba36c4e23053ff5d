package httpmw_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/minihub/minihub/internal/httpmw"
)

// FuzzRequestHeaders: the parsers of Authorization and of the forwarded headers take any bytes, quickly, and find nothing that is not there.
func FuzzRequestHeaders(f *testing.F) {
	for _, s := range [][3]string{
		{"token abc", "1.2.3.4", "https"}, {"Bearer  abc", "1.2.3.4, 10.0.0.1", "http,https"}, {"TOKEN", "", ""}, {"Basic YTpi", "evil", "javascript"},
		{"token a b", "::1,,127.0.0.1", " HTTPS "}, {"bearer\tx", "fe80::1%eth0", "wss"}, {"token \xff", "127.0.0.1", "http\x00"}, {strings.Repeat("a ", 2000), strings.Repeat("1.1.1.1,", 2000), strings.Repeat(",", 2000)},
	} {
		f.Add(s[0], s[1], s[2])
	}
	trusted := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8")}
	trusting := httpmw.New(httpmw.Options{BaseURL: "/", TrustedDownstream: trusted})
	edge := httpmw.New(httpmw.Options{BaseURL: "/"})
	f.Fuzz(func(t *testing.T, authorization, forwarded, scheme string) {
		r := httptest.NewRequest("GET", "/hub/", nil)
		r.RemoteAddr = "127.0.0.1:5"
		r.Header = http.Header{"Authorization": {authorization}, "X-Forwarded-For": {forwarded}, "X-Forwarded-Proto": {scheme}, "X-Scheme": {scheme}, "X-Real-Ip": {forwarded}}
		begin := time.Now()
		token := httpmw.BearerToken(r)
		got := trusting.Scheme(r)
		ip := httpmw.ClientIP(r, trusted)
		if took := time.Since(begin); took > 10*time.Second {
			t.Fatalf("%d bytes took %v", len(authorization)+len(forwarded)+len(scheme), took)
		}
		if token != "" && (!strings.HasSuffix(authorization, token) || strings.ContainsAny(token, " \t")) {
			t.Fatalf("token %q of %q", token, authorization)
		}
		if got != "http" && got != "https" {
			t.Fatalf("scheme %q of %q", got, scheme)
		}
		if _, err := netip.ParseAddr(ip); err != nil {
			t.Fatalf("address %q of %q: %v", ip, forwarded, err)
		}
		// Without a trusted peer nothing of it counts.
		if ip := httpmw.ClientIP(r, nil); ip != "127.0.0.1" || edge.Scheme(r) != "http" {
			t.Fatalf("a stranger is %s by %s", ip, edge.Scheme(r))
		}
	})
}

// FuzzScrubURI: no value of a parameter that may be a secret reaches the log, however it is written.
func FuzzScrubURI(f *testing.F) {
	for _, s := range [][2]string{{"token", "x"}, {"client_secret", ""}, {"next", "/hub/api/oauth2/authorize?code="}, {"PassWord", "a;b"}, {"a", "%"}, {"%74oken", "x"}, {"to%6ben", ""}, {"state[]", "&b="}} {
		f.Add(s[0], s[1])
	}
	const secret = "hush7hush7hush"
	f.Fuzz(func(t *testing.T, key, prefix string) {
		for _, k := range []string{"token", "auth", "key", "code", "state", "_xsrf", "secret", "password"} {
			query := url.QueryEscape(k+key) + "=" + url.QueryEscape(prefix) + secret
			if got := httpmw.ScrubURI(&url.URL{Path: "/hub/x", RawQuery: "a=b&" + query + "&c=d"}); strings.Contains(got, secret) {
				t.Fatalf("%q is logged as %q", query, got)
			}
		}
		_ = httpmw.ScrubURI(&url.URL{Path: "/" + key, RawQuery: prefix})
	})
}
