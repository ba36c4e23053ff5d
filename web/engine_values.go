package web

import (
	"fmt"
	"html"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/nikolalohinski/gonja/v2/builtins"
	"github.com/nikolalohinski/gonja/v2/exec"
)

// gonja escapes strings only: a list or dictionary that is printed as a whole would carry its members' text raw into the page. So all
// collections that templates see are of these two types, whose text is escaped already.
type (
	object map[string]any
	list   []any
)

// String is the text of the dictionary, escaped for HTML.
func (o object) String() string {
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(o)) {
		if b.Len() > 0 {
			b.WriteString(", ")
		}
		b.WriteString(html.EscapeString("'"+k+"': ") + shown(o[k]))
	}
	return "{" + b.String() + "}"
}

// String is the text of the list, escaped for HTML.
func (l list) String() string {
	parts := make([]string, len(l))
	for i, v := range l {
		parts[i] = shown(v)
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

func shown(v any) string {
	value := exec.ToValue(v)
	switch {
	case value.IsNil():
		return "None"
	case value.IsString():
		return html.EscapeString("'" + value.String() + "'")
	case value.IsCallable():
		return "&lt;function&gt;"
	}
	if _, ok := value.Interface().(fmt.Stringer); ok {
		return value.String()
	}
	return html.EscapeString(value.String())
}

// templateValue turns a value of configuration, JSON or the database into one that is safe to print.
func templateValue(v any) any {
	switch v := v.(type) {
	case nil:
		return nil
	case map[string]any:
		o := make(object, len(v))
		for k, item := range v {
			o[k] = templateValue(item)
		}
		return o
	case []any:
		l := make(list, len(v))
		for i, item := range v {
			l[i] = templateValue(item)
		}
		return l
	case []string:
		return texts(v)
	case *time.Time:
		return moment(v)
	case time.Time:
		return moment(&v)
	}
	return v
}

func texts(in []string) list {
	l := make(list, len(in))
	for i, s := range in {
		l[i] = s
	}
	return l
}

// timeVar is a datetime, which templates print by isoformat().
type timeVar struct{ at time.Time }

// moment returns nil, which is None, for no time.
func moment(at *time.Time) any {
	if at == nil || at.IsZero() {
		return nil
	}
	return &timeVar{at: at.UTC()}
}

// String is Python's str(datetime).
func (t *timeVar) String() string { return t.at.Format("2006-01-02 15:04:05") }

// GetAttribute implements exec.AttributeGetter.
func (t *timeVar) GetAttribute(name string) (*exec.Value, bool) {
	switch name {
	case "isoformat":
		return method(func(*exec.VarArgs) *exec.Value { return exec.AsValue(t.at.Format("2006-01-02T15:04:05.000000")) }), true
	case "timestamp":
		return method(func(*exec.VarArgs) *exec.Value { return exec.AsValue(float64(t.at.UnixMicro()) / 1e6) }), true
	case "year":
		return exec.AsValue(t.at.Year()), true
	case "month":
		return exec.AsValue(int(t.at.Month())), true
	case "day":
		return exec.AsValue(t.at.Day()), true
	}
	return exec.AsValue(nil), false
}

func method(f func(*exec.VarArgs) *exec.Value) *exec.Value { return exec.AsValue(f) }

// argument returns a positional or keyword argument, nil when it is not given.
func argument(va *exec.VarArgs, i int, name string) *exec.Value {
	if v, ok := va.KwArgs[name]; ok {
		return v
	}
	if i < len(va.Args) {
		return va.Args[i]
	}
	return nil
}

// listFilters give lists, whose text must be escaped like that of others.
var listFilters = [...]string{"batch", "default", "d", "dictsort", "first", "groupby", "items", "last", "list", "map", "max", "min", "random",
	"reject", "rejectattr", "reverse", "select", "selectattr", "slice", "sort", "sum", "unique"}

// queryQuoting makes of Go's quoting Python's.
var queryQuoting = strings.NewReplacer("+", "%20", "%2F", "/")

// newFilters are gonja's filters, with those corrected that differ from Jinja where it matters.
func newFilters() *exec.FilterSet {
	own := map[string]exec.FilterFunction{
		// gonja marks the variable itself as safe, for good and for everybody.
		"safe": func(_ *exec.Evaluator, in *exec.Value, _ *exec.VarArgs) *exec.Value {
			if in.IsError() {
				return in
			}
			return &exec.Value{Val: in.Val, Safe: true}
		},
	}
	own["when"] = when
	if original, ok := builtins.Filters.Get("urlencode"); ok {
		own["urlencode"] = func(e *exec.Evaluator, in *exec.Value, params *exec.VarArgs) *exec.Value {
			if !in.IsString() {
				return original(e, in, params)
			}
			return exec.AsValue(queryQuoting.Replace(url.QueryEscape(in.String())))
		}
	}
	for _, name := range listFilters {
		if original, ok := builtins.Filters.Get(name); ok {
			own[name] = func(e *exec.Evaluator, in *exec.Value, params *exec.VarArgs) *exec.Value {
				return printable(original(e, in, params))
			}
		}
	}
	return exec.NewFilterSet(map[string]exec.FilterFunction{}).Update(builtins.Filters).Update(exec.NewFilterSet(own))
}

// printable turns a list into one that is safe to print.
func printable(v *exec.Value) *exec.Value {
	if v.IsNil() || v.IsError() || v.Val.Kind() != reflect.Slice {
		return v
	}
	if _, ok := v.Interface().(list); ok {
		return v
	}
	l := make(list, v.Len())
	for i := range l {
		item := v.Index(i)
		l[i] = item
		if !item.Safe && item.Val.IsValid() && item.Val.CanInterface() {
			l[i] = item.Interface()
		}
	}
	return exec.AsValue(l)
}

// when is a filter of our own: a time as an element that ui.js turns into "3 minutes ago"; its argument stands for no time.
func when(e *exec.Evaluator, in *exec.Value, params *exec.VarArgs) *exec.Value {
	t, ok := in.Interface().(*timeVar)
	if !ok {
		if never := argument(params, 0, "never"); never != nil {
			return never
		}
		if say, ok := e.Environment.Context.Get("gettext"); ok {
			if f, ok := say.(func(*exec.VarArgs) *exec.Value); ok {
				return f(&exec.VarArgs{Args: []*exec.Value{exec.AsValue("Never")}})
			}
		}
		return exec.AsValue("Never")
	}
	return exec.AsSafeValue(`<time datetime="` + t.at.Format(time.RFC3339) + `">` + t.at.Format("2006-01-02 15:04") + ` UTC</time>`)
}
