// Package web has the hub's HTML pages under /hub: login, home, spawn, tokens, sharing, admin, errors, and the static files
// they use. It makes no compatibility promise to Go programs; what it does promise is JupyterHub's page contract: template
// names, blocks and variables, redirects and cookies.
//
// A request comes from httpmw with its identity and a checked XSRF token. A handler (login.go, home.go, spawn.go, ...) asks hub,
// builds the variables of its page and calls Site.render, which adds what every page has (page.go) and renders a template
// (engine.go) into a buffer, so that a template that fails half-way never leaves half a page.
//
// Templates are Jinja2, rendered by gonja with autoescape on. An administrator's template_paths come before the built-in ones, and
// an override may extend the original as "templates/page.html". Parsed templates are kept; an override is parsed again when its file
// changes. When an override fails, people get the built-in page and administrators the reason with file and line on top of it.
//
// Three rules keep the pages safe: every value is escaped unless a template says `| safe` (engine_values.go closes gonja's gap for
// lists and dictionaries); scripts are files, and data reaches them as JSON in a script element that is no script; and every
// redirect target from outside goes through urlpath.SafeNext (redirect.go).
//
// Except the admin page, pages work without JavaScript: actions are plain forms (actions.go, token.go) that answer with a redirect.
package web
