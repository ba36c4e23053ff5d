package pybridge_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/minihub/minihub/pybridge"
)

// interpreter returns the Python for these tests, or skips.
func interpreter(t *testing.T) string {
	t.Helper()
	if path := os.Getenv("MINIHUB_TEST_PYTHON"); path != "" {
		return path
	}
	path, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3 in PATH; set MINIHUB_TEST_PYTHON to an interpreter to run this test")
	}
	return path
}

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func evaluate(t *testing.T, text string) (pybridge.EvalResult, error) {
	t.Helper()
	path := write(t, t.TempDir(), "jupyterhub_config.py", text)
	return pybridge.Evaluate(t.Context(), pybridge.EvalRequest{Path: path, Python: interpreter(t)})
}

func TestValues(t *testing.T) {
	got, err := evaluate(t, `
import enum, pathlib, collections
class Colour(enum.Enum):
    RED = "red"
class Level(enum.IntEnum):
    LOW = 3
class Text(str): pass
c = get_config()
c.A.none, c.A.yes, c.A.n, c.A.f, c.A.s = None, True, 2**70, 1.5, "ü\x00"
c.A.path = pathlib.Path("/x")
c.A.enum, c.A.int_enum, c.A.text = Colour.RED, Level.LOW, Text("t")
c.A.tuple = (1, [2, (3,)])
c.A.set = {"b", "a"}
c.A.frozen = frozenset([2, 1])
c.A.bytes = b"\x00\xff"
c.A.dict = {"k": {"n": {1: 2}}}
c.A.ordered = collections.OrderedDict(a=1)
c.A.inf = float("inf")
c.A.marker = {"__minihub_python__": "mine"}
c.A.func = lambda x: x
c.A.cls = Colour
c.A.mod = enum
`)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"bytes":{"__minihub_python__":{"base64":"AP8=","kind":"bytes"}},"dict":{"k":{"n":{"__minihub_python__":{"items":[[1,2]],"kind":"dict"}}}},"enum":"red","f":1.5,` +
		`"frozen":{"__minihub_python__":{"items":[1,2],"kind":"set"}},"inf":{"__minihub_python__":{"kind":"float","repr":"inf"}},"int_enum":3,` +
		`"marker":{"__minihub_python__":{"items":[["__minihub_python__","mine"]],"kind":"dict"}},"n":1180591620717411303424,"none":null,"ordered":{"a":1},"path":"/x","s":"ü\u0000",` +
		`"set":{"__minihub_python__":{"items":["a","b"],"kind":"set"}},"text":"t","tuple":[1,[2,[3]]],"yes":true}`
	about := map[string]map[string]any{}
	for _, name := range []string{"func", "cls", "mod"} {
		about[name] = got.Sections["A"][name].(map[string]any)["__minihub_python__"].(map[string]any)
		delete(got.Sections["A"], name)
	}
	text, _ := json.Marshal(got.Sections["A"])
	if string(text) != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
	if f := about["func"]; f["kind"] != "function" || f["qualname"] != "<lambda>" || f["line"] != json.Number("20") {
		t.Errorf("function: %v", f)
	}
	if k := about["cls"]; k["kind"] != "class" || k["qualname"] != "Colour" || !strings.Contains(k["bases"].([]any)[0].(string), "Enum") {
		t.Errorf("class: %v", k)
	}
	if about["mod"]["kind"] != "object" {
		t.Errorf("module: %v", about["mod"])
	}
	if got.Lines["A.path"] != 10 || got.Lines["A.mod"] != 22 {
		t.Errorf("lines: %v", got.Lines)
	}
	if got.WithLines()["__minihub_lines__"]["A.path"] != 10 || len(got.Sections) != 1 {
		t.Error("WithLines lost the lines, or changed the sections")
	}
}

func TestNamesOfTheFile(t *testing.T) {
	dir := t.TempDir()
	path := write(t, dir, "main.py", `
