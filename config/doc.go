// Package config is the typed configuration tree: JupyterHub's classes and traits with their names, defaults and rules,
// and the ways to fill it.
//
// The flow is the same for every format. Load finds the file; a .py file is evaluated by the function that the caller
// plugs into Source.Evaluate (the Python child lives in package pybridge), JSON, YAML and TOML are decoded here. What comes
// out are sections: class name, trait name, plain value. ParseArgs turns the command line into a second layer of the same
// shape. Deprecated names move to their replacements, then every class is decoded along its chain of parents, so that
// a section of a parent class applies to its subclasses and the most specific section wins. Precedence is
// default, environment variable, file, command line.
//
// Nothing is dropped in silence. All problems are collected in one Report: values of the wrong type, names that no class
// knows (a warning with the nearest known name, an error where the name would have restricted access), contradictions
// between traits, and Python callables or classes, which this version refuses by name as long as Source.AllowPython is
// false. Load returns an *InvalidError when the report holds an error, so that a caller who forgets the report does not
// start a hub that ignores a rule.
//
// Structs are tables: one field is one trait, and its tags say the rest.
//
//	trait       JupyterHub's name
//	default     the default as it would be written on the command line
//	tier        core, common or rare: how often real deployments set it
//	help        one sentence
//	env         environment variable that is used when neither file nor command line set the trait
//	kind        "set" for Python sets, which are []string in Go
//	enum        the words allowed, separated by |
//	py          "only" when the value can only be a Python callable, "or" when it may be one
//	null        "empty" when None is allowed and means the empty value
//	secret      "true" when the value must never be shown
//	deprecated  what to use instead
//
// Integers keep JupyterHub's unit (seconds unless the name says otherwise). The package imports nothing of minihub; only
// app, cmd and hubtest import it. There is no compatibility promise.
package config
