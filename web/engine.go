package web

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	"github.com/nikolalohinski/gonja/v2/builtins"
	"github.com/nikolalohinski/gonja/v2/config"
	"github.com/nikolalohinski/gonja/v2/exec"
	"github.com/nikolalohinski/gonja/v2/nodes"
)

// engine renders Jinja2 templates. Safe for concurrent use.
type engine struct {
	dirs    []string // template_paths, in order
	stock   string   // templates in data_files_path; "": only the built-in ones
	filters *exec.FilterSet
	methods exec.Methods
	globals *exec.Context
	config  *config.Config
	nonce   nonceMark

	mu     sync.RWMutex
	parsed map[string]*parsedTemplate
}

// parsedTemplate is a template with all that it extends.
type parsedTemplate struct {
	template *exec.Template
	loader   *loader
	tags     *exec.ControlStructureSet
	reads    []dependency
	needs    pageNeeds
	err      error // why it cannot be parsed
}

// TemplateError is a template that cannot be parsed or rendered.
type TemplateError struct {
	File string // path of an override, or templates/NAME of a built-in one
	Line int    // 0 when unknown
	Err  error
}

// Error names file and line before the reason.
func (e *TemplateError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("template %s: %v", e.File, e.Err)
	}
	return fmt.Sprintf("template %s line %d: %v", e.File, e.Line, e.Err)
}

// Unwrap returns the reason.
func (e *TemplateError) Unwrap() error { return e.Err }

func newEngine(dirs []string, dataFiles string) *engine {
	stock := ""
	if dataFiles != "" {
		stock = filepath.Join(dataFiles, "templates")
	}
	cfg := config.New()
	cfg.AutoEscape = true
	globals := exec.EmptyContext().Update(builtins.GlobalFunctions).Update(builtins.GlobalVariables)
	globals.Set("_", words{}.gettext) // where a page's own variables do not reach
	return &engine{dirs: dirs, stock: stock, filters: newFilters(), methods: newMethods(), globals: globals, config: cfg, nonce: newNonceMark(), parsed: map[string]*parsedTemplate{}}
}

// has tells whether there is a template of that name.
func (e *engine) has(name string) bool {
	_, err := (&loader{dirs: e.dirs, stock: e.stock}).find(name)
	return err == nil
}

// render renders a template, whose mark for the nonce must still be filled in; with builtin, as if template_paths were empty.
func (e *engine) render(out *bytes.Buffer, name string, builtin bool, vars map[string]any) (pageNeeds, error) {
	p, err := e.get(name, builtin)
	if err != nil {
		return pageNeeds{}, err
	}
	return p.needs, e.nonce.withoutNonce(e.execute(out, name, p, vars))
}

// renderSource renders a template that is no file, such as an authenticator's custom_html.
func (e *engine) renderSource(source string, vars map[string]any) (string, error) {
	const name = "custom_html"
	key := name + "\x00" + source
	e.mu.RLock()
	p := e.parsed[key]
	e.mu.RUnlock()
	if p == nil {
		p = e.parse(&loader{dirs: e.dirs, stock: e.stock, sources: map[string]string{name: source}}, name)
		e.mu.Lock()
		e.parsed[key] = p
		e.mu.Unlock()
	}
	if p.err != nil {
		return "", p.err
	}
	var out bytes.Buffer
	err := e.execute(&out, name, p, vars)
	return out.String(), err
}

// get returns a parsed template, parsing it when it is new or one of its files changed.
func (e *engine) get(name string, builtin bool) (*parsedTemplate, error) {
	key, dirs, stock := name, e.dirs, e.stock
	if builtin {
		key, dirs, stock = builtinPrefix+name, nil, ""
	}
	e.mu.RLock()
	p := e.parsed[key]
	e.mu.RUnlock()
	if p == nil || !p.fresh(dirs, stock) {
		p = e.parse(&loader{dirs: dirs, stock: stock}, name)
		e.mu.Lock()
		e.parsed[key] = p
		e.mu.Unlock()
	}
	return p, p.err
}

