package toy

import (
	"html/template"
	"net/http"
	"strings"
)

var homePage = template.Must(template.New("home").Parse(`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Toy server of {{.Set.User}}</title>
<style>body{font-family:sans-serif;max-width:48rem;margin:2rem auto;padding:0 1rem}code{background:#8882;padding:0 .2em}</style></head>
<body><h1>Toy server of {{.Set.User}}{{with .Set.Server}} / {{.}}{{end}}</h1>
<p>You are <strong id="name">{{.User.Name}}</strong> ({{.User.Kind}}{{if .User.Admin}}, admin{{end}}).</p>
<p><a href="{{.Set.Hub}}home">Hub</a> · <a href="{{.Set.Prefix}}whoami">JSON</a> · <a id="logout" href="{{.Set.Prefix}}logout">Log out</a></p>
<h2>Your scopes here</h2><ul id="scopes">{{range .User.Scopes}}<li><code>{{.}}</code></li>{{else}}<li>none</li>{{end}}</ul>
<h2>Groups</h2><ul id="groups">{{range .User.Groups}}<li>{{.}}</li>{{else}}<li>none</li>{{end}}</ul>
<h2>Environment variables of the server</h2><p id="env">{{range .Set.Names}}<code>{{.}}</code> {{end}}</p>
</body></html>
`))

var failPage = template.Must(template.New("fail").Parse(`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{{.Status}}</title></head>
<body><h1>{{.Status}} {{.Text}}</h1><p>{{.Message}}</p></body></html>
`))

type homeData struct {
	Set struct {
		User, Server, Hub, Prefix string
		Names                     []string
	}
	User *userModel
}

func (s *Server) home(w http.ResponseWriter, _ *http.Request, user *userModel) {
	data := homeData{User: user}
	data.Set.User, data.Set.Server, data.Set.Names = s.set.user, s.set.server, s.set.names
	data.Set.Hub, data.Set.Prefix = s.set.host+s.set.base+"hub/", s.set.prefix
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = homePage.Execute(w, data)
}

// fail answers in the form the client asks for.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, status int, message string) {
	message = strings.TrimSpace(message)
	if !strings.Contains(r.Header.Get("Accept"), "text/html") {
		writeJSON(w, status, map[string]any{"status": status, "message": message})
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_ = failPage.Execute(w, map[string]any{"Status": status, "Text": http.StatusText(status), "Message": message})
}
