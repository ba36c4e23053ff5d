package app

import (
	"bytes"
	"context"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/minihub/minihub/config"
)

// TestNoTraitIsIgnoredInSilence sets each trait that no code reads: the report has to name it, as an error or a warning. A new field of
// the configuration that nobody reads fails here until it works or withoutEffect names it.
func TestNoTraitIsIgnoredInSilence(t *testing.T) {
	t.Chdir("..")
	u := usesOfConfig(t)
	t.Chdir(t.TempDir())
	fields, silent := fieldNames(), 0
	for _, tr := range config.Traits() {
		name := tr.Class + "." + tr.Name
		field, ok := fields[name]
		if !ok {
			t.Fatalf("%s has no field", name)
		}
		if u.read[tr.Class+"."+field] || tr.Type == "Python callable or None" && u.named[tr.Name] || tr.Type == "Python callable" && u.named[tr.Name] {
			continue
		}
		silent++
		sections := map[string]map[string]any{tr.Class: {tr.Name: sampleOf(tr)}}
		_, report, err := LoadSections(context.Background(), sections, new(bytes.Buffer))
		if report == nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if text := reportText(report); !strings.Contains(text, name) {
			t.Errorf("nothing reads %s, and the report does not say so; implement it or name it in withoutEffect:\n%s", name, text)
		}
	}
	if silent < 10 || silent > 60 {
		t.Errorf("%d traits are read by nobody: the search for their uses does not work", silent)
	}
}

// What withoutEffect names must have no effect indeed.
func TestWithoutEffectIsTrue(t *testing.T) {
	t.Chdir("..")
	u := usesOfConfig(t)
	fields := fieldNames()
	for _, name := range withoutEffect() {
		class, _, _ := strings.Cut(name, ".")
		if fields[name] == "" {
			t.Errorf("%s is no trait", name)
		} else if u.read[class+"."+fields[name]] {
			t.Errorf("%s is read, so it may have an effect", name)
		}
	}
}

func reportText(r *config.Report) string {
	var all []string
	for _, p := range r.Problems {
		all = append(all, p.String())
	}
	return strings.Join(all, "\n")
}

// fieldNames finds the Go field of each trait.
func fieldNames() map[string]string {
	out := map[string]string{}
	root := reflect.TypeFor[config.Config]()
	for i := range root.NumField() {
		class := root.Field(i).Type
		if class.Kind() != reflect.Struct {
			continue
		}
		for j := range class.NumField() {
			if trait := class.Field(j).Tag.Get("trait"); trait != "" {
				out[class.Name()+"."+trait] = class.Field(j).Name
			}
		}
	}
	return out
}

// sampleOf is a value that differs from the default.
func sampleOf(tr config.Trait) any {
	if tr.Default == "True" {
		return false
	}
	if len(tr.Enum) > 0 {
		return tr.Enum[0]
	}
	switch strings.Fields(tr.Type)[0] {
	case "boolean":
		return true
	case "integer":
		return int64(7)
	case "float":
		return 0.5
	case "list", "set", "command":
		return []any{"a"}
	case "dict":
		return map[string]any{"k": "v"}
	}
	return "text"
}

// uses is what the code does with the structs of package config.
type uses struct {
	read  map[string]bool // "Class.Field", where its value is taken
	named map[string]bool // string literals: hooks are looked for by name
}

// usesOfConfig type-checks the packages that work with the configuration, from their source and as far as it goes without other packages.
func usesOfConfig(t *testing.T) *uses {
	t.Helper()
	m := &moduleImporter{fset: token.NewFileSet(), done: map[string]*types.Package{}, uses: &uses{map[string]bool{}, map[string]bool{}}}
	for _, p := range []string{"config", "app", "cmd/minihub"} {
		if _, err := m.Import(modulePath + p); err != nil {
			t.Fatal(err)
		}
	}
	if len(m.uses.read) < 100 || !m.uses.named["pre_spawn_hook"] {
		t.Fatalf("only %d fields are read", len(m.uses.read))
	}
	return m.uses
}

const modulePath = "github.com/minihub/minihub/"

// moduleImporter reads package config and those above it from source; all others are empty, and what is missing is passed over.
type moduleImporter struct {
	fset *token.FileSet
	done map[string]*types.Package
	uses *uses
}

