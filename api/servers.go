package api

import (
	"encoding/json"
	"net/http"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/internal/httpmw"
	"github.com/minihub/minihub/orm"
)

// serverBody is the body of POST and PUT: the form {display_name, user_options}, or, when neither key is there, user_options itself.
type serverBody struct {
	display *string
	options map[string]any
	given   bool // options were sent
}

func readServerBody(r *http.Request) (serverBody, error) {
	var b serverBody
	m, err := httpmw.ReadObject(r)
	if err != nil || len(m) == 0 {
		return b, err
	}
	_, hasName := m["display_name"]
	_, hasOptions := m["user_options"]
	if !hasName && !hasOptions {
		b.given = true
		whole, err := json.Marshal(m)
		if err != nil {
			return b, err
		}
		b.options, _, err = httpmw.Object(map[string]json.RawMessage{"body": whole}, "body")
		return b, err
	}
	if hasName {
		if _, err := httpmw.Field(m, "display_name", &b.display); err != nil {
			return b, err
		}
		if b.display == nil {
			return b, invalid("display_name must be a string, not null")
		}
	}
	b.options, _, err = httpmw.Object(m, "user_options")
	b.given = b.options != nil
	return b, err
}

// target finds the user and server that the path names.
func (a *API) target(r *http.Request) (*orm.User, string, error) {
	u, err := a.o.Hub.Users.Find(r.Context(), httpmw.Param(r, "user"))
	return u, httpmw.Param(r, "server"), bare(err)
}

func (a *API) writeServer(w http.ResponseWriter, r *http.Request, status int, v *hub.ServerView) error {
	groups := a.o.Hub.Access.OnUser(r.Context(), v.UserName).GroupsOf
	body, err := a.serverModel(nil, httpmw.Identity(r).Scopes, v, groups)
	if err != nil {
		return err
	}
	return httpmw.WriteEncoded(w, status, body)
}

func (a *API) getServer(w http.ResponseWriter, r *http.Request) error {
	u, name, err := a.target(r)
	if err != nil {
		return err
	}
	v, err := a.o.Hub.Servers.View(r.Context(), u, name)
	if err != nil {
		return bare(err)
	}
	return a.writeServer(w, r, http.StatusOK, v)
}

func (a *API) createServer(w http.ResponseWriter, r *http.Request) error {
	u, name, err := a.target(r)
	if err != nil {
		return err
	}
	b, err := readServerBody(r)
	if err != nil {
		return err
	}
	display := ""
	if b.display != nil {
		display = *b.display
	}
	v, err := a.o.Hub.Servers.Create(r.Context(), u, name, display, b.options)
	if err != nil {
		return err
	}
	return a.writeServer(w, r, http.StatusCreated, v)
}

func (a *API) startServer(w http.ResponseWriter, r *http.Request) error {
	u, name, err := a.target(r)
	if err != nil {
		return err
	}
	b, err := readServerBody(r)
	if err != nil {
		return err
	}
	state, err := a.o.Hub.Servers.Start(r.Context(), u, name, hub.StartOptions{
		UserOptions: b.options, KeepOptions: !b.given, DisplayName: b.display, HandlerArgs: r.URL.Query()})
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/plain")
	if state == hub.Starting {
		w.WriteHeader(http.StatusAccepted)
	} else {
		w.WriteHeader(http.StatusCreated)
	}
	return nil
}

func (a *API) updateServer(w http.ResponseWriter, r *http.Request) error {
	u, name, err := a.target(r)
	if err != nil {
		return err
	}
	m, err := httpmw.ReadObject(r)
	if err != nil {
		return err
	}
	if len(m) == 0 {
		return invalid("Must specify at least one field to modify: name, display_name or user_options")
	}
	if err := knownKeys(m, "name", "display_name", "user_options"); err != nil {
		return err
	}
	var p hub.ServerPatch
	if _, err := httpmw.Field(m, "name", &p.Name); err != nil {
		return err
	}
	if _, err := httpmw.Field(m, "display_name", &p.DisplayName); err != nil {
		return err
	}
	o, ok, err := httpmw.Object(m, "user_options")
	if err != nil {
		return err
	}
	if ok {
		if o == nil {
			return invalid("user_options must be a JSON object, not null")
		}
		p.UserOptions = &o
	}
	v, err := a.o.Hub.Servers.Update(r.Context(), u, name, p)
	if err != nil {
		return err
	}
	return a.writeServer(w, r, http.StatusOK, v)
}

func (a *API) stopServer(w http.ResponseWriter, r *http.Request) error {
	u, name, err := a.target(r)
	if err != nil {
		return err
	}
	m, err := httpmw.ReadObject(r)
	if err != nil {
		return err
	}
	var remove bool
	if _, err := httpmw.Field(m, "remove", &remove); err != nil {
		return err
	}
	done, err := a.o.Hub.Servers.Stop(r.Context(), u, name, hub.StopOptions{Remove: remove})
	if err != nil {
		return err
	}
	if !done {
		return empty(w, http.StatusAccepted)
	}
	return empty(w, http.StatusNoContent)
}
