package web_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/web"
)

func TestAdminPage(t *testing.T) {
	w := newWorld(t, worldOptions{edit: func(_ *world, o *web.Options) { o.Traits.PageLimit = 3 }})
	for _, name := range []string{"ann", "ben", "cat", "dan"} {
		w.user(name)
	}
	w.grant(w.user("helper"), "admin-ui", "list:users!user=ann", "read:servers!user=ann")
	run(t, w, []row{
		{name: "users", as: "root", path: "/hub/admin", status: 200, want: []string{`id="admin-panel"`, `"tab":"users","may_list":true`, `"limit":3`, `aria-current="page">Users`,
			"Stop all servers", "Shut down hub", "tab=groups", "tab=services", `type="module"`}},
		{name: "groups", as: "root", path: "/hub/admin?tab=groups", status: 200, want: []string{`"tab":"groups"`, `aria-current="page">Groups`}},
		{name: "unknown tab", as: "root", path: "/hub/admin?tab=odd", status: 200, want: []string{`"tab":"users"`}},
		{name: "only looks at one user", as: "helper", path: "/hub/admin", status: 200, want: []string{`"may_list":true`, `list:users!user=ann`},
			wantNot: []string{"Stop all servers", "Shut down hub", "tab=groups", "tab=services", "admin:users"}},
		{name: "may not list", as: "helper", path: "/hub/admin?tab=groups", status: 200, want: []string{"the scope list:groups is needed"}, wantNot: []string{`id="admin-panel"`}},
		{name: "events for others", as: "ann", path: "/hub/admin/events", status: 403},
	})
}

// grant gives a user a role of these scopes.
func (w *world) grant(user *orm.User, scopes ...string) {
	w.t.Helper()
	ctx := w.t.Context()
	role := &orm.Role{Name: "for-" + user.Name, Scopes: scopes}
	if err := w.store.CreateRole(ctx, role); err != nil {
		w.t.Fatal(err)
	}
	if err := w.store.Grant(ctx, orm.HolderUser, []int64{user.ID}, role.ID, false); err != nil {
		w.t.Fatal(err)
	}
}

// TestAdminEvents follows the stream as two viewers: one sees everything, one a single user.
func TestAdminEvents(t *testing.T) {
	w := newWorld(t, worldOptions{})
	w.user("ann")
	w.grant(w.user("helper"), "admin-ui", "list:users!user=ann", "read:servers!user=ann")
	all, one := w.follow("root"), w.follow("helper")
	w.start(w.user("ben"), "")
	all.wants(`"ben"`)
	w.start(w.user("ann"), "")
	all.wants(`"ann"`)
	if seen := one.wants(`"ann"`); strings.Contains(seen, "ben") {
		t.Errorf("somebody who may know of ann only was told:\n%s", seen)
	}
	need(w.users.Create(t.Context(), nil, []string{"new"}, false))
	all.wants(`"new"`)
	if err := w.users.Delete(t.Context(), nil, "new"); err != nil {
		t.Fatal(err)
	}
	w.servers.Changes().Close() // the hub ends
	for _, f := range []*followed{all, one} {
		until(t, "the streams end", func() bool { f.mu.Lock(); defer f.mu.Unlock(); return f.over })
	}
}

// followed is an event stream that is being read.
type followed struct {
	w    *world
	mu   sync.Mutex
	text string
	over bool
}

func (w *world) follow(name string) *followed {
	w.t.Helper()
	b := w.as(name)
	req := need(http.NewRequestWithContext(w.t.Context(), http.MethodGet, w.url+"/hub/admin/events", nil))
	res := need(b.client.Do(req))
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/event-stream" {
		w.t.Fatalf("events for %s: %d %s", name, res.StatusCode, res.Header)
	}
	f := &followed{w: w}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer res.Body.Close()
		buffer := make([]byte, 4096)
		for {
			n, err := res.Body.Read(buffer)
			f.mu.Lock()
			f.text, f.over = f.text+string(buffer[:n]), err != nil
			f.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	w.t.Cleanup(func() { w.servers.Changes().Close(); <-done })
	return f
}

// wants waits until the stream has said something, and returns all that it said.
func (f *followed) wants(text string) (seen string) {
	f.w.t.Helper()
	until(f.w.t, "an event with "+text, func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		seen = f.text
		return strings.Contains(seen, text)
	})
	return seen
}