func (m *moduleImporter) Import(name string) (*types.Package, error) {
	if p := m.done[name]; p != nil {
		return p, nil
	}
	dir, ours := strings.CutPrefix(name, modulePath)
	if !ours || dir != "config" && dir != "app" && dir != "cmd/minihub" {
		p := types.NewPackage(name, path.Base(name))
		p.MarkComplete()
		m.done[name] = p
		return p, nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var files []*ast.File
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		f, err := parser.ParseFile(m.fset, filepath.Join(dir, e.Name()), nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	info := &types.Info{Selections: map[*ast.SelectorExpr]*types.Selection{}}
	p, err := (&types.Config{Importer: m, Error: func(error) {}}).Check(name, m.fset, files, info)
	if p == nil {
		return nil, errors.Join(errors.New("nothing came of "+name), err)
	}
	m.done[name] = p
	for _, f := range files {
		m.note(f, info)
	}
	return p, nil
}

// note collects what one file uses. Checks of a value, defaults made from it and help texts are no use of it; what is only assigned is not
// read.
func (m *moduleImporter) note(f *ast.File, info *types.Info) {
	file := m.fset.Position(f.Pos()).Filename
	base := filepath.Base(file)
	if inConfig := filepath.Dir(file) == "config"; inConfig && (strings.HasPrefix(base, "validate") || slices.Contains([]string{"names.go", "args.go", "finish.go"}, base)) {
		return
	}
	assigned := map[ast.Expr]bool{}
	ast.Inspect(f, func(n ast.Node) bool {
		switch x := n.(type) {
		case *ast.AssignStmt:
			for _, e := range x.Lhs {
				assigned[e] = true
			}
		case *ast.BasicLit:
			if text, err := strconv.Unquote(x.Value); err == nil && x.Kind == token.STRING {
				m.uses.named[text] = m.uses.named[text] || !strings.Contains(text, ".")
			}
		case *ast.SelectorExpr:
			if s := info.Selections[x]; s != nil && s.Kind() == types.FieldVal && !assigned[x] {
				if class := declaredIn(s); class != "" {
					m.uses.read[class+"."+x.Sel.Name] = true
				}
			}
		}
		return true
	})
}

// declaredIn names the struct of package config that has the selected field, which an embedding struct may have inherited.
func declaredIn(s *types.Selection) string {
	t := s.Recv()
	for _, i := range s.Index() {
		if p, ok := t.Underlying().(*types.Pointer); ok {
			t = p.Elem()
		}
		named, _ := types.Unalias(t).(*types.Named)
		st, ok := t.Underlying().(*types.Struct)
		if !ok {
			return ""
		}
		if t = st.Field(i).Type(); st.Field(i) == s.Obj() && named != nil && named.Obj().Pkg().Path() == modulePath+"config" {
			return named.Obj().Name()
		}
	}
	return ""
}

// pam_normalize_username reaches the rules of logins.
func TestNamesOfPAMAreNormalised(t *testing.T) {
	c := &config.Config{}
	c.JupyterHub.AuthenticatorClass.Native = "pam"
	if ruleOptions(c).NormalizeUser != nil {
		t.Error("names are looked up without pam_normalize_username")
	}
	c.PAMAuthenticator.PamNormalizeUsername = true
	normalize := ruleOptions(c).NormalizeUser
	if normalize == nil {
		t.Fatal("pam_normalize_username has no effect")
	}
	if name, err := normalize("root"); name != "root" || err != nil {
		t.Errorf("root is %q, %v", name, err)
	}
}

// Who asks for encryption inside the hub is told that there is none, as an error; whoever says False is not.
func TestInternalSSLIsRefused(t *testing.T) {
	for _, on := range []bool{true, false} {
		_, report, _ := LoadSections(t.Context(), map[string]map[string]any{"JupyterHub": {"internal_ssl": on, "authenticator_class": "null"}}, new(bytes.Buffer))
		if refused := len(report.Errors()) == 1 && strings.HasPrefix(report.Errors()[0].String(), "error: JupyterHub.internal_ssl"); refused != on || !on && len(report.Problems) > 0 {
			t.Errorf("internal_ssl %v:\n%s", on, reportText(report))
		}
	}
}
