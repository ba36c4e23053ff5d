package devserver

import (
	"fmt"
	"strings"
)

// banner says what to do.
func (s *Server) banner() {
	w := s.o.Out
	fmt.Fprintf(w, "\n  minihub dev: a hub for this desk. It answers this machine only, and lets anybody in.\n\n")
	fmt.Fprintf(w, "  Hub        %shub/\n", s.URL)
	if len(s.o.Admins) > 0 {
		fmt.Fprintf(w, "  Log in     any name, any password; administrators: %s\n", strings.Join(s.o.Admins, ", "))
	} else {
		fmt.Fprintf(w, "  Log in     any name, any password; the first to log in is an administrator\n")
	}
	fmt.Fprintf(w, "  Inspector  %shub/dev\n", s.URL)
	for _, p := range s.procs {
		s.bannerOf(p)
	}
	fmt.Fprintf(w, "  Servers    %s\n", s.spawner)
	if s.o.DB != "" {
		fmt.Fprintf(w, "  Database   %s\n", s.o.DB)
	}
	fmt.Fprintf(w, "\n  Ask the API as %s:\n\n    export MINIHUB_TOKEN=%s\n    curl -H \"Authorization: token $MINIHUB_TOKEN\" %shub/api/users\n\n", s.owner(), s.Token, s.URL)
}

func (s *Server) bannerOf(p *process) {
	w, name := s.o.Out, p.def.Name
	switch {
	case p.def.URL != "":
		fmt.Fprintf(w, "  Service    %s\n", s.href(name))
	default:
		fmt.Fprintf(w, "  Service    %s, without pages\n", name)
	}
	if p.super != nil {
		return
	}
	fmt.Fprintf(w, "             start it at %s, with this environment:\n", p.def.URL)
	env, err := s.hub.ServiceEnvironment(name)
	if err != nil {
		return
	}
	env["JUPYTERHUB_API_URL"] = s.URL + "hub/api" // the private port is another one after each start
	for _, key := range []string{"JUPYTERHUB_API_TOKEN", "JUPYTERHUB_API_URL", "JUPYTERHUB_BASE_URL", "JUPYTERHUB_CLIENT_ID", "JUPYTERHUB_OAUTH_CALLBACK_URL",
		"JUPYTERHUB_OAUTH_SCOPES", "JUPYTERHUB_SERVICE_NAME", "JUPYTERHUB_SERVICE_PREFIX", "JUPYTERHUB_SERVICE_URL"} {
		fmt.Fprintf(w, "               export %s='%s'\n", key, env[key])
	}
}
