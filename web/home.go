package web

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/nikolalohinski/gonja/v2/exec"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/internal/urlpath"
	"github.com/minihub/minihub/orm"
)

// home is the page with a person's servers.
func (s *Site) home(w http.ResponseWriter, r *http.Request) error {
	user := pageUser(r)
	u := s.userVar(r.Context(), user)
	def := u.server("").(*serverVar)
	if def.v.Ready && !s.o.Hub.Servers.Poll(r.Context(), user.ID, "") { // a server that died shows as stopped
		u = s.userVar(r.Context(), user)
		def = u.server("").(*serverVar)
	}
	limit, err := s.namedLimit(r, user)
	if err != nil {
		return err
	}
	state, err := s.o.Hub.Logins.AuthState(r.Context(), user)
	if err != nil {
		return err
	}
	link := s.spawnURL(user.Name, "")
	if def.v.Active {
		link = s.o.URLs.ServerURL(user.Name, "")
	}
	var invalid list
	pending := def.v.Pending != ""
	for _, v := range u.loadServers() {
		if v.Name != "" && urlpath.ValidServerName(v.Name) != nil {
			invalid = append(invalid, v.Name)
		}
		pending = pending || v.Pending != ""
	}
	return s.render(w, r, view{template: "home.html", vars: map[string]any{
		"user": u, "url": link, "default_server": def, "allow_named_servers": s.o.Traits.Servers.AllowNamed,
		"named_server_limit_per_user": limit, "spawners": u.serverList(true), "invalid_server_names": invalid,
		"auth_state": templateValue(state), "url_path_join": pathJoin, "any_pending": pending,
		"shared_servers": s.sharedServers(r, user),
	}})
}

// pathJoin is url_path_join of templates.
func pathJoin(va *exec.VarArgs) *exec.Value {
	parts := make([]string, len(va.Args))
	for i, v := range va.Args {
		parts[i] = v.String()
	}
	return exec.AsValue(urlpath.Join(parts...))
}

func (s *Site) namedLimit(r *http.Request, user *orm.User) (int, error) {
	if s.o.Traits.Servers.NamedLimit == nil {
		return 0, nil
	}
	return s.o.Traits.Servers.NamedLimit(r.Context(), user)
}

// maxSharedShown bounds the list of servers that others share with a person.
const maxSharedShown = 50

// sharedServers are the servers that others share with a person.
func (s *Site) sharedServers(r *http.Request, user *orm.User) list {
	if s.o.Hub.Shares == nil {
		return nil
	}
	shares, err := s.o.Hub.Shares.SharedWith(r.Context(), user, maxSharedShown)
	if err != nil {
		s.log.ErrorContext(r.Context(), "list shares for the home page", "user", user.Name, "err", err)
		return nil
	}
	shares = notOwn(shares, user.Name)
	var out list
	for i := range shares {
		v := &shares[i].Server
		name := v.UserName
		if label := s.serverVar(v).displayName(); label != "" {
			name += " / " + label
		}
		out = append(out, object{"owner": v.UserName, "name": name, "url": s.o.URLs.ServerURL(v.UserName, v.Name), "ready": v.Ready})
	}
	return out
}

// spawnURL is the page that starts a server.
func (s *Site) spawnURL(user, server string) string { return s.serverPage("spawn", user, server) }

func (s *Site) serverPage(page, user, server string) string {
	target := s.hub + page + "/" + urlpath.Escape(user)
	if server != "" {
		target += "/" + urlpath.Escape(server)
	}
	return target
}

// serverAction takes the forms about servers: create, stop and delete. They come from pages, which the XSRF token proves.
func (s *Site) serverAction(w http.ResponseWriter, r *http.Request) error {
	form, _, err := readForm(r)
	if err != nil {
		return err
	}
	user := pageUser(r)
	if name := form.Get("user"); name != "" && name != user.Name {
		if err := s.may(r, name, form.Get("server"), "delete:servers"); err != nil {
			return err // before looking: whether the user exists is not for everybody
		}
		if user, err = s.o.Hub.Users.Find(r.Context(), name); err != nil {
			return err
		}
	}
	back := s.safeNext(r, form.Get("next"))
	if back == "" {
		back = s.hub + "home"
	}
	if form.Get("action") == "rename" {
		err = s.renameServer(r, user, form)
	} else {
		err = s.actOnServer(r, user, form.Get("action"), form.Get("server"), form.Get("display_name"))
	}
	if err != nil {
		return err
	}
	return redirect(w, http.StatusSeeOther, back)
}

func (s *Site) actOnServer(r *http.Request, user *orm.User, action, server, display string) error {
	ctx, servers := r.Context(), s.o.Hub.Servers
	switch action {
	case "create":
		if display == "" {
			display = server
		}
		if display == "" {
			return &hub.Error{Kind: hub.Invalid, Message: "The new server needs a name"}
		}
		if server == "" {
			server = urlpath.ServerSlug(display)
		}
		if err := s.may(r, user.Name, server, "start:servers"); err != nil {
			return err
		}
		_, err := servers.Create(ctx, user, server, display, nil)
		return err
	case "stop", "delete":
		if err := s.may(r, user.Name, server, "delete:servers"); err != nil {
			return err
		}
		_, err := servers.Stop(ctx, user, server, hub.StopOptions{Remove: action == "delete"})
		return err
	}
	return &hub.Error{Kind: hub.Invalid, Message: "Unknown action " + clip(action), Hint: "use create, rename, stop or delete"}
}

// renameServer changes the name that is shown, the name in addresses, or both. What is left empty stays.
func (s *Site) renameServer(r *http.Request, user *orm.User, form url.Values) error {
	server, name, display := form.Get("server"), strings.TrimSpace(form.Get("name")), strings.TrimSpace(form.Get("display_name"))
	for _, server := range []string{server, name} {
		if err := s.may(r, user.Name, server, "start:servers"); err != nil {
			return err
		}
	}
	v, err := s.o.Hub.Servers.View(r.Context(), user, server)
	if err != nil {
		return err
	}
	var patch hub.ServerPatch
	if name != "" && name != server {
		patch.Name = &name
	}
	if display != "" && display != s.serverVar(v).displayName() {
		patch.DisplayName = &display
	}
	if patch == (hub.ServerPatch{}) {
		return nil
	}
	_, err = s.o.Hub.Servers.Update(r.Context(), user, server, patch)
	return err
}

// may checks that whoever makes the request holds a scope for a server.
func (s *Site) may(r *http.Request, user, server string, scopes ...string) error {
	access := s.o.Hub.Access
	return access.Check(r.Context(), identity(r), access.OnServer(r.Context(), user, server), scopes...)
}
