package archtest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// Problem is one broken rule: where, and what to do about it.
type Problem struct {
	File string // slash-separated, relative to the root of the tree
	Line int
	Text string
}

// String gives the problem in the form that editors can jump to.
func (p Problem) String() string { return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Text) }

// Check reads all Go files below the root of fsys except tests, hidden folders and testdata, and returns the
// problems in the order of files and lines. An error means that a file could not be read or parsed.
func Check(fsys fs.FS) ([]Problem, error) {
	c := &checker{fset: token.NewFileSet(), packages: map[string]*pkg{}}
	err := fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := path.Base(name)
		if entry.IsDir() {
			if name != "." && (strings.HasPrefix(base, ".") || base == "testdata" || base == "node_modules") {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(base, ".go") || strings.HasSuffix(base, "_test.go") {
			return nil
		}
		return c.file(fsys, name)
	})
	if err != nil {
		return nil, err
	}
	c.comments()
	sort.Slice(c.problems, func(i, j int) bool {
		a, b := c.problems[i], c.problems[j]
		if a.File != b.File {
			return a.File < b.File
		}
		return a.Line < b.Line
	})
	return c.problems, nil
}

// pkg collects what is known of one package after all its files were read.
type pkg struct {
	first string // its first file
	doc   string // its package comments together
}

type checker struct {
	fset     *token.FileSet
	packages map[string]*pkg
	problems []Problem
}

func (c *checker) report(pos token.Pos, format string, args ...any) {
	p := c.fset.Position(pos)
	c.problems = append(c.problems, Problem{File: p.Filename, Line: p.Line, Text: fmt.Sprintf(format, args...)})
}

func (c *checker) file(fsys fs.FS, name string) error {
	src, err := fs.ReadFile(fsys, name)
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	f, err := parser.ParseFile(c.fset, name, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return fmt.Errorf("parse %s: %w", name, err)
	}
	folder := path.Dir(name)
	p := c.packages[folder]
	if p == nil {
		p = &pkg{first: name}
		c.packages[folder] = p
		if _, ok := allowed[folder]; !ok {
			c.report(f.Package, "package %s has no row in the package map: add it to ARCHITECTURE.md §1 and internal/archtest/table.go", folder)
		}
	}
	if f.Doc != nil {
		p.doc += f.Doc.Text()
	}
	for _, spec := range f.Imports {
		c.checkImport(folder, spec)
		c.checkOwner(name, spec)
	}
	c.checkSwitches(name, f)
	if !ast.IsGenerated(f) {
		c.checkSizes(name, f)
	}
	return nil
}

func (c *checker) checkImport(folder string, spec *ast.ImportSpec) {
	target, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		return
	}
	if rest, ok := strings.CutPrefix(target, module); ok {
		c.checkLocalImport(folder, strings.TrimPrefix(rest, "/"), spec)
		return
	}
	for _, rule := range confined {
		if strings.HasPrefix(target, rule.prefix) && !slices.Contains(rule.folders, folder) && folder != "internal/deps" {
			c.report(spec.Pos(), "%s imports %s, which only %s may: %s", folder, target, strings.Join(rule.folders, ", "), rule.reason)
		}
	}
	for _, rule := range forbidden {
		if rule.folder == folder && (target == rule.path || strings.HasPrefix(target, rule.path+"/")) {
			c.report(spec.Pos(), "%s must not import %s: %s", folder, target, rule.reason)
		}
	}
}

func (c *checker) checkLocalImport(folder, target string, spec *ast.ImportSpec) {
	row, ok := allowed[folder]
	if !ok || slices.Contains(row, anyPackage) || slices.Contains(row, target) || slices.Contains(everywhere, target) {
		return
	}
	may := append(slices.Clone(row), everywhere...)
	c.report(spec.Pos(), "%s imports %s; the package map allows it only %s", folder, target, strings.Join(may, ", "))
}

func (c *checker) checkSizes(name string, f *ast.File) {
	limit := maxFileLines
	if slices.Contains(tables, name) {
		limit = maxTableLines
	}
	if lines := c.fset.File(f.Pos()).LineCount(); lines > limit {
		c.report(f.Package, "file has %d lines, the ceiling is %d: split it by subject", lines, limit)
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			c.checkFunc(n)
		case *ast.TypeSpec:
			if iface, ok := n.Type.(*ast.InterfaceType); ok {
				if count := iface.Methods.NumFields(); count > maxInterfaceMethods {
					c.report(n.Pos(), "interface %s has %d methods, the ceiling is %d: declare smaller ones at their users", n.Name.Name, count, maxInterfaceMethods)
				}
			}
		}
		return true
	})
}

func (c *checker) checkFunc(f *ast.FuncDecl) {
	start, end := c.fset.Position(f.Pos()).Line, c.fset.Position(f.End()).Line
	if lines := end - start + 1; lines > maxFuncLines {
		c.report(f.Pos(), "function %s has %d lines, the ceiling is %d: split it by step", f.Name.Name, lines, maxFuncLines)
	}
	if count := f.Type.Params.NumFields(); f.Recv == nil && strings.HasPrefix(f.Name.Name, "New") && count > maxConstructorArgs {
		c.report(f.Pos(), "constructor %s takes %d dependencies, the ceiling is %d: the type does too much", f.Name.Name, count, maxConstructorArgs)
	}
}

// comments checks the package comments, which may stand in any file of the package.
func (c *checker) comments() {
	for folder, p := range c.packages {
		problem := func(format string, args ...any) {
			c.problems = append(c.problems, Problem{File: p.first, Line: 1, Text: fmt.Sprintf(format, args...)})
		}
		if p.doc == "" {
			problem("package %s has no package comment: write doc.go", folder)
			continue
		}
		topLevel := !strings.Contains(folder, "/") && folder != "e2e"
		text := strings.Join(strings.Fields(strings.ToLower(p.doc)), " ")
		if topLevel && !slices.Contains(promised, folder) && !strings.Contains(text, "no compatibility promise") {
			problem(`package %s is not promised to outside users: say "no compatibility promise" in its comment`, folder)
		}
	}
}
