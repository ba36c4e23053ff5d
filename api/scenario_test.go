package api_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/minihub/minihub/auth"
	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/spawner"
	"github.com/minihub/minihub/spawner/spawnertest"
)

// row is one request and what must, and must not, be in the answer.
type row struct {
	name, as, method, path, body string
	status                       int
	want, wantNot                []string
}

func (l *lab) run(t *testing.T, rows []row) {
	t.Helper()
	for _, r := range rows {
		got := l.do(call{as: r.as, method: r.method, path: r.path, body: r.body})
		if got.status != r.status {
			t.Errorf("%s: status %d, want %d: %.400s", r.name, got.status, r.status, got.text)
		}
		for _, w := range r.want {
			if !strings.Contains(got.text, w) {
				t.Errorf("%s: lacks %s: %.600s", r.name, w, got.text)
			}
		}
		for _, w := range r.wantNot {
			if strings.Contains(got.text, w) {
				t.Errorf("%s: shows %s: %.600s", r.name, w, got.text)
			}
		}
	}
}

// TestFieldFiltering: every scope opens its own keys and no others.
func TestFieldFiltering(t *testing.T) {
	l := newLab(t)
	all := []string{`"admin":`, `"user_info":`, `"roles":`, `"groups":`, `"server":`, `"pending":`, `"created":`, `"last_activity":`, `"servers":`, `"auth_state":`}
	for scope, open := range map[string]string{
		"read:users": "admin user_info roles groups server pending created last_activity servers", "read:users:name": "admin user_info", "read:users:groups": "groups",
		"read:users:activity": "last_activity", "read:roles:users": "roles admin", "read:servers": "servers admin user_info",
	} {
		r := row{name: scope, as: l.with(scope + "!user=alice"), method: "GET", path: "/hub/api/users/alice", status: 200, want: []string{`"kind":"user"`, `"name":"alice"`}}
		if scope == "read:users" {
			open = strings.TrimSuffix(open, " servers")
			r.wantNot = []string{`"auth_state"`}
		} else {
			for _, key := range all {
				if !strings.Contains(" "+open+" ", " "+strings.Trim(key, `":`)+" ") {
					r.wantNot = append(r.wantNot, key)
				}
			}
		}
		for _, key := range strings.Fields(open) {
			r.want = append(r.want, `"`+key+`":`)
		}
		l.run(t, []row{r})
	}
	l.run(t, []row{
		{"state needs its scope", l.with("servers!user=alice"), "GET", "/hub/api/users/alice/server", "", 200, []string{`"ready":false`}, []string{`"state"`}},
		{"state with its scope", l.with("admin:server_state", "read:servers"), "GET", "/hub/api/users/alice/server", "", 200, []string{`"state":null`}, nil},
		{"group names only", "reader", "GET", "/hub/api/groups/g1", "", 200, []string{`"name":"g1"`}, []string{"users", "properties", "roles"}},
		{"service names only", "reader", "GET", "/hub/api/services/shown", "", 200, []string{`"name":"shown"`}, []string{"url", "info", "command"}},
	})
}

// TestNumbersStayAsStored: an integer does not become a float, nor lose digits.
func TestNumbersStayAsStored(t *testing.T) {
	l := newLab(t)
	body := `{"big":12345678901234567890123,"f":1.0,"i":1}`
	l.run(t, []row{
		{"properties", "root", "PUT", "/hub/api/groups/g1/properties", body, 200, []string{body}, nil},
		{"options", "root", "PUT", "/hub/api/users/alice/servers/n", `{"user_options":` + body + `}`, 201, []string{body}, nil},
		{"options later", "root", "GET", "/hub/api/users/alice/servers/n", "", 200, []string{body}, nil},
		{"legacy options", "root", "PUT", "/hub/api/users/alice/servers/m", body, 201, []string{body}, nil},
	})
}

func TestAuthStateIsForThoseWhoMay(t *testing.T) {
	l := newLab(t, func(o *labOptions) {
		o.Keys, o.Logins = []string{strings.Repeat("ab", 32)}, hub.LoginTraits{EnableAuthState: true}
	})
	l.run(t, []row{
		{"set", "root", "PATCH", "/hub/api/users/alice", `{"auth_state": {"secret": 42}}`, 200, []string{`"auth_state":{"secret":42}`}, nil},
		{"read", "root", "GET", "/hub/api/users/alice", "", 200, []string{`"auth_state":{"secret":42}`}, nil},
		{"in lists it is a placeholder", "root", "GET", "/hub/api/users", "", 200, []string{`"auth_state":null`}, []string{"secret"}},
		{"without the scope", l.with("read:users"), "GET", "/hub/api/users/alice", "", 200, nil, []string{"auth_state", "secret"}},
	})
}

