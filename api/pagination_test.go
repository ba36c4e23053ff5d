package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

const pagesMedia = "application/jupyterhub-pagination+json"

// userPage is one page of GET /users.
type userPage struct {
	Items []struct{ Name string }
	Info  struct {
		Offset, Limit, Total int
		Next                 *struct{ URL string }
	} `json:"_pagination"`
}

func (l *lab) page(as, path string) userPage {
	l.t.Helper()
	a := l.do(call{as: as, method: "GET", path: path, header: http.Header{"Accept": {pagesMedia}}})
	var p userPage
	if err := json.Unmarshal([]byte(a.text), &p); a.status != 200 || err != nil {
		l.t.Fatalf("GET %s: %d, %v: %.300s", path, a.status, err, a.text)
	}
	return p
}

// plainPage is the same page in the form without total.
func (l *lab) plainPage(as, path string) []string {
	l.t.Helper()
	a := l.do(call{as: as, method: "GET", path: path})
	var users []struct{ Name string }
	if err := json.Unmarshal([]byte(a.text), &users); a.status != 200 || err != nil {
		l.t.Fatalf("GET %s: %d, %v: %.300s", path, a.status, err, a.text)
	}
	names := make([]string, len(users))
	for i, u := range users {
		names[i] = u.Name
	}
	return names
}

// crowd is a group of users whose names begin alike, and who of them has to be in a list.
type crowd struct {
	l             *lab
	prefix, group string
	count         int
	first, late   map[string]bool   // who matches: from the beginning, or created on the way
	gone          map[string]bool   // who matched and was deleted on the way
	idle          []string          // users without servers, who can be renamed and deleted
	was           map[string]string // the first name of a renamed user
	state         string
	byGroup       bool
}

func (c *crowd) do(method, path, body string, status int) {
	c.l.t.Helper()
	if got := c.l.serve("root", method, "/hub/api"+path, body); got.Code != status {
		c.l.t.Fatalf("%s %s: %d %s", method, path, got.Code, got.Body)
	}
}

func (c *crowd) create() string {
	c.count++
	name := fmt.Sprintf("%su%d", c.prefix, c.count)
	c.do("POST", "/users/"+name, "", 201)
	return name
}

// fill makes the users that are there from the beginning; some run two servers, which do not make two users of one.
func (c *crowd) fill(r *rapid.T) {
	for range rapid.IntRange(0, 9).Draw(r, "users") {
		name := c.create()
		member, running := rapid.Bool().Draw(r, "member"), rapid.Bool().Draw(r, "running")
		if member {
			c.do("POST", "/groups/"+c.group+"/users", `{"users": ["`+name+`"]}`, 200)
		}
		if running {
			c.do("POST", "/users/"+name+"/server", "", 201)
			c.do("POST", "/users/"+name+"/servers/two", "", 201)
		} else {
			c.idle = append(c.idle, name)
		}
		if (member || !c.byGroup) && (c.state == "" || running == (c.state != "inactive")) {
			c.first[name] = true
		}
	}
}

// change does what happens in a hub while somebody turns pages.
func (c *crowd) change(r *rapid.T) {
	switch rapid.SampledFrom([]string{"create", "rename", "activity", "other group", "delete"}).Draw(r, "change") {
	case "create":
		if name := c.create(); !c.byGroup && (c.state == "" || c.state == "inactive") {
			c.late[name] = true
		}
	case "rename":
		if len(c.idle) == 0 {
			return
		}
		i := rapid.IntRange(0, len(c.idle)-1).Draw(r, "who")
		old := c.idle[i]
		c.count++
		c.idle[i] = fmt.Sprintf("%sa%d", c.prefix, c.count)
		c.do("PATCH", "/users/"+old, `{"name": "`+c.idle[i]+`"}`, 200)
		c.was[c.idle[i]] = c.original(old)
	case "delete":
		if len(c.idle) == 0 {
			return
		}
		i := rapid.IntRange(0, len(c.idle)-1).Draw(r, "who")
		c.do("DELETE", "/users/"+c.idle[i], "", 204)
		if first := c.original(c.idle[i]); c.first[first] {
			delete(c.first, first)
			c.gone[first] = true
		}
		c.idle = slices.Delete(c.idle, i, i+1)
	case "activity":
		if len(c.idle) > 0 {
			c.do("POST", "/users/"+c.idle[0]+"/activity", `{"last_activity": "2026-01-02T03:04:05Z"}`, 200)
		}
	case "other group":
		if len(c.idle) > 0 {
			c.do("POST", "/groups/g1/users", `{"users": ["`+c.idle[0]+`"]}`, 200)
		}
	}
}

