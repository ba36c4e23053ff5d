package web

import (
	"bytes"
	"io/fs"
	"regexp"
)

// styleName is where the one stylesheet is served: overrides of templates link to it under this name.
const styleName = "css/style.min.css"

var (
	cssComment = regexp.MustCompile(`(?s)/\*.*?\*/`)
	cssSpace   = regexp.MustCompile(`\s*\n\s*`)
)

// stylesheet joins the parts in web/style in the order of their names, without comments and indentation: one request, and no build
// step.
func stylesheet() ([]byte, error) {
	names, err := fs.Glob(styleFiles, "style/*.css")
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	for _, name := range names {
		part, err := styleFiles.ReadFile(name)
		if err != nil {
			return nil, err
		}
		out.Write(cssSpace.ReplaceAll(cssComment.ReplaceAll(part, nil), []byte("\n")))
	}
	return bytes.TrimSpace(out.Bytes()), nil
}
