package api_test

import (
	"bufio"
	"encoding/json"
	"flag"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/minihub/minihub/internal/httpmw"
	"github.com/minihub/minihub/orm"
)

var update = flag.Bool("update", false, "write testdata/access.tsv from the rules of this file; read the difference before you commit it")

// forms are the filters that each scope is tried with. The token is alice's, who is in g1; bob is in g2. A bare !server or !service
// means the OAuth client that a token was issued to, which these have not.
var forms = []string{
	"", "!user", "!user=alice", "!user=bob", "!group=g1", "!group=g2", "!server", "!server=alice/", "!server=alice/lab",
	"!server=bob/", "!server=bob/lab", "!service", "!service=svc", "!service=other",
}

// accessRequest is a line of access_requests.tsv.
type accessRequest struct {
	method, route, path, body string
	needs                     []string
}

func (r accessRequest) String() string { return r.method + " " + r.path }

// readTSV returns the lines of a file of testdata, without comments.
func readTSV(t *testing.T, name string) [][]string {
	t.Helper()
	f, err := os.Open("testdata/" + name)
	noErr(t, err)
	defer f.Close()
	var rows [][]string
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		if !strings.HasPrefix(s.Text(), "#") {
			rows = append(rows, strings.Split(s.Text(), "\t"))
		}
	}
	noErr(t, s.Err())
	return rows
}

func accessRequests(t *testing.T) (list []accessRequest) {
	for _, row := range readTSV(t, "access_requests.tsv") {
		list = append(list, accessRequest{row[0], row[1], row[2], row[3], strings.Fields(row[4])})
	}
	return list
}

// scopeTree is the catalog as recorded from JupyterHub, not minihub's own.
func scopeTree(t *testing.T) (names []string, expands map[string][]string) {
	expands = map[string][]string{}
	for _, row := range readTSV(t, "scopes.tsv") {
		names = append(names, row[0])
		expands[row[0]] = strings.Fields(row[1])
	}
	return names, expands
}

// identify is what each token may do besides its scopes: learn who it belongs to.
var identify = []string{"read:users:name!user=alice", "read:users:groups!user=alice"}

// expected says what a scope in one form may do with one request, in as few words as possible and without minihub's code:
// "refused" when nothing held has to do with it, "hidden" when what is held is about something else, "open" otherwise.
func expected(r accessRequest, form string, expands map[string][]string) string {
	held := slices.Clone(identify)
	name, filter, _ := strings.Cut(form, "!")
	switch filter {
	case "server", "service": // these stand for the OAuth client of the token, which has none
	case "user":
		form = name + "!user=alice"
		fallthrough
	default:
		for _, part := range expands[name] {
			if strings.HasPrefix(filter, "server=") && strings.HasPrefix(part, "read:user") {
				continue // one server says nothing about its user
			}
			held = append(held, part+strings.TrimPrefix(form, name))
		}
	}
	covering, about := targetOf(r)
	is := "refused"
	for _, scope := range held {
		name, filter, filtered := strings.Cut(scope, "!")
		kind, _, _ := strings.Cut(filter, "=")
		switch {
		case !slices.Contains(r.needs, name):
		case !filtered || slices.Contains(covering, filter) || slices.Contains(about, kind):
			return "open"
		case len(covering) > 0:
			is = "hidden"
		}
	}
	return is
}

// targetOf returns the filters that cover what a request is about, or, for a list, the kinds of filters that it shows a part for.
// Neither: it is about the whole hub, and nothing less than the whole scope will do.
func targetOf(r accessRequest) (covering, kinds []string) {
	parts := strings.Split(r.path, "/")[1:] // users bob servers lab
	if len(parts) == 1 {
		return nil, map[string][]string{"GET /users": {"user", "group"}, "GET /groups": {"group"}, "GET /services": {"service", "user", "group", "server"}}[r.String()]
	}
	switch parts[0] {
	case "groups":
		return []string{"group=" + parts[1]}, nil
	case "services":
		return []string{"service=" + parts[1]}, nil
	}
	covering = []string{"user=" + parts[1], "group=" + map[string]string{"alice": "g1", "bob": "g2"}[parts[1]]}
	switch {
	case parts[0] == "users" && len(parts) > 2 && parts[2] == "server":
		covering = append(covering, "server="+parts[1]+"/")
	case parts[0] == "users" && len(parts) > 3 && parts[2] == "servers":
		covering = append(covering, "server="+parts[1]+"/"+parts[3])
	case parts[0] != "users" && len(parts) > 2:
		covering = append(covering, "server="+parts[1]+"/"+parts[2])
	}
	return covering, nil
}

