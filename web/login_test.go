package web_test

import (
	"net/url"
	"strings"
	"testing"
)

func TestLoginLogout(t *testing.T) {
	w := newWorld(t, worldOptions{})
	b := w.as("")
	a := b.get("/hub/login?next=%2Fhub%2Ftoken")
	if a.status != 200 || !strings.Contains(a.body, `name="_xsrf"`) {
		t.Fatalf("%d %s %s", a.status, a.body, w.log)
	}
	a = b.post("/hub/login?next=%2Fhub%2Ftoken", url.Values{"username": {"alice"}, "password": {"right"}})
	t.Log(a.status, a.location())
	for _, p := range []string{"/hub/home", "/hub/token", "/hub/spawn", "/hub/nothing", "/hub/error/503"} {
		a = b.get(p)
		t.Log(p, a.status, a.location(), len(a.body))
		if a.status >= 500 {
			t.Error(a.body)
		}
	}
	if strings.Contains(w.log.String(), "level=ERROR") {
		t.Error(w.log)
	}
}
