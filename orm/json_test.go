package orm_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/minihub/minihub/orm"
)

func TestJSONIsWrittenAsPythonDoes(t *testing.T) {
	tests := []struct {
		in   any
		want string
	}{
		{map[string]any{"b": []any{int64(1), 2.5, nil, true}, "a": map[string]any{}}, `{"a": {}, "b": [1, 2.5, null, true]}`},
		{[]string{"a,b:c", `q"\`}, `["a,b:c", "q\"\\"]`},
		{[]string{"é", "𝄞", "\x7f", "<&>", "\u2028", "\n\t\x01"}, `["\u00e9", "\ud834\udd1e", "\u007f", "<&>", "\u2028", "\n\t\u0001"]`},
		{map[string]any{"x": []byte("hi")}, `{"x": {"__jupyterhub_bytes__": true, "data": "aGk=\n"}}`},
		{map[string]any{"x": make([]byte, 60)}, `{"x": {"__jupyterhub_bytes__": true, "data": "` + strings.Repeat("A", 76) + `\nAAAA\n"}}`},
		{map[string]any{"n": json.Number("1.0")}, `{"n": 1.0}`},
		{[]any{}, `[]`},
	}
	for _, tt := range tests {
		got, err := orm.PythonJSON(tt.in)
		if err != nil || got != tt.want {
			t.Errorf("%v:\n got %s %v\nwant %s", tt.in, got, err, tt.want)
		}
	}
	if _, err := orm.PythonJSON(map[string]any{"x": math.Inf(1)}); err == nil {
		t.Error("infinity was written")
	}
}

// hostile are the values of GHSA-hx46-2cv3-mh6g and whatever else a database may hold.
var hostile = []string{
	`{"__jupyterhub_bytes__": true}`, `{"__jupyterhub_bytes__": true, "data": 5}`, `{"__jupyterhub_bytes__": true, "data": null}`,
	`{"__jupyterhub_bytes__": true, "data": "%%%"}`, `{"__jupyterhub_bytes__": 1, "data": "é"}`, `{"__jupyterhub_bytes__": {"a": 1}, "data": []}`,
	`{"a": {"__jupyterhub_bytes__": "yes"}}`, `[{"__jupyterhub_bytes__": true}]`, `{"__jupyterhub_bytes__": false, "data": 1}`, `null`, ``, ` `,
	`{`, `"text"`, `5`, `[]`, `true`, `{"a": NaN}`, `{"a": -Infinity, "b": "NaN \" Infinity"}`, `{"a": 1e999}`, `{"a": 123456789012345678901234567890}`,
	`{"\ud800": "\udfff"}`, `{"a": 1} trailing`, "\xff\xfe", strings.Repeat("[", 20000), `{"a": ` + strings.Repeat(`{"a": `, 9000) + `1` + strings.Repeat(`}`, 9001),
	`{"__minihub_opaque__": "x", "y": 1}`,
}

func TestHostileJSONCanBeReadAndWrittenBack(t *testing.T) {
	ctx := t.Context()
	s := open(t, "sqlite://")
	u := addUser(t, s, "ada")
	for i, text := range hostile {
		sp := &orm.Spawner{UserID: u.ID, Name: fmt.Sprint(i)}
		ok(t, s.CreateSpawner(ctx, sp))
		ok(t, orm.RawExec(ctx, s, `UPDATE spawners SET user_options = ?, state = ? WHERE id = ?`, text, text, sp.ID))
		got, err := s.Spawner(ctx, sp.ID)
		if err != nil {
			t.Errorf("%.60q: %v", text, err)
			continue
		}
		ok(t, s.UpdateSpawner(ctx, got))
		again := must(s.Spawner(ctx, sp.ID))
		if diff := cmp.Diff(got.UserOptions, again.UserOptions); diff != "" {
			t.Errorf("%.60q changed when written back:\n%s", text, diff)
		}
	}
	for _, raw := range []any{5, 2.5, []byte(`{"a": 1}`)} {
		ok(t, orm.RawExec(ctx, s, `UPDATE spawners SET user_options = ?`, raw))
		if _, err := s.SpawnersOfUsers(ctx, []int64{u.ID}); err != nil {
			t.Errorf("%v: %v", raw, err)
		}
	}
}

func TestJSONValues(t *testing.T) {
	dict := func(text string) orm.JSONDict {
		var d orm.JSONDict
		ok(t, d.Scan(text))
		return d
	}
	list := func(src any) orm.JSONList {
		var l orm.JSONList
		ok(t, l.Scan(src))
		return l
	}
	for text, want := range map[string]orm.JSONDict{
		`null`:     nil,
		`{}`:       {},
		`{"a": 1}`: {"a": int64(1)},
		`{"a": 1.5, "b": 1.0, "c": 1e3, "e": 9223372036854775808}`: {"a": 1.5, "b": json.Number("1.0"), "c": json.Number("1e3"),
			"e": json.Number("9223372036854775808")},
		`{"x": {"__jupyterhub_bytes__": true, "data": "aGk=\n"}}`: {"x": []byte("hi")},
		`{"x": {"__jupyterhub_bytes__": true}}`:                   {"x": nil},
		`[1]`:                                                     {orm.OpaqueKey: "[1]"},
	} {
		if diff := cmp.Diff(want, dict(text)); diff != "" {
			t.Errorf("%s:\n%s", text, diff)
		}
	}
	for text, want := range map[string]orm.JSONList{`["a", 1, null, ["b"], "c"]`: {"a", "c"}, `{"a": 1}`: {}, `"admin"`: {}, `x`: {}, `[]`: {}, `null`: {}} {
		if diff := cmp.Diff(want, list(text)); diff != "" {
			t.Errorf("%s:\n%s", text, diff)
		}
	}
	if list(nil) != nil {
		t.Error("NULL list")
	}
	if v := must(orm.JSONList(nil).Value()); v != nil {
		t.Errorf("nil list: %v", v)
	}
	if v := must(orm.JSONDict(nil).Value()); v != nil {
		t.Errorf("nil dict: %v", v)
	}
}
