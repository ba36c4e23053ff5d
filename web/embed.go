package web

import "embed"

// builtinTemplates are the pages that an administrator's template_paths may override or extend.
//
//go:embed templates
var builtinTemplates embed.FS

// staticFiles are served below {hub}static/.
//
//go:embed static
var staticFiles embed.FS

// styleFiles are the parts of the stylesheet.
//
//go:embed style
var styleFiles embed.FS
