package web

import (
	"errors"
	"fmt"
	"strings"

	"github.com/nikolalohinski/gonja/v2/builtins"
	tags "github.com/nikolalohinski/gonja/v2/builtins/control_structures"
	"github.com/nikolalohinski/gonja/v2/exec"
	"github.com/nikolalohinski/gonja/v2/nodes"
	"github.com/nikolalohinski/gonja/v2/parser"
	"github.com/nikolalohinski/gonja/v2/tokens"
)

// structures are gonja's tags with three of our own. files collects which file each block comes from.
func structures(files map[*nodes.Wrapper]string) *exec.ControlStructureSet {
	own := map[string]parser.ControlStructureParser{
		"block": func(p, args *parser.Parser) (nodes.ControlStructure, error) { return parseBlock(p, args, files) },
		"set":   parseSet,
		"call":  parseCall,
	}
	for _, name := range [...]string{"autoescape", "extends", "filter", "for", "from", "if", "import", "include", "macro", "raw", "with", "do",
		"break", "continue", "trans"} {
		if parse, ok := builtins.ControlStructures.Get(name); ok {
			own[name] = parse
		}
	}
	own["if"] = sameScope(own["if"])
	for name, parse := range own {
		own[name] = located(parse)
	}
	return exec.NewControlStructureSet(own)
}

// located adds the line of the tag to errors that do not tell it.
func located(parse parser.ControlStructureParser) parser.ControlStructureParser {
	return func(p, args *parser.Parser) (nodes.ControlStructure, error) {
		at := p.Current()
		cs, err := parse(p, args)
		if err != nil && at != nil && innermostLine(err.Error()) == 0 {
			err = fmt.Errorf("line %d: %w", at.Line, err)
		}
		return cs, err
	}
}

// ifTag is {% if %}. Its branches share the variables around it, as in Jinja; gonja makes a copy of them for each, and copies them back.
type ifTag struct{ *tags.IfControlStructure }

// Execute renders the first branch whose condition is true, or the last one that has none.
func (t ifTag) Execute(r *exec.Renderer, _ *nodes.ControlStructureBlock) error {
	for i, condition := range t.Conditions {
		is := r.Eval(condition)
		if is.IsError() {
			return is
		}
		if is.IsTrue() {
			return nodes.Walk(r, t.Wrappers[i])
		}
	}
	if n := len(t.Conditions); len(t.Wrappers) > n {
		return nodes.Walk(r, t.Wrappers[n])
	}
	return nil
}

func sameScope(parse parser.ControlStructureParser) parser.ControlStructureParser {
	return func(p, args *parser.Parser) (nodes.ControlStructure, error) {
		cs, err := parse(p, args)
		if tag, ok := cs.(*tags.IfControlStructure); ok && err == nil {
			return ifTag{tag}, nil
		}
		return cs, err
	}
}

// blockTag is {% block name scoped required %}. Unlike gonja's it accepts the two words, its super() is safe HTML, and errors inside
// super() are not lost.
type blockTag struct {
	at    *tokens.Token
	name  string
	files map[*nodes.Wrapper]string
}

// Position returns where the tag is.
func (b *blockTag) Position() *tokens.Token { return b.at }

// String names the tag in errors.
func (b *blockTag) String() string { return "block " + b.name }

// Execute renders the innermost override of the block.
func (b *blockTag) Execute(r *exec.Renderer, _ *nodes.ControlStructureBlock) error {
	return b.render(r, r.RootNode.GetBlocks(b.name))
}

func (b *blockTag) render(r *exec.Renderer, chain []*nodes.Wrapper) error {
	if len(chain) == 0 {
		return fmt.Errorf("block %q is missing", b.name)
	}
	sub := r.Inherit()
	sub.Environment.Context.Set("super", func(*exec.VarArgs) *exec.Value {
		if len(chain) == 1 {
			return exec.AsSafeValue("")
		}
		var out strings.Builder
		parent := sub.Inherit()
		parent.Output = &out
		if err := b.render(parent, chain[1:]); err != nil {
			return exec.AsValue(err)
		}
		return exec.AsSafeValue(out.String())
	})
	if err := sub.ExecuteWrapper(chain[0]); err != nil {
		return renderError(b.files[chain[0]], err)
	}
	return nil
}

