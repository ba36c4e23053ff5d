package rbac

import "fmt"

// UnknownScopeError reports a scope that no definition has.
type UnknownScopeError struct {
	Scope   string // as given, with its filter
	Nearest string // the known name that was probably meant, "" when none is close
}

// Error names the scope and, when there is one, the scope that was probably meant.
func (e *UnknownScopeError) Error() string {
	switch {
	case e.Scope == "all" || e.Nearest == scopeInherit:
		return fmt.Sprintf("unknown scope %q: everything its owner may do is called %q", e.Scope, scopeInherit)
	case e.Nearest != "":
		return fmt.Sprintf("unknown scope %q: did you mean %q?", e.Scope, e.Nearest)
	}
	return fmt.Sprintf("unknown scope %q: use a scope of JupyterHub, or define it in custom_scopes as custom:...", e.Scope)
}

// BadFilterError reports a scope whose filter cannot be understood.
type BadFilterError struct {
	Scope  string // as given
	Reason string // what is wrong, and the way out
}

// Error names the scope and the reason.
func (e *BadFilterError) Error() string {
	return fmt.Sprintf("bad filter in scope %q: %s", e.Scope, e.Reason)
}

// Dropped is a raw scope that expansion could not use. It grants nothing; callers log it.
type Dropped struct {
	Scope  string // as given
	Reason string
}

// String reads "scope: reason", for logs.
func (d Dropped) String() string { return d.Scope + ": " + d.Reason }
