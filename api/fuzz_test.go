package api_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// FuzzLists: whatever query and Accept header a list gets, the answer is a list, a page that agrees with itself, or a 400 with a reason.
func FuzzLists(f *testing.F) {
	for _, s := range [][2]string{
		{"limit=1&offset=1", "application/jupyterhub-pagination+json"}, {"limit=-1", "*/*"}, {"offset=99999999999999999999", ""}, {"limit=%ff", "a"}, {"limit=1&limit=x", "application/jupyterhub-pagination+json;q=0"},
		{"sort=-name&state=ready&name_filter=%25", "application/JSON, application/jupyterhub-pagination+json"}, {"state=\x00", ";;;,,,"}, {"%zz", "application/jupyterhub-pagination+json"}, {"offset=0x10&limit=1e3", "/"}, {"name_filter=" + strings.Repeat("%", 500), strings.Repeat("a/b,", 500)},
		{"sort=id;x=1&include_stopped_servers", "application/jupyterhub-pagination+json ; x=y"},
	} {
		f.Add(s[0], s[1])
	}
	l := newLab(f, func(o *labOptions) { o.Path = "sqlite://" })
	l.level.Set(100)
	f.Fuzz(func(t *testing.T, query, accept string) {
		for _, path := range []string{"users", "groups", "services", "proxy", "shares/alice", "users/alice/shared"} {
			r := httptest.NewRequest("GET", "/hub/api/"+path, nil)
			r.URL = &url.URL{Path: r.URL.Path, RawQuery: query}
			r.Header = http.Header{"Authorization": {"token " + l.token("root")}, "Accept": {accept}}
			w := httptest.NewRecorder()
			l.handler.ServeHTTP(w, r)
			var v any
			if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil || w.Code != 200 && w.Code != 400 {
				t.Fatalf("%s?%q, Accept %q: %d %s", path, query, accept, w.Code, w.Body)
			}
			m, _ := v.(map[string]any)
			if w.Code == 400 && m["message"] == nil {
				t.Fatalf("%s?%q: no reason: %s", path, query, w.Body)
			}
			page, ok := m["_pagination"].(map[string]any)
			if !ok || path == "services" {
				continue
			}
			items, isList := m["items"].([]any)
			if dict, ok := m["items"].(map[string]any); ok {
				items, isList = make([]any, len(dict)), true
			}
			total, limit, offset := page["total"].(float64), page["limit"].(float64), page["offset"].(float64)
			if !isList || float64(len(items)) > limit || float64(len(items)) > max(total-offset, 0) || limit < 1 || offset < 0 || (page["next"] == nil) != (offset+limit >= total) {
				t.Fatalf("%s?%q: %s", path, query, w.Body)
			}
		}
	})
}