// outcome is what came back: one of the two refusals of the access check, or the status.
func outcome(w *httptest.ResponseRecorder) string {
	switch {
	case w.Code == 403 && (strings.Contains(w.Body.String(), missing) || strings.Contains(w.Body.String(), "tokens may not be made for them")):
		return "refused"
	case w.Code == 404 && strings.Contains(w.Body.String(), hidden):
		return "hidden"
	}
	return strconv.Itoa(w.Code)
}

// newAccessLab is a hub as in testdata/access.py, with a user alice who holds every scope.
func newAccessLab(t *testing.T, names []string) *lab {
	l := newLab(t)
	l.level.Set(100)
	ctx := t.Context()
	for _, name := range []string{"svc", "other"} {
		noErr(t, l.store.SaveService(ctx, &orm.Service{Name: name, FromConfig: true, Timeout: 30}))
	}
	role := &orm.Role{Name: "everything", Scopes: names}
	noErr(t, l.store.CreateRole(ctx, role))
	alice := need(l.store.UserByName(ctx, "alice"))
	noErr(t, l.store.Grant(ctx, orm.HolderUser, []int64{alice.ID}, role.ID, false))
	l.restore()
	l.serve("root", "DELETE", "/hub/api/groups/g1/users", `{"users":["bob"]}`)
	return l
}

// form returns a token of alice with one scope in one form, "" when there can be none, or for "nobody".
func (l *lab) form(scope string) string {
	if token, ok := l.tokens[scope]; ok || scope == "nobody" {
		return token
	}
	body := need(json.Marshal(map[string]any{"scopes": []string{scope}, "note": scope}))
	var answer struct{ Token string }
	if w := l.serve("root", "POST", "/hub/api/users/alice/tokens", string(body)); w.Code == 201 {
		noErr(l.t, json.Unmarshal(w.Body.Bytes(), &answer))
	}
	l.tokens[scope] = answer.Token
	return answer.Token
}

// restore brings back what an allowed DELETE took.
func (l *lab) restore() {
	for _, c := range [][3]string{
		{"POST", "/users", `{"usernames":["bob"]}`},
		{"POST", "/groups/g1", `{"users":["alice"]}`}, {"POST", "/groups/g2", `{"users":["bob"]}`}, {"POST", "/groups/g1/users", `{"users":["alice"]}`}, {"POST", "/groups/g2/users", `{"users":["bob"]}`},
		{"PUT", "/users/alice/servers/lab", "{}"}, {"PUT", "/users/bob/servers/lab", "{}"}, {"POST", "/users/bob/tokens", `{"note":"seen"}`},
	} {
		if w := l.serve("root", c[0], "/hub/api"+c[1], c[2]); w.Code >= 500 || w.Code == 403 {
			l.t.Fatalf("%s %s: %d %s", c[0], c[1], w.Code, w.Body)
		}
	}
}

// asked are the forms that a request is tried with: nobody, every scope, and every form of those that have to do with it.
func asked(r accessRequest, names []string, expands map[string][]string) []string {
	list := append([]string{"nobody"}, names...)
	for _, name := range names {
		if slices.ContainsFunc(r.needs, func(n string) bool { return slices.Contains(expands[name], n) }) {
			for _, form := range forms[1:] {
				list = append(list, name+form)
			}
		}
	}
	return list
}

// TestAccessTable calls every protected operation as nobody, with each single scope and with each form of the scopes that matter, for
// own and foreign targets. The answers are those of the rules above, which testdata/access.tsv shows in full, and those of JupyterHub.
func TestAccessTable(t *testing.T) {
	names, expands := scopeTree(t)
	requests := accessRequests(t)
	l := newAccessLab(t, names)
	coverAllRoutes(t, l, requests)
	rules, got := table{}, table{}
	for _, r := range requests {
		for _, form := range asked(r, names, expands) {
			as := l.form(form)
			if as == "" && form != "nobody" {
				t.Fatalf("no token with %s", form)
			}
			w := l.serve(as, r.method, "/hub/api"+r.path, r.body)
			is := outcome(w)
			got.add(r.String(), is, form)
			if r.method == "DELETE" && w.Code < 300 {
				l.restore()
			}
			if form == "nobody" {
				if is != "403" || w.Code != 403 {
					t.Errorf("%s by nobody: %d %s", r, w.Code, w.Body)
				}
				continue
			}
			want := expected(r, form, expands)
			rules.add(r.String(), want, form)
			if class := map[bool]string{true: is, false: "open"}[is == "refused" || is == "hidden"]; class != want && (want != "hidden" || is != "refused" || r.route != "/users/{user}/tokens" || r.method != "POST") {
				t.Errorf("%s with %s is %s (%s), want %s", r, form, class, is, want)
			}
		}
	}
	text := rules.text("# request, what the access check says, forms of a scope; all others are refused. Made by go test ./api -run TestAccessTable -update")
	if *update {
		noErr(t, os.WriteFile("testdata/access.tsv", []byte(text), 0o644))
	}
	if diff := cmp.Diff(string(need(os.ReadFile("testdata/access.tsv"))), text); diff != "" {
		t.Errorf("testdata/access.tsv is not what the rules say: %s", diff)
	}
	compareAccess(t, got)
}

