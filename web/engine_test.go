package web_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/web"
)

// overrides writes templates into a directory for template_paths.
func overrides(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestOverrides(t *testing.T) {
	for _, row := range []struct {
		name      string
		files     map[string]string
		vars      map[string]any
		want, not []string
	}{
		{"a block of the page", map[string]string{"page.html": `{% extends "templates/page.html" %}{% block footer %}<footer>{{ org }}</footer>{% endblock %}`},
			map[string]any{"org": "A & B"}, []string{"<footer>A &amp; B</footer>", "Named servers"}, nil},
		{"super is not escaped", map[string]string{"page.html": `{% extends "templates/page.html" %}{% block nav_bar_left_items %}{{ super() }}<li>x</li>{% endblock %}`},
			nil, []string{`<a class="nav-link" href="/hub/home" aria-current="page">Home</a>`, "<li>x</li>"}, []string{"&lt;li"}},
		{"two levels", map[string]string{"page.html": `{% extends "templates/page.html" %}{% block title %}Ours {{ super() }}{% endblock %}`,
			"home.html": `{% extends "templates/home.html" %}{% block title %}Mine {{ super() }}{% endblock %}`}, nil, []string{"<title>Mine Home · JupyterHub</title>"}, nil},
		{"set before extends takes effect", map[string]string{"home.html": `{% extends "templates/home.html" %}{% set announcement = "<b>hello</b>" %}`},
			nil, []string{"<b>hello</b>"}, nil},
		{"macro and call", map[string]string{"home.html": `{% extends "page.html" %}{% macro box(x, y="z") %}[{{ x }}{{ y }}{{ caller() }}]{% endmacro %}
			{% block main %}{% call box(user.name) %}<i>in</i>{% endcall %}{% call modal('My Box') %}body{% endcall %}{% endblock %}`}, nil,
			[]string{"[alicez<i>in</i>]", `id="my-box-dialog"`}, nil},
		{"include and import", map[string]string{"part.html": `<p>{{ user.name }}</p>`, "lib.html": `{% macro m(x) %}<u>{{ x }}</u>{% endmacro %}`,
			"home.html": `{% extends "page.html" %}{% from "lib.html" import m %}{% block main %}{% include "part.html" %}{{ m("<") }}{% include "none.html" ignore missing %}{% endblock %}`}, nil,
			[]string{"<p>alice</p>", "<u>&lt;</u>"}, nil},
		{"filters", map[string]string{"home.html": `{% extends "page.html" %}{% block main %}{{ v | e }} {{ v | safe }} {{ v }} {{ "a b/c?&" | urlencode }} {{ {"a": "<"} | tojson }} ` +
			`{{ none_such | default("dflt") }} {{ ["b", "a"] | sort | join(",") }} {{ v | upper | replace("B", "C") }}{% endblock %}`}, map[string]any{"v": "<b>"},
			[]string{"&lt;b&gt; <b> &lt;b&gt; a%20b/c%3F%26", `{"a":"\u003c"}`, " dflt a,b ", "&lt;C&gt;"}, nil},
		{"block set stays HTML", map[string]string{"home.html": `{% extends "page.html" %}{% block main %}{% set x %}<b>{{ user.name }}</b>{% endset %}{{ x }}{% endblock %}`},
			nil, []string{"<b>alice</b>"}, nil},
		{"scoped block in a loop", map[string]string{"home.html": `{% extends "page.html" %}{% block main %}{% for x in [1, 2] %}{% block item scoped %}({{ x }}){% endblock item %}{% endfor %}{% endblock %}`},
			nil, []string{"(1)(2)"}, nil},
		{"messages", map[string]string{"home.html": `{% extends "page.html" %}{% block main %}{{ _("Tom & %(who)s, 100%", who=v) }}|{{ _("go %(link)s %(who)s", link="<i>x</i>" | safe, who=v) }}|{{ _("%(n)d <") }}{% endblock %}`},
			map[string]any{"v": "<b>"}, []string{"Tom &amp; &lt;b&gt;, 100%|go <i>x</i> &lt;b&gt;|%(n)d &lt;"}, nil},
		{"attributes in the wild", map[string]string{"home.html": `{% extends "page.html" %}{% block main %}{{ user.url }} {{ user.escaped_name }} {{ user.json_escaped_name }} {{ user.active }} ` +
			`{{ user.server_url("x") }} {{ user.spawner.ready }} {{ user.spawners[""].name }}| {% for s in user.all_spawners() %}<{{ s.name }}{% endfor %} {{ url_path_join("/a/", "b") }} ` +
			`{{ static_url("js/ui.js", include_version=False) }} {{ user.orm_user.name }}{% if "read:users!user=alice" in expanded_scopes %}yes{% endif %}{% endblock %}`}, nil,
			[]string{"/user/alice/ alice alice False /user/alice/x/ False | < /a/b /hub/static/js/ui.js alice"}, nil},
		{"function in template_vars", map[string]string{"home.html": `{% extends "page.html" %}{% block main %}{{ greeting }}{{ broken }}.{% endblock %}`},
			map[string]any{"greeting": web.TemplateFunc(func(_ context.Context, u *orm.User) (any, error) { return "Hello <" + u.Name, nil }),
				"broken": web.TemplateFunc(func(context.Context, *orm.User) (any, error) { return nil, errors.New("no") })}, []string{"Hello &lt;alice."}, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(t, worldOptions{edit: func(_ *world, o *web.Options) {
				o.Look.TemplatePaths, o.Look.TemplateVars = []string{overrides(t, row.files)}, row.vars
			}})
			a := w.as("alice").get("/hub/home")
			for _, want := range row.want {
				if !strings.Contains(a.body, want) {
					t.Errorf("%q is not in\n%s\n%s", want, a.body, w.log)
				}
			}
			for _, not := range row.not {
				if strings.Contains(a.body, not) {
					t.Errorf("%q is in\n%s", not, a.body)
				}
			}
		})
	}
}

