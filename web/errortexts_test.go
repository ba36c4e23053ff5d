package web_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/url"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// errorSources are the files whose errors and hints people read on a page, or on the admin page out of an answer of the API.
var errorSources = []string{"../hub/*.go", "*.go", "../oauthprovider/*.go", "../internal/httpmw/*.go", "../app/python_*.go", "../app/core.go", "../app/routes.go",
	"../auth/names.go", "../internal/urlpath/slug.go", "../spawner/local/diagnose.go", "../spawner/local/rules.go"}

// noPage are files among them whose errors only programs, the log or commands see.
var noPage = map[string]string{
	"../hub/activity.go":            "servers report their activity",
	"../hub/why.go":                 "commands `can` and `why-login`",
	"../hub/services.go":            "the API only",
	"../hub/services_create.go":     "the API only",
	"../hub/services_clients.go":    "the API only",
	"../hub/profiles.go":            "mistakes in the configuration, said in the log",
	"../internal/httpmw/json.go":    "broken JSON is sent by programs",
	"../oauthprovider/userinfo.go":  "asked by programs",
	"../oauthprovider/discovery.go": "asked by programs",
}

// errorTexts are the texts of errors and hints with %(1)s, %(2)s … for what is filled in, and the file that has each.
func errorTexts(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, glob := range errorSources {
		files, err := filepath.Glob(glob)
		if err != nil || len(files) == 0 {
			t.Fatal(glob, err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") || noPage[file] != "" {
				continue
			}
			parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(parsed, func(n ast.Node) bool {
				for _, e := range saysTo(n, file) {
					if text := newPattern(e); regexp.MustCompile(`[A-Za-z]{2}`).MatchString(regexp.MustCompile(`%\(\d+\)s`).ReplaceAllString(text, "")) {
						out[text] = file
					}
				}
				return true
			})
		}
	}
	return out
}

// saysTo are the expressions of a node that people read.
func saysTo(n ast.Node, file string) (out []ast.Expr) {
	switch n := n.(type) {
	case *ast.CompositeLit:
		if name := typeName(n.Type); name == "Error" || name == "ProgressEvent" || name == "XSRFDecision" || name == "Diagnosis" {
			for _, element := range n.Elts {
				if field, ok := element.(*ast.KeyValueExpr); ok && isText(typeName(field.Key)) {
					out = append(out, field.Value)
				}
			}
		}
	case *ast.AssignStmt:
		for i, left := range n.Lhs {
			if s, ok := left.(*ast.SelectorExpr); ok && isText(s.Sel.Name) && n.Tok == token.ASSIGN && len(n.Rhs) == len(n.Lhs) {
				out = append(out, n.Rhs[i])
			}
		}
	case *ast.CallExpr:
		switch name := typeName(n.Fun); {
		case name == "errorf" && len(n.Args) > 1:
			out = append(out, &ast.CallExpr{Fun: ast.NewIdent("Sprintf"), Args: n.Args[1:]})
		case name == "withHint", (name == "Errorf" || name == "New") && (strings.HasPrefix(file, "../auth") || strings.Contains(file, "slug.go")),
			name == "badProfile" && len(n.Args) > 1, name == "notFound" && len(n.Args) > 1 && file != "errors.go":
			args := n.Args
			if name == "notFound" || name == "badProfile" {
				args = args[1:]
			}
			out = append(out, &ast.CallExpr{Fun: ast.NewIdent("Sprintf"), Args: args})
		}
	case *ast.ReturnStmt: // (cause, way out) of a diagnosis
		if strings.Contains(file, "spawner/local") && len(n.Results) == 2 {
			out = append(out, n.Results...)
		}
	}
	return out
}

func isText(name string) bool {
	return name == "Message" || name == "Hint" || name == "Cause" || name == "WayOut"
}

func typeName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}

// newPattern writes an expression as a text of the catalogue.
func newPattern(e ast.Expr) string {
	n := 0
	value := func() string { n++; return fmt.Sprintf("%%(%d)s", n) }
	verb := regexp.MustCompile(`%(?:%|[+#]?\d*(?:\.\d+)?[a-zA-Z])`)
	var write func(e ast.Expr) string
	write = func(e ast.Expr) string {
		switch e := e.(type) {
		case *ast.BasicLit:
			text, _ := strconv.Unquote(e.Value)
			return strings.ReplaceAll(text, "%", "%%")
		case *ast.ParenExpr:
			return write(e.X)
		case *ast.BinaryExpr:
			if e.Op == token.ADD {
				return write(e.X) + write(e.Y)
			}
		case *ast.CallExpr:
			if name := typeName(e.Fun); name == "Sprintf" && len(e.Args) > 0 {
				if format, ok := e.Args[0].(*ast.BasicLit); ok {
					text, _ := strconv.Unquote(format.Value)
					return verb.ReplaceAllStringFunc(text, func(v string) string {
						switch v {
						case "%%":
							return v
						case "%q":
							return `"` + value() + `"`
						}
						return value()
					})
				}
				return "" // the format comes from elsewhere
			}
		}
		return value()
	}
	return write(e)
}

