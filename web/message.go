package web

import (
	"html"
	"strings"

	"github.com/nikolalohinski/gonja/v2/exec"
)

// translate is _("Text with %(name)s", name=value) of templates, as gettext has it: the English text is the key of its translation.
// When a value is HTML that is safe already, the result is HTML too, with the text and the other values escaped.
func translate(va *exec.VarArgs) *exec.Value {
	if len(va.Args) != 1 {
		return exec.AsValue("")
	}
	text := va.Args[0].String()
	if len(va.KwArgs) == 0 {
		return exec.AsValue(strings.ReplaceAll(text, "%%", "%"))
	}
	safe := false
	for _, value := range va.KwArgs {
		safe = safe || value.Safe
	}
	pairs := []string{"%%", "%"}
	for name, value := range va.KwArgs {
		shown := value.String()
		if safe && !value.Safe {
			shown = html.EscapeString(shown)
		}
		pairs = append(pairs, "%("+name+")s", shown, "%("+name+")d", shown)
	}
	if safe {
		return exec.AsSafeValue(strings.NewReplacer(pairs...).Replace(html.EscapeString(text)))
	}
	return exec.AsValue(strings.NewReplacer(pairs...).Replace(text))
}
