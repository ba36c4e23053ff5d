package web

import (
	"strings"

	"github.com/nikolalohinski/gonja/v2/exec"
	"github.com/nikolalohinski/gonja/v2/nodes"
	"github.com/nikolalohinski/gonja/v2/parser"
	"github.com/nikolalohinski/gonja/v2/tokens"
)

// gonja's macros look for the body of a {% call %} under this name, in the variables of the place where they were defined. gonja's own
// call tag leaves it where the call stands, so that a call inside a block never reaches a macro of the page.
const callerKey = "__gonja_caller__"

// rootKey is the variable that holds the outermost variables of a page.
const rootKey = "__minihub_root__"

// callTag is {% call macro(...) %}body{% endcall %}.
type callTag struct {
	at   *tokens.Token
	call *nodes.Call
	body *nodes.Wrapper
}

// Position returns where the tag is.
func (c *callTag) Position() *tokens.Token { return c.at }

// String names the tag in errors.
func (c *callTag) String() string { return "call" }

// Execute calls the macro, to which caller() is the body.
func (c *callTag) Execute(r *exec.Renderer, _ *nodes.ControlStructureBlock) error {
	caller := func(*exec.VarArgs) *exec.Value {
		var out strings.Builder
		sub := r.Inherit()
		sub.Output = &out
		if err := sub.ExecuteWrapper(c.body); err != nil {
			return exec.AsValue(err)
		}
		return exec.AsSafeValue(out.String())
	}
	places := []*exec.Context{r.Environment.Context}
	if v, ok := places[0].Get(rootKey); ok {
		if root, ok := v.(*exec.Context); ok {
			places = append(places, root)
		}
	}
	for _, place := range places {
		place.Set(callerKey, caller)
	}
	result := r.Eval(c.call)
	for _, place := range places {
		place.Set(callerKey, nil)
	}
	if result.IsError() {
		return result
	}
	_, err := r.Output.Write([]byte(result.String()))
	return err
}

func parseCall(p, args *parser.Parser) (nodes.ControlStructure, error) {
	c := &callTag{at: p.Current()}
	expression, err := args.ParseExpression()
	if err != nil {
		return nil, err
	}
	call, ok := expression.(*nodes.Call)
	if !ok || !args.End() {
		return nil, args.Error("call needs a macro with its arguments", args.Current())
	}
	c.call = call
	c.body, _, err = p.WrapUntil("endcall")
	return c, err
}
