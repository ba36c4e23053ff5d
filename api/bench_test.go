package api_test

import (
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/orm"
)

// discard is a ResponseWriter that costs nothing itself and keeps the status.
type discard struct {
	h      http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.h }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
func (d *discard) WriteHeader(status int)      { d.status = status }

// bench is one kind of request, sent through the whole stack but the network.
type bench struct {
	l *lab
	w discard
}

func newBench(b testing.TB) *bench {
	l := newLab(b, func(o *labOptions) { o.Pages.Max = 1000 })
	l.level.Set(100)
	return &bench{l: l, w: discard{h: http.Header{}}}
}

// smoke tells that each benchmark runs once only, to see that it works: large tables are not worth their time then.
func smoke() bool { return flag.Lookup("test.benchtime").Value.String() == "1x" }

func scale(full int) int {
	if smoke() {
		return min(full, 500)
	}
	return full
}

func (x *bench) request(method, path, token, body string) *http.Request {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "token "+token)
	return r
}

func (x *bench) send(t testing.TB, r *http.Request, status int) {
	clear(x.w.h)
	x.w.status = 0
	x.l.bare.ServeHTTP(&x.w, r)
	if x.w.status != status {
		t.Fatalf("%s %s: %d, want %d", r.Method, r.URL, x.w.status, status)
	}
}

// users makes n users in 20 groups, in steps that a transaction can hold.
func (x *bench) users(t testing.TB, n int) []*orm.User {
	ctx := t.Context()
	all := make([]*orm.User, n)
	for i := range all {
		at := time.Now().Add(-time.Duration(i*7919%n) * time.Minute).UTC().Truncate(time.Microsecond)
		all[i] = &orm.User{Name: fmt.Sprintf("student-%06d", i), LastActivity: &at}
	}
	role := need(x.l.store.RoleByName(ctx, "user"))
	noErr(t, x.l.store.Tx(ctx, func(tx *orm.Store) error {
		noErr(t, tx.CreateUsers(ctx, all))
		ids := make([]int64, n)
		for i, u := range all {
			ids[i] = u.ID
		}
		for g := range 20 {
			group := &orm.Group{Name: fmt.Sprint("course", g)}
			noErr(t, tx.CreateGroups(ctx, []*orm.Group{group}))
			noErr(t, tx.AddToGroup(ctx, group.ID, ids[g*n/20:(g+1)*n/20]))
		}
		return tx.Grant(ctx, orm.HolderUser, ids, role.ID, false)
	}))
	return all
}

// tokens makes a token for each user.
func (x *bench) tokens(t testing.TB, users []*orm.User) []string {
	ctx := t.Context()
	out := make([]string, len(users))
	client, now := "jupyterhub", time.Now().UTC()
	noErr(t, x.l.store.Tx(ctx, func(tx *orm.Store) error {
		for i, u := range users {
			out[i] = orm.NewToken()
			noErr(t, tx.CreateToken(ctx, &orm.APIToken{UserID: &u.ID, Hashed: orm.HashToken(out[i], 1), Prefix: out[i][:4], ClientID: &client,
				LastActivity: &now, Scopes: orm.JSONList{"inherit"}}))
		}
		return nil
	}))
	return out
}

// BenchmarkCurrentUser is GET /user with a token, the busiest request of a hub: every request to a service or server that checks a
// token ends here.
func BenchmarkCurrentUser(b *testing.B) {
	x := newBench(b)
	r := x.request("GET", "/hub/api/user", x.l.token("alice"), "")
	x.send(b, r, 200)
	noErr(b, x.l.hub.Acts.Flush(b.Context()))
	b.ReportAllocs()
	for b.Loop() {
		x.send(b, r, 200)
	}
}

// BenchmarkCurrentUsers is the same with 10,000 tokens in turn, while the hub writes their activity.
func BenchmarkCurrentUsers(b *testing.B) {
	x := newBench(b)
	tokens := x.tokens(b, x.users(b, scale(10_000)))
	requests := make([]*http.Request, len(tokens))
	for i, token := range tokens {
		requests[i] = x.request("GET", "/hub/api/user", token, "")
		x.send(b, requests[i], 200)
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		x.send(b, requests[i%len(requests)], 200)
		i++
	}
}