func TestBrokenOverride(t *testing.T) {
	for _, row := range []struct{ name, file, text, where string }{
		{"does not parse", "home.html", "{% extends \"templates/home.html\" %}\n{% block main %}\n{% if %}{% endblock %}", "home.html line 3"},
		{"does not render", "home.html", "{% extends \"templates/home.html\" %}\n{% block main %}\n\n{{ user.name.nosuch() }}{% endblock %}", "home.html line 4"},
		{"page does not render", "page.html", "{% extends \"templates/page.html\" %}\n{% block footer %}{{ 1 | nosuch }}{% endblock %}", "page.html line 2"},
		{"extends itself", "page.html", `{% extends "page.html" %}`, "page.html"},
		{"extends nothing", "home.html", `{% extends "templates/none.html" %}`, "none.html"},
		{"leaves the folder", "home.html", `{% extends "../../../etc/passwd" %}`, "passwd"},
		{"missing brace", "home.html", "{{ user.name", "home.html"},
	} {
		t.Run(row.name, func(t *testing.T) {
			dir := overrides(t, map[string]string{row.file: row.text})
			w := newWorld(t, worldOptions{edit: func(_ *world, o *web.Options) { o.Look.TemplatePaths = []string{dir} }})
			a := w.as("alice").get("/hub/home")
			if a.status != 200 || !strings.Contains(a.body, "Named servers") || strings.Contains(a.body, "override") {
				t.Errorf("users: %d %s", a.status, a.body)
			}
			a = w.as("root").get("/hub/home")
			if a.status != 200 || !strings.Contains(a.body, "Named servers") || !strings.Contains(a.body, "A template override is broken") || !strings.Contains(a.body, row.where) {
				t.Errorf("administrators: %d, want %q\n%s", a.status, row.where, a.body[strings.Index(a.body, "<main"):])
			}
			if !strings.Contains(w.log.String(), row.where) {
				t.Error("the log does not say where")
			}
			// Repaired while the hub runs.
			path := filepath.Join(dir, row.file)
			if err := os.WriteFile(path, []byte(`{% extends "templates/`+row.file+`" %}{% block footer %}repaired{% endblock %}`), 0o600); err != nil {
				t.Fatal(err)
			}
			later := time.Now().Add(2 * time.Second)
			if err := os.Chtimes(path, later, later); err != nil {
				t.Fatal(err)
			}
			if a := w.as("root").get("/hub/home"); !strings.Contains(a.body, "repaired") || strings.Contains(a.body, "broken") {
				t.Errorf("after the repair: %s", a.body)
			}
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			if a := w.as("root").get("/hub/home"); strings.Contains(a.body, "repaired") {
				t.Error("the override is gone, its page is not")
			}
		})
	}
}

func TestErrorTemplates(t *testing.T) {
	w := newWorld(t, worldOptions{edit: func(_ *world, o *web.Options) {
		o.Look.TemplatePaths = []string{overrides(t, map[string]string{"404.html": "gone {{ status_code }}", "503.html": "{{ nosuch() }}", "error.html": `own {{ status_message }}: {{ message }}`})}
	}})
	run(t, w, []row{
		{name: "of the status", path: "/hub/nothing", status: 404, want: []string{"gone 404"}},
		{name: "general", as: "alice", path: "/hub/admin", status: 403, want: []string{"own Forbidden: "}},
		{name: "broken", path: "/hub/error/503", status: 500},
	})
}