func parseBlock(p, args *parser.Parser, files map[*nodes.Wrapper]string) (nodes.ControlStructure, error) {
	b := &blockTag{at: p.Current(), files: files}
	name := args.Match(tokens.Name)
	if name == nil {
		return nil, args.Error("a block needs a name", args.Current())
	}
	b.name = name.Val
	for args.MatchName("scoped", "required") != nil { // blocks always see the variables around them here
	}
	if !args.End() {
		return nil, args.Error("after a block's name only scoped and required may follow", args.Current())
	}
	wrapper, end, err := p.WrapUntil("endblock")
	if err != nil {
		return nil, err
	}
	if closing := end.Match(tokens.Name); closing != nil && closing.Val != b.name {
		return nil, end.Error(fmt.Sprintf("endblock %s closes block %s", closing.Val, b.name), closing)
	}
	if p.Template.Blocks.Exists(b.name) {
		return nil, args.Error(fmt.Sprintf("block %s is defined twice", b.name), name)
	}
	files[wrapper] = p.Template.Identifier
	return b, p.Template.Blocks.Register(b.name, wrapper)
}

// setTag is {% set name = value %} and {% set name %}...{% endset %}. gonja's forgets that a value is safe HTML.
type setTag struct {
	at                          *tokens.Token
	name                        string
	value, condition, otherwise nodes.Expression
	body                        *nodes.Wrapper
}

// Position returns where the tag is.
func (s *setTag) Position() *tokens.Token { return s.at }

// String names the tag in errors.
func (s *setTag) String() string { return "set " + s.name }

// Execute sets the variable.
func (s *setTag) Execute(r *exec.Renderer, _ *nodes.ControlStructureBlock) error {
	if s.body != nil {
		var out strings.Builder
		sub := r.Inherit()
		sub.Output = &out
		if err := sub.ExecuteWrapper(s.body); err != nil {
			return err
		}
		r.Environment.Context.Set(s.name, exec.AsSafeValue(out.String()))
		return nil
	}
	expression := s.value
	if s.condition != nil {
		is := r.Eval(s.condition)
		if is.IsError() {
			return is
		}
		if !is.IsTrue() {
			expression = s.otherwise
		}
	}
	if expression == nil {
		r.Environment.Context.Set(s.name, nil)
		return nil
	}
	v := r.Eval(expression)
	if v.IsError() {
		return v
	}
	if v.Safe {
		r.Environment.Context.Set(s.name, v)
	} else {
		r.Environment.Context.Set(s.name, v.Interface())
	}
	return nil
}

func parseSet(p, args *parser.Parser) (nodes.ControlStructure, error) {
	name := args.Current(tokens.Name)
	next := args.Peek()
	if name == nil || next != nil && next.Type != tokens.Assign && next.Type != tokens.EOF {
		general, ok := builtins.ControlStructures.Get("set") // attributes of a namespace
		if !ok {
			return nil, errors.New("this form of set is not supported")
		}
		return general(p, args)
	}
	args.Consume()
	s := &setTag{at: name, name: name.Val}
	if args.Match(tokens.Assign) == nil {
		if !args.End() {
			return nil, args.Error("set needs = or the end of the tag", args.Current())
		}
		body, _, err := p.WrapUntil("endset")
		s.body = body
		return s, err
	}
	var err error
	if s.value, err = args.ParseExpression(); err != nil {
		return nil, err
	}
	if s.condition, s.otherwise, err = args.ParseCondition(); err != nil {
		return nil, err
	}
	if !args.End() {
		return nil, args.Error("there is more after the value of set", args.Current())
	}
	return s, nil
}