func TestSlowServer(t *testing.T) {
	gate := make(chan struct{})
	l := newLab(t, func(o *labOptions) {
		o.SlowSpawn, o.Behaviour = 10*time.Millisecond, spawnertest.Behaviour{StartGate: gate}
	})
	before := l.do(call{as: "alice", method: "GET", path: "/hub/api/user"})
	l.run(t, []row{
		{"start", "root", "POST", "/hub/api/users/alice/server", "", 202, nil, []string{"{"}},
		{"pending", "alice", "GET", "/hub/api/user", "", 200, []string{`"pending":"spawn"`, `"server":null`}, nil},
		{"again", "root", "POST", "/hub/api/users/alice/server", "", 202, nil, nil},
	})
	time.AfterFunc(50*time.Millisecond, func() { close(gate) }) // so that the progress is most often asked for before the end
	l.run(t, []row{
		{"progress to its end", "root", "GET", "/hub/api/users/alice/server/progress", "", 200, []string{"data: {", `"ready":true`, `"progress":100`}, []string{`"failed"`}},
		{"ready, although nothing was committed meanwhile", "alice", "GET", "/hub/api/user", "", 200, []string{`"pending":null`, `"server":"/user/alice/"`}, nil},
		{"route", "root", "GET", "/hub/api/proxy", "", 200, []string{`"/user/alice/"`}, nil},
	})
	l.do(call{as: "root", method: "DELETE", path: "/hub/api/users/alice/server"})
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if now := l.do(call{as: "alice", method: "GET", path: "/hub/api/user"}); strings.Contains(now.text, `"server":null`) && strings.Contains(now.text, `"pending":null`) {
			if !strings.Contains(before.text, `"server":null`) {
				t.Errorf("before the start: %s", before.text)
			}
			return
		}
	}
	t.Error("the server never stopped")
}

func TestFailedServer(t *testing.T) {
	l := newLab(t)
	l.fake.Set(spawner.Identity{UserName: "alice"}, spawnertest.Behaviour{StartErr: errors.New("no room left")})
	l.run(t, []row{
		{"start", "root", "POST", "/hub/api/users/alice/server", "", 500, []string{`"status":500`}, nil},
		{"progress", "root", "GET", "/hub/api/users/alice/server/progress", "", 200, []string{`"failed":true`}, []string{`"ready":true`}},
		{"not ready", "root", "GET", "/hub/api/users/alice/server", "", 200, []string{`"ready":false`, `"pending":null`}, nil},
	})
}

func TestShutdown(t *testing.T) {
	l := newLab(t)
	l.run(t, []row{{"wrong", "root", "POST", "/hub/api/shutdown", `{"proxy": "yes"}`, 400, []string{"proxy must be true or false"}, nil}})
	// the hub is asked to end after the answer was sent
	for _, tt := range []struct{ body, want string }{{"", "keep keep"}, {`{"proxy": true, "servers": 0}`, "keep keep; true false"}} {
		l.run(t, []row{{"good", "root", "POST", "/hub/api/shutdown", tt.body, 202, []string{"message"}, nil}})
		got := ""
		for end := time.Now().Add(30 * time.Second); got != tt.want && time.Now().Before(end); time.Sleep(time.Millisecond) {
			l.mu.Lock()
			got = strings.Join(l.down, "; ")
			l.mu.Unlock()
		}
		if got != tt.want {
			t.Errorf("asked for %q, want %q", got, tt.want)
		}
	}
}

func TestProxyProblems(t *testing.T) {
	l := newLab(t)
	l.run(t, []row{{"repoint", "root", "PATCH", "/hub/api/proxy", `{"api_url": "http://x", "auth_token": "t"}`, 200, nil, nil}, {"check", "root", "POST", "/hub/api/proxy", "", 200, nil, nil}})
	l.router.mu.Lock()
	if l.router.checks != 1 || len(l.router.repoint) != 1 || l.router.repoint[0] != "http://x t" {
		t.Errorf("%d checks, repointed %v", l.router.checks, l.router.repoint)
	}
	l.router.err = &hub.Error{Kind: hub.Unavailable, Message: "proxy gone"}
	l.router.mu.Unlock()
	l.run(t, []row{{"list", "root", "GET", "/hub/api/proxy", "", 503, []string{"proxy gone"}, nil}, {"check", "root", "POST", "/hub/api/proxy", "", 503, nil, nil}})
}