// moreErrorTexts are said by code that puts its sentences together, or by other packages.
var moreErrorTexts = []string{"%(1)s seconds", "%(1)s minutes", "exit code %(1)s", "Server requested", "Invalid username or password", "Unknown HTTP Error",
	"needs one of: %(1)s; held: %(2)s; add to load_roles: %(3)s", "it may need longer (Spawner.http_timeout), or hang: the log lines tell",
	"the server must reach that address: set JupyterHub.hub_connect_ip (or hub_connect_url) to one it can, and look at firewalls"}

// pageStatuses are the answers that pages have in their heading.
var pageStatuses = []int{400, 401, 403, 404, 405, 408, 409, 410, 413, 422, 424, 429, 500, 501, 502, 503, 504}

// TestErrorsInGerman reads errors as people do who read German: none of their words may be English.
func TestErrorsInGerman(t *testing.T) {
	w := newWorld(t, worldOptions{})
	alice := w.user("alice")
	for i := range 3 {
		need(w.servers.Create(t.Context(), alice, fmt.Sprint("box-", i), "", nil))
	}
	german := func(b *browser, method, path string, form url.Values) answer {
		if method == "POST" {
			b.get("/hub/login") // for the cookie that forms need
			return b.post(path, form, "Accept-Language", "de")
		}
		return b.get(path, "Accept-Language", "de")
	}
	for _, c := range []struct {
		name, who, method, path string
		form                    url.Values
		want, not               []string
	}{
		{"no such page", "", "GET", "/hub/nothing", nil, []string{"404 : Nicht gefunden", "Unter dieser Adresse gibt es keine Seite"}, []string{"Not Found", "There is no page"}},
		{"wrong password", "", "POST", "/hub/login", url.Values{"username": {"alice"}, "password": {"wrong"}}, []string{"Name oder Passwort ist falsch"}, []string{"Invalid"}},
		{"the authenticator's own words stay", "", "POST", "/hub/login", url.Values{"username": {"alice"}, "password": {"late"}}, []string{"Come from the portal again"}, nil},
		{"a server that is not there", "alice", "GET", "/hub/spawn-pending/alice/none", nil, []string{"alice hat keinen Server none"}, []string{"has no such server"}},
		{"a name that is not allowed", "alice", "POST", "/hub/home/servers", url.Values{"action": {"create"}, "server": {"<img src=x>"}, "display_name": {"x"}},
			[]string{"Ungültiger Servername: &#39;&lt;img src=x&gt;&#39;"}, []string{"Invalid", "<img src=x>"}},
		{"a token for what one may not", "alice", "POST", "/hub/token/request", url.Values{"scopes": {"admin:users"}}, []string{"Die gewünschten Rechte ", "ein Token kann nicht mehr"}, []string{"Not assigning"}},
		{"sharing with nobody", "alice", "POST", "/hub/shares", url.Values{"action": {"share"}, "with": {"user"}, "name": {"nobody"}}, []string{"Das ist mit Ihren Rechten nicht erlaubt; nötig ist eines von [shares]", "nötig ist eines von: shares!server=alice/"}, []string{"Action is not", "needs one"}},
		{"the proxy's page", "alice", "GET", "/hub/error/503", nil, []string{"503 : Nicht verfügbar", `<a href="/hub/home">vom Hub aus</a>`}, []string{"appears to be down"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := german(w.as(c.who), c.method, c.path, c.form)
			_, a.body, _ = strings.Cut(a.body, "<main")
			for _, want := range c.want {
				if !strings.Contains(a.body, want) {
					t.Errorf("%d: no %q in %s", a.status, want, a.body)
				}
			}
			for _, not := range c.not {
				if strings.Contains(a.body, not) {
					t.Errorf("%q is on the page: %s", not, a.body)
				}
			}
		})
	}
	t.Run("English stays", func(t *testing.T) {
		if a := w.as("").get("/hub/nothing", "Accept-Language", "en"); !strings.Contains(a.body, "There is no page at this address") {
			t.Error(a.body)
		}
	})
}