import os, sys
c.F.file, c.F.cwd, c.F.argv = __file__, os.getcwd(), sys.argv[0]
c.F.same = get_config() is c
c.F.name = __name__
load_subconfig("sub.py")
load_subconfig("other", path=os.path.join(os.path.dirname(__file__), "deep"))
load_subconfig("missing.py")
c.F.has = "Sub.x" in c, "Sub" in c, "Nope" in c, c.Sub.has_key("x")
c.merge({"Sub": {"y": 2}})
c["G"]["x"] = 1
c.G.update({"y": 2})
del c.G.x
c.Sub.args.extend(["c"])
c.Touched.only
c.Touched
`)
	write(t, dir, "sub.py", "c = get_config()\nc.Sub.x = 1\nc.Sub.args.append('b')\nc.Sub.where = __file__\nload_subconfig('subsub.py')\n")
	write(t, dir, "subsub.py", "c.Sub.z = 3\n")
	if err := os.Mkdir(filepath.Join(dir, "deep"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "deep"), "other.py", "c.Other.x = True\n")
	work := t.TempDir()
	got, err := pybridge.Evaluate(t.Context(), pybridge.EvalRequest{Path: path, Python: interpreter(t), Dir: work})
	if err != nil {
		t.Fatal(err)
	}
	f, sub := got.Sections["F"], got.Sections["Sub"]
	if f["file"] != path || f["argv"] != "jupyterhub" || f["same"] != true || f["name"] != "builtins" || !reflect.DeepEqual(f["has"], []any{true, true, false, true}) {
		t.Errorf("%v", f)
	}
	if cwd, _ := filepath.EvalSymlinks(work); f["cwd"] != cwd {
		t.Errorf("cwd %v, want %s", f["cwd"], cwd)
	}
	if sub["x"] != json.Number("1") || sub["y"] != json.Number("2") || sub["z"] != json.Number("3") || sub["where"] != filepath.Join(dir, "sub.py") || got.Sections["Other"]["x"] != true {
		t.Errorf("%v", sub)
	}
	change := sub["args"].(map[string]any)["__minihub_python__"].(map[string]any)
	if change["kind"] != "lazy" || !reflect.DeepEqual(change["extend"], []any{"b", "c"}) {
		t.Errorf("%v", change)
	}
	if _, ok := got.Sections["Touched"]; ok {
		t.Error("a trait that was only read is reported")
	}
	if got.Lines["Sub.x"] != 0 || got.Lines["Sub.args"] == 2 {
		t.Errorf("lines of another file are reported: %v", got.Lines)
	}
}

// TestChangesAgreeWithTraitlets runs the same changes through the real configuration object where traitlets is installed.
func TestChangesAgreeWithTraitlets(t *testing.T) {
	python := interpreter(t)
	if exec.Command(python, "-c", "import traitlets").Run() != nil {
		t.Skip("set MINIHUB_TEST_PYTHON to an interpreter with traitlets to run this test")
	}
	changes := `
c.A.l.append(1); c.A.l.extend([2, 3]); c.A.l.prepend([9]); c.A.l.prepend([8]); c.A.l.insert(0, "i")
c.A.s.add("x"); c.A.s.update(["y"])
c.A.d.update({"a": 1}); c.A.d.update({"b": 2})
c.A.v = [1]; c.A.v.append(2)
`
	theirs := `