// TestBaseURLInModels: a base URL that needs escapes is in every address once.
func TestBaseURLInModels(t *testing.T) {
	l := newLab(t, func(o *labOptions) { o.Base, o.PublicURL = "/@/space%20word/", "https://hub.test/@/space%20word/" })
	for _, base := range []string{"/@/space%20word", "/%40/space%20word"} {
		l.run(t, []row{
			{"server", "root", "GET", base + "/hub/api/users/alice/server", "", 200, []string{`"url":"/@/space%20word/user/alice/"`, `"progress_url":"/@/space%20word/hub/api/users/alice/server/progress"`,
				`"full_url":"https://hub.test/@/space%20word/user/alice/"`}, []string{"%2520"}},
		})
	}
	a := l.do(call{as: "root", method: "GET", path: "/%40/space%20word/hub/api/users?limit=1", header: http.Header{"Accept": {"application/jupyterhub-pagination+json"}}})
	if !strings.Contains(a.text, `/space%20word/hub/api/users?limit=1&offset=1&after=1"`) {
		t.Errorf("next page: %s", a.text)
	}
}

// TestTokenByBody: a login by the body makes nobody a user, and needs no XSRF token.
func TestTokenByBody(t *testing.T) {
	l := newLab(t, func(o *labOptions) { o.Auth = auth.NewDummy("right") })
	ok := `{"auth": {"username": "alice", "password": "right"}, "note": "mine"}`
	l.run(t, []row{
		{"right", "", "POST", "/hub/api/users/alice/tokens", ok, 201, []string{`"token":"`, `"note":"mine"`}, nil},
		{"wrong password", "", "POST", "/hub/api/users/alice/tokens", strings.Replace(ok, "right", "wrong", 1), 403, []string{`"message":null`}, []string{"token\":"}},
		{"no such user", "", "POST", "/hub/api/users/ghost/tokens", strings.Replace(ok, "alice", "ghost", 1), 403, nil, nil},
		{"still no such user", "root", "GET", "/hub/api/users/ghost", "", 404, nil, nil},
		{"no credentials", "", "POST", "/hub/api/users/alice/tokens", "", 403, []string{"send an API token"}, nil},
	})
	if strings.Contains(l.log.String(), "right") {
		t.Error("a password is in the log")
	}
}

// TestActivity: activity moves forward, and is refused when it makes no sense.
func TestActivity(t *testing.T) {
	l := newLab(t)
	post := func(at string, status int, want ...string) row {
		return row{at, "root", "POST", "/hub/api/users/carol/activity", `{"last_activity": ` + at + `}`, status, want, nil}
	}
	noErr(t, l.hub.Acts.Flush(t.Context()))
	l.serve("root", "POST", "/hub/api/users/carol", "")
	get := func(want string) row {
		return row{"last_activity " + want, "root", "GET", "/hub/api/users/carol", "", 200, []string{`"last_activity":` + want}, nil}
	}
	l.run(t, []row{post(`"2021-02-03T04:05:06.5+02:00"`, 200), get(`"2021-02-03T02:05:06.500000Z"`), post(`"2020-01-01"`, 200), get(`"2021-02-03T02:05:06.500000Z"`),
		post(`"2022-01-01 00:00:00"`, 200), get(`"2022-01-01T00:00:00Z"`), post(`"yesterday"`, 400, "last_activity"), post(`5`, 400, "last_activity"), post(`null`, 400), post(`"2999-01-01T00:00:00Z"`, 400)})
}

// TestEveryAnswerIsJSON decodes the answers to a HEAD-less walk through what a dashboard asks.
func TestEveryAnswerIsJSON(t *testing.T) {
	l := newLab(t)
	for _, path := range []string{"", "/", "/info", "/user", "/users", "/groups", "/services", "/proxy", "/shares/alice", "/share-codes/alice", "/users/alice/tokens", "/nosuch"} {
		got := l.serve("root", "GET", "/hub/api"+path, "")
		if !json.Valid(got.Body.Bytes()) {
			t.Errorf("%s: %s", path, got.Body)
		}
	}
}
