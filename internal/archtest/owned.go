package archtest

import (
	"go/ast"
	"path"
	"strconv"
	"strings"
)

// checkOwner sees to it that what belongs to one file is imported by that file alone.
func (c *checker) checkOwner(name string, spec *ast.ImportSpec) {
	target, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		return
	}
	for _, rule := range owned {
		if below(target, module+"/"+rule.folder) && !below(path.Dir(name), rule.folder) && name != rule.file {
			c.report(spec.Pos(), "%s imports %s, which only %s may: %s", name, strings.TrimPrefix(target, module+"/"), rule.file, rule.reason)
		}
	}
}

// below tells whether a path is a folder or in it.
func below(name, folder string) bool { return name == folder || strings.HasPrefix(name, folder+"/") }

// checkSwitches sees to it that nobody else sets a field that switches something on: by assignment or in a literal.
func (c *checker) checkSwitches(name string, f *ast.File) {
	ast.Inspect(f, func(n ast.Node) bool {
		var set []ast.Expr
		switch n := n.(type) {
		case *ast.AssignStmt:
			set = n.Lhs
		case *ast.KeyValueExpr:
			set = []ast.Expr{n.Key}
		}
		for _, e := range set {
			field := ""
			switch e := e.(type) {
			case *ast.SelectorExpr:
				field = e.Sel.Name
			case *ast.Ident:
				if _, key := n.(*ast.KeyValueExpr); key {
					field = e.Name
				}
			}
			for _, rule := range switches {
				if field == rule.field && !below(path.Dir(name), rule.folder) {
					c.report(e.Pos(), "%s sets %s, which only %s may: %s", name, field, rule.folder, rule.reason)
				}
			}
		}
		return true
	})
}