func (e *engine) parse(l *loader, name string) (p *parsedTemplate) {
	p = &parsedTemplate{loader: l, tags: structures(map[*nodes.Wrapper]string{})}
	l.reads, l.needs, l.nonce = &p.reads, &p.needs, e.nonce
	file, err := l.Resolve(name)
	if err != nil {
		p.err = &TemplateError{File: name, Err: err}
		return p
	}
	defer func() {
		if v := recover(); v != nil {
			p.err = &TemplateError{File: file, Err: fmt.Errorf("parser failed: %v", v)}
		}
	}()
	env := e.environment(e.globals, p)
	if p.template, err = exec.NewTemplate(file, e.config, l, env); err != nil {
		p.err = e.nonce.withoutNonce(parseError(file, p.reads, err))
	}
	l.reads, l.needs = nil, nil // what is included while rendering is read anew each time
	return p
}

func (e *engine) environment(ctx *exec.Context, p *parsedTemplate) *exec.Environment {
	return &exec.Environment{Context: ctx, Filters: e.filters, Tests: builtins.Tests, Methods: e.methods,
		ControlStructures: p.tags}
}

// execute renders a parsed template. What an inheriting template does outside of blocks (set, import, macro) runs before its
// parent is rendered, as in Jinja; gonja would skip it.
func (e *engine) execute(out *bytes.Buffer, name string, p *parsedTemplate, vars map[string]any) (err error) {
	file := p.template.Root().Identifier
	defer func() {
		if v := recover(); v != nil {
			err = &TemplateError{File: file, Err: fmt.Errorf("rendering failed: %v", v)}
		}
	}()
	ctx := e.globals.Inherit().Update(exec.NewContext(vars))
	ctx.Set(rootKey, ctx)
	r := exec.NewRenderer(e.environment(ctx, p), out, e.config, p.loader, p.template)
	root := p.template.Root()
	for ; root.Parent != nil; root = root.Parent {
		if err := prologue(r, root); err != nil {
			return renderError(root.Identifier, err)
		}
	}
	if err := nodes.Walk(r, root); err != nil {
		return renderError(root.Identifier, err)
	}
	return nil
}

func prologue(r *exec.Renderer, t *nodes.Template) error {
	saved := r.Output
	defer func() { r.Output = saved }()
	r.Output = io.Discard
	for _, node := range t.Nodes {
		tag, ok := node.(*nodes.ControlStructureBlock)
		if !ok {
			continue
		}
		if _, isBlock := tag.ControlStructure.(*blockTag); isBlock {
			continue
		}
		if cs, ok := tag.ControlStructure.(exec.ControlStructure); ok {
			if err := cs.Execute(r, tag); err != nil {
				return err
			}
		}
	}
	return nil
}

var lineInError = regexp.MustCompile(`(?i)line[ =:]+(\d+)`)

// renderError keeps the innermost file and line, and the reason without gonja's wrapping.
func renderError(file string, err error) error {
	var known *TemplateError
	if errors.As(err, &known) {
		return known
	}
	return &TemplateError{File: file, Line: innermostLine(err.Error()), Err: errors.New(shortReason(err.Error()))}
}

// parseError finds the file of an error: gonja quotes the whole source in its message, and says nothing about which of the files it
// is, except that each template that could not be extended wraps the error of the one it wanted to extend.
func parseError(file string, reads []dependency, err error) error {
	text := err.Error()
	if inner := errors.Unwrap(err); inner != nil {
		text = inner.Error()
	}
	if depth := strings.Count(text, "unable to load template"); depth > 0 && depth < len(reads) {
		file = reads[depth].shown()
	}
	return &TemplateError{File: file, Line: innermostLine(text), Err: errors.New(shortReason(text))}
}

func innermostLine(text string) (line int) {
	for _, m := range lineInError.FindAllStringSubmatch(text, -1) {
		line = 0
		for _, c := range m[1] {
			line = min(line*10+int(c-'0'), 1<<20)
		}
	}
	return line
}

const maxReason = 300

func shortReason(text string) string {
	text = strings.TrimSpace(text)
	if len(text) > maxReason {
		text = "… " + strings.ToValidUTF8(text[len(text)-maxReason:], "")
	}
	return text
}