// coverAllRoutes: each line of the route table that asks for a scope is called, for an own and for a foreign target.
func coverAllRoutes(t *testing.T, l *lab, requests []accessRequest) {
	t.Helper()
	for _, table := range l.api.Tables() {
		for _, route := range table.Routes {
			scopes := route.Access.Scopes()
			if len(scopes) == 0 && route.Access.Kind() != httpmw.KindInHandler || strings.Contains(route.Path, "/servers/") && !strings.Contains(route.Path, "{server}") || slices.Contains(additions, route.Method+" "+route.Path) {
				continue // another spelling of /server; or no scope decides
			}
			n := 0
			for _, r := range requests {
				if r.method == route.Method && r.route == route.Path {
					n++
					slices.Sort(scopes)
					if len(scopes) > 0 && !slices.Equal(scopes, r.needs) {
						t.Errorf("%s %s needs any of %v, the table of requests says %v", route.Method, route.Path, scopes, r.needs)
					}
				}
			}
			if want := 1 + strings.Count(route.Path, "{user}") + strings.Count(route.Path, "{group}") + strings.Count(route.Path, "{service}"); n < want {
				t.Errorf("%s %s is called %d times, want %d: own and foreign", route.Method, route.Path, n, want)
			}
		}
	}
}

// table is outcome by request, with the forms.
type table map[[2]string][]string

func (t table) add(request, outcome, form string) {
	key := [2]string{request, outcome}
	t[key] = append(t[key], form)
}

func (t table) text(head string) string {
	var lines []string
	for key, forms := range t {
		if key[1] != "refused" {
			lines = append(lines, key[0]+"\t"+key[1]+"\t"+strings.Join(forms, " "))
		}
	}
	slices.Sort(lines)
	return head + "\n" + strings.Join(lines, "\n") + "\n"
}

// compareAccess compares with what JupyterHub answered to the same requests.
func compareAccess(t *testing.T, got table) {
	t.Helper()
	theirs, ours := map[string]string{}, map[string]string{}
	for _, row := range readTSV(t, "access_jupyterhub.tsv")[1:] {
		for _, form := range strings.Fields(row[2]) {
			if row[1] == "403" && form != "nobody" {
				continue // a refusal in the route's own words
			}
			theirs[row[0]+" with "+form] = row[1]
		}
	}
	for key, forms := range got {
		for _, form := range forms {
			if key[1] != "refused" && (key[1] != "403" || form == "nobody") {
				ours[key[0]+" with "+form] = key[1]
			}
		}
	}
	used := map[string]bool{}
	for _, side := range []map[string]string{theirs, ours} {
		for key := range side {
			is, want := ours[key], theirs[key]
			request, _, _ := strings.Cut(key, " with ")
			if is == want {
				continue
			}
			if d, ok := accessDifferences[request]; ok && d.theirs == want && d.ours == is {
				used[request] = true
				continue
			}
			t.Errorf("%s: %q, JupyterHub %q", key, is, want)
		}
	}
	for request := range accessDifferences {
		if !used[request] {
			t.Errorf("%s is listed as different, and is not", request)
		}
	}
}

// accessDifferences are the requests to which an allowed caller gets another status than from JupyterHub, with the reason.
var accessDifferences = map[string]struct{ theirs, ours, why string }{
	"GET /users/alice/server/progress":      {"400", "404", noProgress},
	"GET /users/bob/server/progress":        {"400", "404", noProgress},
	"GET /users/alice/servers/lab/progress": {"400", "404", noProgress},
	"GET /users/bob/servers/lab/progress":   {"400", "404", noProgress},
	"POST /services/svc":                    {"409", "400", bodyFirst},
	"POST /services/other":                  {"409", "400", bodyFirst},
}

const (
	noProgress = "a server that does not run has no progress, whatever it did before"
	bodyFirst  = "the body is looked at before the database"
)