// TestCurrentUserIsCheap keeps the number of allocations of BenchmarkCurrentUser.
func TestCurrentUserIsCheap(t *testing.T) {
	x := newBench(t)
	r := x.request("GET", "/hub/api/user", x.l.token("alice"), "")
	x.send(t, r, 200)
	noErr(t, x.l.hub.Acts.Flush(t.Context()))
	if n := testing.AllocsPerRun(100, func() { x.send(t, r, 200) }); n > 40 {
		t.Errorf("%v allocations, at most 40 are wanted", n)
	}
}

func BenchmarkListUsers(b *testing.B) {
	x := newBench(b)
	n := scale(50_000)
	x.users(b, n)
	admin := x.l.token(x.l.with("list:users", "read:users"))
	last := n - 50
	for _, row := range []struct{ name, query string }{
		{"first", "?limit=50"},
		{"last", fmt.Sprintf("?limit=50&offset=%d", last)},
		{"byname", "?limit=50&sort=name"},
		{"byname-last", fmt.Sprintf("?limit=50&sort=name&offset=%d", last)},
		{"byactivity", "?limit=50&sort=-last_activity"},
		{"byactivity-last", fmt.Sprintf("?limit=50&sort=-last_activity&offset=%d", last)},
		{"filtered", "?limit=50&name_filter=0049"},
		{"active", "?limit=50&state=active"},
	} {
		b.Run(row.name, func(b *testing.B) {
			r := x.request("GET", "/hub/api/users"+row.query, admin, "")
			r.Header.Set("Accept", "application/jupyterhub-pagination+json")
			x.send(b, r, 200)
			noErr(b, x.l.hub.Acts.Flush(b.Context()))
			b.ReportAllocs()
			for b.Loop() {
				x.send(b, r, 200)
			}
		})
	}
}

func BenchmarkCreate(b *testing.B) {
	x := newBench(b)
	admin := x.l.token(x.l.with("admin:users", "list:users", "tokens"))
	n := 0
	b.Run("user", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			n++
			x.send(b, x.request("POST", fmt.Sprintf("/hub/api/users/new-%d", n), admin, ""), 201)
		}
	})
	b.Run("users-at-once", func(b *testing.B) {
		b.ReportAllocs()
		b.SetParallelism(16)
		b.RunParallel(func(pb *testing.PB) {
			mine := &bench{l: x.l, w: discard{h: http.Header{}}}
			for pb.Next() {
				name := strings.ToLower(need(randomName()))
				mine.send(b, x.request("POST", "/hub/api/users/"+name, admin, ""), 201)
			}
		})
	})
	b.Run("bulk-200", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			names := make([]string, 200)
			for i := range names {
				n++
				names[i] = fmt.Sprintf(`"new-%d"`, n)
			}
			x.send(b, x.request("POST", "/hub/api/users", admin, `{"usernames": [`+strings.Join(names, ",")+`]}`), 201)
		}
	})
	b.Run("token", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			x.send(b, x.request("POST", "/hub/api/users/alice/tokens", admin, `{"note": "n"}`), 201)
		}
	})
}

// BenchmarkActivity is what servers post every five minutes; many at once share a transaction.
func BenchmarkActivity(b *testing.B) {
	x := newBench(b)
	users := x.users(b, scale(5000))
	tokens := x.tokens(b, users)
	b.ReportAllocs()
	b.SetParallelism(16)
	b.RunParallel(func(pb *testing.PB) {
		mine := &bench{l: x.l, w: discard{h: http.Header{}}}
		for i := int(time.Now().UnixNano() % 1000); pb.Next(); i++ {
			u := i % len(users)
			body := fmt.Sprintf(`{"last_activity": %q}`, time.Now().UTC().Format(time.RFC3339Nano))
			mine.send(b, x.request("POST", "/hub/api/users/"+users[u].Name+"/activity", tokens[u], body), 200)
		}
	})
}

// BenchmarkSpawn is the hub's own work for a start and a stop: the server itself costs nothing here.
func BenchmarkSpawn(b *testing.B) {
	x := newBench(b)
	ctx := b.Context()
	alice := need(x.l.store.UserByName(ctx, "alice"))
	b.ReportAllocs()
	for b.Loop() {
		need(x.l.hub.Servers.Start(ctx, alice, "", hub.StartOptions{}))
		need(x.l.hub.Servers.Stop(ctx, alice, "", hub.StopOptions{}))
	}
}
