package web

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/nikolalohinski/gonja/v2/loaders"
)

// builtinPrefix is how a template names the built-in one of the same name, to extend it.
const builtinPrefix = "templates/"

// maxInheritance bounds how deep templates may extend or include each other; a page.html that extends "page.html" would never end.
const maxInheritance = 20

// loader finds templates: "templates/NAME" is the built-in one, NAME the first in template_paths, else the built-in one.
type loader struct {
	dirs    []string
	stock   string
	sources map[string]string // templates that are no files
	depth   int
	nonce   nonceMark
	reads   *[]dependency // while parsing
	needs   *pageNeeds    // likewise
}

var _ loaders.Loader = (*loader)(nil)

// dependency is a name that a template looked up, with what it found.
type dependency struct {
	name     string
	path     string // of an override; "" for a built-in one
	stock    bool   // in data_files_path
	modified time.Time
	size     int64
}

func (d dependency) shown() string {
	if d.path != "" {
		return d.path
	}
	return builtinPrefix + strings.TrimPrefix(d.name, builtinPrefix)
}

// fresh tells whether every lookup would find the same files again.
func (p *parsedTemplate) fresh(dirs []string, stock string) bool {
	if len(dirs) == 0 && stock == "" {
		return true
	}
	l := &loader{dirs: dirs, stock: stock}
	for _, was := range p.reads {
		now, err := l.find(was.name)
		if err != nil || now.path != was.path || !now.modified.Equal(was.modified) || now.size != was.size {
			return false
		}
	}
	return true
}

var errNoTemplate = errors.New("there is no such template")

// find looks up a name.
func (l *loader) find(name string) (dependency, error) {
	rest, stockOnly := strings.CutPrefix(name, builtinPrefix)
	if !fs.ValidPath(rest) {
		return dependency{}, fmt.Errorf("%w: %q", errNoTemplate, name)
	}
	for _, dir := range l.dirs {
		if d, ok := fileIn(dir, name); ok && !stockOnly {
			return d, nil
		}
	}
	if l.stock != "" {
		if d, ok := fileIn(l.stock, rest); ok {
			d.name, d.stock = name, true
			return d, nil
		}
	}
	return dependency{name: name}, exists(rest)
}

func fileIn(dir, name string) (dependency, bool) {
	path := filepath.Join(dir, filepath.FromSlash(name))
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return dependency{}, false
	}
	return dependency{name: name, path: path, modified: info.ModTime(), size: info.Size()}, true
}

func exists(name string) error {
	if _, err := fs.Stat(builtinTemplates, builtinPrefix+name); err != nil || !fs.ValidPath(name) {
		return fmt.Errorf("%w: %q", errNoTemplate, name)
	}
	return nil
}

// overridden returns the name of an absolute path that Resolve gave out.
func (l *loader) overridden(path string) (name string, ok bool) {
	for _, dir := range l.dirs {
		if rel, err := filepath.Rel(dir, path); err == nil && filepath.IsAbs(path) && filepath.IsLocal(rel) {
			return filepath.ToSlash(rel), true
		}
	}
	return "", false
}

// Read returns the text of a template.
func (l *loader) Read(name string) (io.Reader, error) {
	if source, ok := l.sources[name]; ok {
		return strings.NewReader(l.nonce.inTags(source)), nil
	}
	if rel, ok := l.overridden(name); ok {
		name = rel
	}
	d, err := l.find(name)
	if err != nil {
		return nil, err
	}
	if l.reads != nil {
		*l.reads = append(*l.reads, d)
	}
	if d.path == "" {
		b, err := builtinTemplates.ReadFile(builtinPrefix + strings.TrimPrefix(name, builtinPrefix))
		return strings.NewReader(l.nonce.inTags(string(b))), err
	}
	b, err := os.ReadFile(d.path)
	if l.needs != nil {
		l.needs.add(string(b))
	}
	return strings.NewReader(l.nonce.inTags(string(b))), err
}

// Resolve returns the file that a name stands for.
func (l *loader) Resolve(name string) (string, error) {
	if _, ok := l.sources[name]; ok {
		return name, nil
	}
	if _, ok := l.overridden(name); ok {
		return name, nil
	}
	d, err := l.find(name)
	if err != nil {
		return "", err
	}
	if d.stock { // by its name: a path would be looked up in template_paths again
		return builtinPrefix + strings.TrimPrefix(name, builtinPrefix), nil
	}
	return d.shown(), nil
}

// Inherit returns the loader for what a template extends or includes.
func (l *loader) Inherit(string) (loaders.Loader, error) {
	if l.depth >= maxInheritance {
		return nil, errors.New(`templates extend or include each other without end; an override extends "templates/NAME"`)
	}
	sub := *l
	sub.depth++
	return &sub, nil
}
