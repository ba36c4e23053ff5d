package web

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Errors and hints come to the pages as whole English sentences, from the hub and from what it runs. The catalogues have them with %(1)s,
// %(2)s … for what was filled in, and they are recognised by their fixed words. The API goes on answering in English; the script of the
// admin page does the same with its answers (jherror in i18n.js).

// errorText is a text with values, taken apart: what stands before, between and behind them.
type errorText struct {
	text  string
	fixed []string
}

var numbered = regexp.MustCompile(`%\(\d+\)s`)

// newErrorTexts are those of a catalogue; what says more comes first.
func newErrorTexts(texts map[string]string) []errorText {
	var out []errorText
	for text := range texts {
		if parts := numbered.Split(text, -1); len(parts) > 1 {
			for i := range parts {
				parts[i] = strings.ReplaceAll(parts[i], "%%", "%")
			}
			out = append(out, errorText{text: text, fixed: parts})
		}
	}
	weight := func(e errorText) int { return len(strings.Join(e.fixed, "")) }
	slices.SortFunc(out, func(a, b errorText) int { return cmp.Or(weight(b)-weight(a), strings.Compare(a.text, b.text)) })
	return out
}

// values returns what fills the gaps of the text; ok is false when it is another text.
func (e errorText) values(text string) (values []string, ok bool) {
	first, last := e.fixed[0], e.fixed[len(e.fixed)-1]
	if len(text) <= len(first)+len(last) || !strings.HasPrefix(text, first) || !strings.HasSuffix(text, last) {
		return nil, false
	}
	rest := text[len(first) : len(text)-len(last)]
	for _, between := range e.fixed[1 : len(e.fixed)-1] {
		value, after, found := strings.Cut(rest, between)
		if !found || value == "" || after == "" {
			return nil, false
		}
		values, rest = append(values, value), after
	}
	return append(values, rest), true
}

// maxReasons bounds into how many reasons, each behind a colon, a message is taken apart.
const maxReasons = 8

// sayError translates a message or hint of an error. What no catalogue has stays as it is.
func (w words) sayError(text string) string {
	if w.texts == nil || text == "" {
		return text
	}
	if said, ok := w.wholeError(text); ok {
		return said
	}
	several := strings.Split(text, "; ")
	for i, one := range several {
		reasons := strings.SplitN(one, ": ", maxReasons)
		var said []string
		for len(reasons) > 0 {
			first, rest := reasons[0], 1
			for n := len(reasons); n > 0; n-- { // as many of them as are one text
				if whole, ok := w.wholeError(strings.Join(reasons[:n], ": ")); ok {
					first, rest = whole, n
					break
				}
			}
			said, reasons = append(said, first), reasons[rest:]
		}
		several[i] = strings.Join(said, ": ")
	}
	return strings.Join(several, "; ")
}

// wholeError translates what is a text of the catalogue as a whole.
func (w words) wholeError(text string) (string, bool) {
	if found := w.texts[text]; found != "" {
		return expand(found, func(string) (string, bool) { return "", false }), true
	}
	for _, e := range w.errors {
		values, ok := e.values(text)
		if !ok {
			continue
		}
		return expand(w.texts[e.text], func(name string) (string, bool) {
			i, err := strconv.Atoi(name)
			if err != nil || i < 1 || i > len(values) {
				return "", false
			}
			if value := values[i-1]; !strings.Contains(value, " ") {
				return value, true // a name, an address, a number
			}
			return w.sayError(values[i-1]), true
		}), true
	}
	return "", false
}
