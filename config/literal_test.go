package config_test

import (
	"encoding/json"
	"os/exec"
	"reflect"
	"strings"
	"testing"

	"github.com/minihub/minihub/config"
)

func TestParseLiteral(t *testing.T) {
	for text, want := range map[string]any{
		`None`: nil, `True`: true, `False`: false, `1`: int64(1), `-5`: int64(-5), `+7`: int64(7), `--3`: int64(3),
		`0x1F`: int64(31), `0o17`: int64(15), `0b101`: int64(5), `1_000`: int64(1000), `0`: int64(0), `00`: int64(0),
		`1.5`: 1.5, `.5`: 0.5, `1e3`: 1000.0, `-1.5e-3`: -0.0015, `1.`: 1.0,
		`'a'`: "a", `"a'b"`: "a'b", `'''x'y'''`: "x'y", `'a' "b"`: "ab", `r'\n'`: `\n`, `u'ü'`: "ü",
		`'\x41\u00fc\U0001F600\101\n\t\\'`: "Aü😀A\n\t\\", `'\q'`: `\q`, "'a\\\nb'": "ab",
		`b'\xff\x00a'`: []byte{0xff, 0, 'a'}, `rb'\x'`: []byte(`\x`),
		`[]`: []any{}, `[1, 'a',]`: []any{int64(1), "a"}, `()`: []any{}, `(1)`: int64(1), `(1,)`: []any{int64(1)}, `(1, 2)`: []any{int64(1), int64(2)},
		`( 'a' , )`: []any{"a"}, `((1))`: int64(1), `{}`: map[string]any{}, `{'a': 1, "b": [2]}`: map[string]any{"a": int64(1), "b": []any{int64(2)}},
		`{1: 'x'}`: map[string]any{"1": "x"}, "  [\n1 ]\t": []any{int64(1)},
	} {
		got, err := config.ParseLiteral(text)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s gives %#v, %v; want %#v", text, got, err, want)
		}
	}
}

func TestParseLiteralSets(t *testing.T) {
	for text, want := range map[string]int{`{'a', 'b', 'a'}`: 2, `set()`: 0, `{1,}`: 1} {
		got, err := config.ParseLiteral(text)
		if err != nil || reflect.ValueOf(got).Kind() != reflect.Slice || reflect.ValueOf(got).Len() != want {
			t.Errorf("%s gives %#v, %v; want %d members", text, got, err, want)
		}
	}
}

func TestParseLiteralRefuses(t *testing.T) {
	for _, text := range []string{``, ` `, `foo`, `range(3)`, `__import__('os')`, `1 + 1`, `[1`, `[1 2]`, `{1: 2, 3}`, `{1, 2: 3}`, `'a`, `'a` + "\n'",
		`b'ü'`, `'a' b'b'`, `'\N{BULLET}'`, `'\x4'`, `'\ud800'`, `01`, `1__0`, `1_`, `0x`, `1e999`, `99999999999999999999`, `[1,,2]`, `(,)`, `{,}`,
		`{[1]: 2}`, `lambda: 1`, `nan`, `1j`, `f'x'`, `ur'x'`, `- `, strings.Repeat("[", 5000), strings.Repeat("(", 102) + strings.Repeat(")", 102)} {
		got, err := config.ParseLiteral(text)
		if err == nil {
			t.Errorf("%.40q was accepted as %#v", text, got)
		} else if len(text) > 6 && len(text) < 100 && strings.Contains(err.Error(), text) {
			t.Errorf("the error quotes the input: %v", err)
		}
	}
}

// FuzzParseLiteral checks that no input panics, and that what comes out is printed by --show-config's writer and read again.
func FuzzParseLiteral(f *testing.F) {
	for _, seed := range []string{`[1, 'a', {'k': (1, 2)}]`, `{'a', "b"}`, `b'\x00'`, `-0x1f`, `'''a\u00fc'''`, `set()`, `(1,)`, `1e-5`, `{`, `'\`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := config.ParseLiteral(text)
		if err != nil {
			return
		}
		if _, err := json.Marshal(v); err != nil {
			t.Errorf("%q gives a value that JSON cannot write: %v", text, err)
		}
		again, err := config.ParseLiteral(text)
		if err != nil || !reflect.DeepEqual(v, again) {
			t.Errorf("%q is read differently the second time", text)
		}
	})
}

// TestLiteralsAgreeWithPython asks Python for the same texts.
func TestLiteralsAgreeWithPython(t *testing.T) {
	interpreter := python(t)
	texts := []string{`[1, 2.5, 'a']`, `{'a': None, 'b': [True]}`, `'\x41\u00fc\101'`, `r'a\'b'`, `('x')`, `('x',)`, `0o17`, `1_000`, `-  5`, `'a' 'b'`,
		`'''a"b'''`, `[1,]`, `01`, `{1,2`, `1__0`, `'a`, `foo`, `"\u12"`, `[1 2]`, `1 2`, `(1,2),`, `0_0`, `1.e5`, `'\400'`, `.`, `1e`, `[]]`}
	script := "import ast,json,sys\nout=[]\nfor t in json.load(sys.stdin):\n  try: out.append([True, ast.literal_eval(t)])\n  except Exception: out.append([False, None])\njson.dump(out, sys.stdout)"
	in, _ := json.Marshal(texts)
	cmd := exec.Command(interpreter, "-W", "ignore", "-c", script)
	cmd.Stdin = strings.NewReader(string(in))
	data, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var answers [][2]any
	if err := json.Unmarshal(data, &answers); err != nil {
		t.Fatal(err)
	}
	for i, text := range texts {
		got, err := config.ParseLiteral(text)
		if text == `(1,2),` { // a bare tuple is Python, but no one writes it in a flag
			continue
		}
		if (err == nil) != answers[i][0].(bool) {
			t.Errorf("%s: our error is %v, Python accepts it: %v", text, err, answers[i][0])
			continue
		}
		ours, _ := json.Marshal(got)
		theirs, _ := json.Marshal(answers[i][1])
		if err == nil && string(ours) != string(theirs) {
			t.Errorf("%s: we read %s, Python %s", text, ours, theirs)
		}
	}
}