import json, sys
from traitlets.config import Config
c = Config()
` + changes + `
f = lambda z: {"prepend": z._prepend, "extend": z._extend, "inserts": z._inserts, "update": sorted(z._update) if isinstance(z._update, set) else z._update}
print(json.dumps([f(c.A.l), f(c.A.s), f(c.A.d), c.A.v]))
`
	out, err := exec.Command(python, "-c", theirs).Output()
	if err != nil {
		t.Fatal(err)
	}
	got, err := evaluate(t, changes)
	if err != nil {
		t.Fatal(err)
	}
	var ours []any
	for _, name := range []string{"l", "s", "d"} {
		change := got.Sections["A"][name].(map[string]any)["__minihub_python__"].(map[string]any)
		delete(change, "kind")
		if name == "s" {
			change["update"] = change["update"].(map[string]any)["__minihub_python__"].(map[string]any)["items"]
		}
		ours = append(ours, change)
	}
	ours = append(ours, got.Sections["A"]["v"])
	text, _ := json.Marshal(ours)
	var a, b any
	_ = json.Unmarshal(text, &a)
	if err := json.Unmarshal(out, &b); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(a, b) {
		t.Errorf("ours      %s\ntraitlets %s", text, out)
	}
}

func TestTraitletsObjectsAreUnderstood(t *testing.T) {
	python := interpreter(t)
	if exec.Command(python, "-c", "import traitlets").Run() != nil {
		t.Skip("set MINIHUB_TEST_PYTHON to an interpreter with traitlets to run this test")
	}
	got, err := evaluate(t, "from traitlets.config import Config\no = Config()\no.Spawner.args.append('x')\no.Spawner.port = 1\nc.merge(o)\n")
	if err != nil {
		t.Fatal(err)
	}
	change := got.Sections["Spawner"]["args"].(map[string]any)["__minihub_python__"].(map[string]any)
	if change["kind"] != "lazy" || !reflect.DeepEqual(change["extend"], []any{"x"}) || got.Sections["Spawner"]["port"] != json.Number("1") {
		t.Errorf("%v", got.Sections)
	}
}

func TestErrorsOfTheFile(t *testing.T) {
	for text, want := range map[string]struct {
		line  int
		kind  string
		words string
	}{
		"x = 1\ny = undefined_name\n":                            {2, "NameError", "undefined_name"},
		"def f():\n    raise ValueError('no ' + 'way')\n\nf()\n": {2, "ValueError", "no way"},
		"a = 1\nb = (\n":                   {2, "SyntaxError", ""},
		"import no_such_module_at_all\n":   {1, "ModuleNotFoundError", "set MINIHUB_PYTHON"},
		"c.JupyterHub = 3\n":               {1, "ValueError", "c.JupyterHub.trait"},
		"c.JupyterHub.x.insert('a', 1)\n":  {1, "TypeError", "integer"},
		"import sys\nsys.exit(3)\n":        {2, "SystemExit", "exit(3)"},
		"c.port = 1\n":                     {0, "ValueError", "c.Class.port"},
		"a = []\na.append(a)\nc.A.x = a\n": {0, "ValueError", "c.A.x"},
		"import json\njson.loads('{')\n":   {2, "JSONDecodeError", ""},
		"password = 'hunter2'\nraise RuntimeError('x'); y = 'hunter2'\n": {2, "RuntimeError", "x"},
		"c.Spawner.environment['A'] = 'b'\n":                             {1, "TypeError", "item assignment"},
	} {
		_, err := evaluate(t, text)
		var e *pybridge.EvalError
		if !errors.As(err, &e) || e.Type != want.kind || e.Line != want.line || !strings.Contains(err.Error(), want.words) {
			t.Errorf("%q gives %v, want %+v", text, err, want)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: the error quotes the file: %v", text, err)
		}
	}
}

func TestOutputGoesToTheWriter(t *testing.T) {
	var out bytes.Buffer
	path := write(t, t.TempDir(), "c.py", "import sys, os\nprint('to stdout')\nprint('to stderr', file=sys.stderr)\nos.system('echo from a child')\nc.A.x = input.__name__\n")
	got, err := pybridge.Evaluate(t.Context(), pybridge.EvalRequest{Path: path, Python: interpreter(t), Output: &out})
	if err != nil || got.Sections["A"]["x"] != "input" {
		t.Fatal(err)
	}
	for _, want := range []string{"to stdout", "to stderr", "from a child"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in %q", want, out.String())
		}
	}
}

func TestHostileFiles(t *testing.T) {
	path := write(t, t.TempDir(), "c.py", "import os\nprint('last words')\nos._exit(7)\n")
	_, err := pybridge.Evaluate(t.Context(), pybridge.EvalRequest{Path: path, Python: interpreter(t)})
	if err == nil || !strings.Contains(err.Error(), "exit status 7") {
		t.Errorf("a file that ends the process: %v", err)
	}
	// a file beside the configuration must not replace a module of the standard library
	dir := t.TempDir()
	write(t, dir, "json.py", "raise SystemError('wrong json')\n")
	path = write(t, dir, "c.py", "c.A.x = 1\n")
	if _, err := pybridge.Evaluate(t.Context(), pybridge.EvalRequest{Path: path, Python: interpreter(t), Dir: dir}); err != nil {
		t.Errorf("json.py in the working directory was imported: %v", err)
	}
	// a thread and a child that go on do not keep the caller waiting
	path = write(t, t.TempDir(), "c.py", "import threading, time, subprocess, os\nthreading.Thread(target=time.sleep, args=(60,)).start()\nsubprocess.Popen(['sleep', '3'])\nif os.fork() == 0:\n    time.sleep(3)\n    os._exit(0)\nc.A.x = 1\n")
	start := time.Now()
	if got, err := pybridge.Evaluate(t.Context(), pybridge.EvalRequest{Path: path, Python: interpreter(t), Output: &bytes.Buffer{}}); err != nil && !errors.Is(err, exec.ErrWaitDelay) || got.Sections["A"]["x"] != json.Number("1") {
		t.Errorf("%v %v", got, err)
	}
	if waited := time.Since(start); waited > 20*time.Second {
		t.Errorf("waited %s", waited)
	}
}

func TestDeadline(t *testing.T) {
	path := write(t, t.TempDir(), "c.py", "import time\ntime.sleep(60)\n")
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := pybridge.Evaluate(ctx, pybridge.EvalRequest{Path: path, Python: interpreter(t)})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestFindPython(t *testing.T) {
	dir := t.TempDir()
	program := func(name string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		return path
	}
	if _, err := pybridge.FindPython([]string{"PATH=" + dir}); !errors.Is(err, pybridge.ErrNoPython) || !strings.Contains(err.Error(), "MINIHUB_PYTHON") {
		t.Errorf("no interpreter: %v", err)
	}
	two := program("python")
	if got, err := pybridge.FindPython([]string{"PATH=" + dir}); err != nil || got != two {
		t.Errorf("%s %v", got, err)
	}
	three := program("python3")
	if got, _ := pybridge.FindPython([]string{"PATH=" + dir}); got != three {
		t.Errorf("%s", got)
	}
	mine := program("mypython")
	if got, _ := pybridge.FindPython([]string{"PATH=" + dir, "MINIHUB_PYTHON=mypython"}); got != mine {
		t.Errorf("%s", got)
	}
	if _, err := pybridge.FindPython([]string{"PATH=" + dir, "MINIHUB_PYTHON=/nowhere/python"}); !errors.Is(err, pybridge.ErrNoPython) || !strings.Contains(err.Error(), "/nowhere/python") {
		t.Errorf("a wrong MINIHUB_PYTHON: %v", err)
	}
	if _, err := pybridge.Evaluate(t.Context(), pybridge.EvalRequest{Path: "x.py", Env: []string{"PATH="}}); !errors.Is(err, pybridge.ErrNoPython) {
		t.Errorf("Evaluate without an interpreter: %v", err)
	}
	if _, err := pybridge.Evaluate(t.Context(), pybridge.EvalRequest{Path: "x.py", Python: filepath.Join(dir, "gone")}); !errors.Is(err, pybridge.ErrNoPython) {
		t.Errorf("Evaluate with a wrong interpreter: %v", err)
	}
}
