package web

import (
	"io/fs"
	"net/http"
	"path"

	"github.com/minihub/minihub/internal/httpmw"
	"github.com/minihub/minihub/orm"
)

// LogIn gives the browser the cookies of a login that was made elsewhere: by a page that an authenticator brings along.
func (s *Site) LogIn(w http.ResponseWriter, r *http.Request, user *orm.User) error {
	return s.openSession(w, r, user)
}

// LogOut ends the session of the browser, and with shutdown_on_logout the person's servers.
func (s *Site) LogOut(w http.ResponseWriter, r *http.Request) error {
	user := pageUser(r)
	if user == nil {
		return nil
	}
	if s.o.Traits.Logins.ShutdownOnLogout {
		if err := s.stopAll(r, user); err != nil {
			return err
		}
	}
	session := httpmw.SessionID(r)
	if err := s.o.Hub.Logins.Logout(r.Context(), user, session); err != nil {
		return err
	}
	s.o.Sessions.Cookies.ClearLogin(w.Header(), session != "")
	return nil
}

// PrepareForm sets the cookie that belongs to the XSRF token of a page with a form, when a browser navigates to it.
func (s *Site) PrepareForm(w http.ResponseWriter, r *http.Request) {
	if navigates(r) && pageUser(r) == nil {
		s.o.Sessions.Cookies.SetXSRF(w.Header(), httpmw.PageToken(r), false)
	}
}

// BuiltinTemplates are the templates of the binary by name, for pages that are rendered elsewhere.
func BuiltinTemplates() (map[string]string, error) {
	out := map[string]string{}
	err := fs.WalkDir(builtinTemplates, "templates", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := builtinTemplates.ReadFile(name)
		out[path.Base(name)] = string(data)
		return err
	})
	return out, err
}