func (c *crowd) original(name string) string {
	if first, ok := c.was[name]; ok {
		return first
	}
	return name
}

// TestPagesWhileUsersChange walks through GET /users by its next links, with every state filter, as a caller who may see all and as one who may
// see a group, while between two pages users are created, renamed, deleted, active and put into groups. Who is there all the time comes exactly
// once, nobody comes twice, each total is right at its time, and the form without total has the same users.
func TestPagesWhileUsersChange(t *testing.T) {
	l := newLab(t)
	l.level.Set(100)
	round := 0
	rapid.Check(t, func(r *rapid.T) {
		round++
		c := &crowd{l: l, prefix: fmt.Sprintf("r%dx", round), group: fmt.Sprintf("r%dg", round), first: map[string]bool{}, late: map[string]bool{}, gone: map[string]bool{}, was: map[string]string{},
			state: rapid.SampledFrom([]string{"", "active", "ready", "inactive"}).Draw(r, "state"), byGroup: rapid.Bool().Draw(r, "a group's users")}
		c.do("POST", "/groups/"+c.group, "", 201)
		as := "root"
		if c.byGroup {
			as = l.with("list:users!group="+c.group, "read:users!group="+c.group)
		}
		c.fill(r)
		query := fmt.Sprintf("/hub/api/users?name_filter=%s&limit=%d", c.prefix, rapid.IntRange(1, 4).Draw(r, "limit"))
		if c.state != "" {
			query += "&state=" + c.state
		}
		seen := c.turnPages(r, as, query)
		for name := range c.first {
			if seen[name] != 1 {
				r.Fatalf("%s: %s, who was there all the time, comes %d times: %v", query, name, seen[name], seen)
			}
		}
		for name, times := range seen {
			if times != 1 || !c.first[name] && !c.late[name] && !c.gone[name] {
				r.Fatalf("%s: %s comes %d times, matching from the beginning: %v, later: %v, deleted: %v", query, name, times, c.first[name], c.late[name], c.gone[name])
			}
		}
	})
}

// turnPages goes from page to page and counts how often each user comes, by first names.
func (c *crowd) turnPages(r *rapid.T, as, query string) map[string]int {
	seen := map[string]int{}
	for next := query; next != ""; {
		p := c.l.page(as, next)
		if want := len(c.first) + len(c.late); p.Info.Total != want {
			r.Fatalf("%s: total %d, but %d match", next, p.Info.Total, want)
		}
		plain := c.l.plainPage(as, query+fmt.Sprintf("&offset=%d", p.Info.Offset))
		for i, u := range p.Items {
			seen[c.original(u.Name)]++
			if i >= len(plain) || plain[i] != u.Name {
				r.Fatalf("%s: the page has %v, the form without total %v", next, p.Items, plain)
			}
		}
		if next = ""; p.Info.Next != nil {
			u, err := url.Parse(p.Info.Next.URL)
			noErr(c.l.t, err)
			next = u.RequestURI()
		}
		for range rapid.IntRange(0, 2).Draw(r, "changes") {
			c.change(r)
		}
	}
	return seen
}

// TestPageArguments: the last of several values counts, a number beyond all bounds is the largest, and other spellings are refused.
func TestPageArguments(t *testing.T) {
	l := newLab(t)
	for query, want := range map[string][2]int{
		"limit=2&limit=3&offset=0&offset=1": {1, 3}, "limit=99999999999999999999999": {0, 200}, "limit=-99999999999999999999999": {0, 200}, "limit=-9223372036854775808": {0, 200},
		"limit=%202%20": {0, 2}, "limit=%2B2": {0, 2}, "limit=-2": {0, 2}, "limit=0": {0, 1}, "offset=-1": {1, 50},
	} {
		if p := l.page("root", "/hub/api/users?"+query); p.Info.Offset != want[0] || p.Info.Limit != want[1] {
			t.Errorf("%s: offset %d, limit %d, want %v", query, p.Info.Offset, p.Info.Limit, want)
		}
	}
	if p := l.page("root", "/hub/api/users?offset=99999999999999999999999"); len(p.Items) != 0 || p.Info.Next != nil || p.Info.Total == 0 {
		t.Errorf("behind all: %+v", p)
	}
	for _, query := range []string{"limit=x", "limit=", "limit=1.5", "offset=1e3", "offset=0x1", "sort=id&sort=nosuch", "state=active&state=nosuch", "after=0", "after=-1", "after=x", "after=", "after=1&sort=name"} {
		if got := l.serve("root", "GET", "/hub/api/users?"+query, ""); got.Code != 400 {
			t.Errorf("%s: %d %s", query, got.Code, got.Body)
		}
	}
}
