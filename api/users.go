package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/internal/httpmw"
	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/rbac"
)

// currentUser answers GET /user: who the credential belongs to. It may always read its own name and groups.
func (a *API) currentUser(w http.ResponseWriter, r *http.Request) error {
	id := httpmw.Identity(r)
	var own *hub.UserView
	var key string
	if id.User != nil {
		var err error
		if own, err = a.o.Hub.Users.OwnView(r.Context(), id); err != nil {
			return err
		}
		key = liveKey(own.Servers)
	}
	plain := r.URL.RawQuery == ""
	if known := id.Answer(); plain && known != nil && known.Key == key {
		return httpmw.WriteEncoded(w, http.StatusOK, known.Body)
	}
	body, err := a.selfModel(r, id, own)
	if err != nil {
		return err
	}
	if plain {
		id.SetAnswer(&hub.Answer{Key: key, Body: body})
	}
	return httpmw.WriteEncoded(w, http.StatusOK, body)
}

// liveKey is what a model shows of the live state of servers; all else comes from the database.
func liveKey(servers []hub.ServerView) string {
	var room [64]byte
	key := room[:0]
	for i := range servers {
		s := &servers[i]
		c := byte('-')
		switch {
		case s.Ready:
			c = 'r'
		case s.Active:
			c = 'a'
		}
		key = append(append(key, c), s.Pending...)
	}
	return string(key)
}

func (a *API) selfModel(r *http.Request, id *hub.Identity, own *hub.UserView) ([]byte, error) {
	var token, session any
	if id.Token != nil {
		token, session = tokenID(id.Token.ID), id.Token.SessionID
	}
	if own == nil {
		m, err := a.serviceSelf(r.Context(), id.IdentifyScopes(), id.Service)
		if err != nil {
			return nil, err
		}
		m["token_id"], m["session_id"], m["scopes"] = token, session, list(id.Expanded)
		return httpmw.EncodeJSON(m)
	}
	o, authState := a.userModel(id.IdentifyScopes(), own, includeStopped(r))
	if authState {
		o.null("auth_state")
	}
	o.any("token_id", token)
	o.any("session_id", session)
	o.texts("scopes", id.Expanded)
	return o.end()
}

func (a *API) userSelf(r *http.Request, scopes rbac.Scopes, u *orm.User) ([]byte, error) {
	v, err := a.o.Hub.Users.View(r.Context(), u)
	if err != nil {
		return nil, err
	}
	o, authState := a.userModel(scopes, v, includeStopped(r))
	if authState {
		o.null("auth_state")
	}
	return o.end()
}

func (a *API) listUsers(w http.ResponseWriter, r *http.Request) error {
	q, p, err := a.userQuery(r)
	if err != nil {
		return err
	}
	id := httpmw.Identity(r)
	result, err := a.o.Hub.Users.List(r.Context(), q)
	if err != nil {
		return err
	}
	items, models := make([]byte, 0, 512*(len(result.Users)+1)), a.userModels(id.Scopes, includeStopped(r))
	for i := range result.Users {
		u := &result.Users[i]
		if q.State == "ready" && !slices.ContainsFunc(u.Servers, func(s hub.ServerView) bool { return s.Ready }) {
			continue
		}
		if items, err = models.appendItem(items, u, false); err != nil {
			return err
		}
	}
	if p.offset = result.Offset; q.Sort == "id" {
		p.last = result.Last
	}
	return p.write(w, r, a.scheme(r), items, result.Total)
}

func (a *API) userQuery(r *http.Request) (orm.UserQuery, page, error) {
	q := orm.UserQuery{Sort: "id"}
	q.State, _ = argument(r, "state")
	q.NameFilter, _ = argument(r, "name_filter")
	sort, sorted := argument(r, "sort")
	if sorted {
		q.Sort, q.Desc = strings.CutPrefix(sort, "-")
	}
	if !slices.Contains([]string{"id", "name", "last_activity"}, q.Sort) {
		return q, page{}, invalid("sort must be 'id', 'name', or 'last_activity', not '%s'", sort)
	}
	if !slices.Contains([]string{"", "active", "ready", "inactive"}, q.State) {
		return q, page{}, invalid("Unrecognized state filter: '%s'", q.State)
	}
	p, err := a.paging(r)
	if err != nil {
		return q, p, err
	}
	q.Offset, q.Limit = p.offset, p.limit
	if q.After, err = after(r); err != nil {
		return q, p, err
	}
	if q.State != "" {
		q.ActiveSpawners = a.o.Hub.Servers.PendingIDs()
	}
	f, _ := httpmw.Identity(r).Scopes.ListFilter("list:users", rbac.KindUser, rbac.KindGroup)
	if !f.All {
		q.OnlyUsers, q.OnlyGroups = keysOf(f.Users), keysOf(f.Groups)
	}
	return q, p, nil
}

// keysOf returns a set as a sorted list, never nil: a nil list would mean no limit.
func keysOf(set map[string]struct{}) []string {
	out := make([]string, 0, len(set))
	for k := range set {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

func (a *API) getUser(w http.ResponseWriter, r *http.Request) error {
	u, err := a.o.Hub.Users.Get(r.Context(), httpmw.Param(r, "user"))
	if err != nil {
		return bare(err)
	}
	return a.writeUser(w, r, u, includeStopped(r))
}

// userBody is what POST and PATCH of a user accept.
type userBody struct {
	hub.UserPatch
	absent bool // there was no body
}

var userKeys = []string{"name", "admin", "groups", "roles", "auth_state"}

// readUserBody reads a user model. groups and roles are known keys that cannot be set here: each has its own endpoint or configuration.
func readUserBody(r *http.Request) (userBody, error) {
	var b userBody
	m, err := httpmw.ReadObject(r)
	if err != nil {
		return b, err
	}
	b.absent = m == nil
	if err := knownKeys(m, userKeys...); err != nil {
		return b, err
	}
	for key, way := range map[string]string{"groups": "use POST /groups/{group}/users", "roles": "roles are given in load_roles or by the authenticator"} {
		if _, ok := m[key]; ok {
			return b, &hub.Error{Kind: hub.Invalid, Message: key + " cannot be set here", Hint: way}
		}
	}
	if _, err := httpmw.Field(m, "name", &b.Name); err != nil {
		return b, err
	}
	if _, err := httpmw.Field(m, "admin", &b.Admin); err != nil {
		return b, err
	}
	state, ok, err := httpmw.Object(m, "auth_state")
	if err != nil {
		return b, err
	}
	if ok {
		var v any
		if state != nil {
			v = state
		}
		b.AuthState = &v
	}
	return b, nil
}

func knownKeys(m map[string]json.RawMessage, known ...string) error {
	var unknown []string
	for k := range m {
		if !slices.Contains(known, k) {
			unknown = append(unknown, strconv.Quote(shorten(k)))
		}
	}
	if unknown == nil {
		return nil
	}
	slices.Sort(unknown)
	return &hub.Error{Kind: hub.Invalid, Message: "Invalid JSON keys: " + strings.Join(unknown[:min(len(unknown), 5)], ", "), Hint: "known are " + strings.Join(known, ", ")}
}

func invalid(format string, args ...any) *hub.Error {
	return &hub.Error{Kind: hub.Invalid, Message: fmt.Sprintf(format, args...)}
}

func (a *API) createUsers(w http.ResponseWriter, r *http.Request) error {
	var names []string
	m, err := httpmw.ReadObject(r)
	if err != nil {
		return err
	}
	if _, err := httpmw.Field(m, "usernames", &names); err != nil {
		return err
	}
	var admin bool
	if _, err := httpmw.Field(m, "admin", &admin); err != nil {
		return err
	}
	if len(names) == 0 {
		return &hub.Error{Kind: hub.Invalid, Message: "Must specify at least one user to create", Hint: `send {"usernames": ["..."]}`}
	}
	if err := knownKeys(m, append([]string{"usernames"}, userKeys...)...); err != nil {
		return err
	}
	id := httpmw.Identity(r)
	created, err := a.o.Hub.Users.Create(r.Context(), id, names, admin)
	if err != nil {
		return err
	}
	items, models := []byte{}, a.userModels(id.Scopes, false)
	for i := range created {
		if items, err = models.appendItem(items, &created[i], true); err != nil {
			return err
		}
	}
	return httpmw.WriteEncoded(w, http.StatusCreated, append(append([]byte{'['}, items...), ']'))
}

func (a *API) createUser(w http.ResponseWriter, r *http.Request) error {
	b, err := readUserBody(r)
	if err != nil {
		return err
	}
	id := httpmw.Identity(r)
	u, err := a.o.Hub.Users.CreateOne(r.Context(), id, httpmw.Param(r, "user"), b.UserPatch)
	if err != nil {
		return err
	}
	body, err := a.encodedUser(id.Scopes, u, false)
	if err != nil {
		return err
	}
	return httpmw.WriteEncoded(w, http.StatusCreated, body)
}

func (a *API) updateUser(w http.ResponseWriter, r *http.Request) error {
	b, err := readUserBody(r)
	if err != nil {
		return err
	}
	if b.absent {
		return &hub.Error{Kind: hub.Invalid, Message: "The request has no body", Hint: "send a JSON object with name, admin or auth_state"}
	}
	id := httpmw.Identity(r)
	u, err := a.o.Hub.Users.Update(r.Context(), id, httpmw.Param(r, "user"), b.UserPatch)
	if err != nil {
		return bare(err)
	}
	return a.writeUser(w, r, u, false)
}

// writeUser answers with a user, auth_state included when it may be shown.
func (a *API) writeUser(w http.ResponseWriter, r *http.Request, u *hub.UserView, stopped bool) error {
	o, authState := a.userModel(httpmw.Identity(r).Scopes, u, stopped)
	if authState {
		state, err := a.o.Hub.Logins.AuthState(r.Context(), &u.User)
		if err != nil {
			return err
		}
		o.any("auth_state", state)
	}
	body, err := o.end()
	if err != nil {
		return err
	}
	return httpmw.WriteEncoded(w, http.StatusOK, body)
}

func (a *API) deleteUser(w http.ResponseWriter, r *http.Request) error {
	if err := a.o.Hub.Users.Delete(r.Context(), httpmw.Identity(r), httpmw.Param(r, "user")); err != nil {
		return bare(err)
	}
	return empty(w, http.StatusNoContent)
}

// adminAccess answers the deprecated POST /users/{user}/admin-access, which does nothing since servers use OAuth.
func (a *API) adminAccess(w http.ResponseWriter, r *http.Request) error {
	if !a.o.Info.AdminAccess {
		return &hub.Error{Kind: hub.Forbidden, Message: "admin access to user servers disabled", Hint: "nothing needs it: servers check access:servers"}
	}
	if _, err := a.o.Hub.Users.Find(r.Context(), httpmw.Param(r, "user")); err != nil {
		return bare(err)
	}
	return empty(w, http.StatusOK)
}

// empty answers with a status alone, in the form JupyterHub gives it.
func empty(w http.ResponseWriter, status int) error {
	if status != http.StatusNoContent {
		w.Header().Set("Content-Type", "application/json")
	}
	w.WriteHeader(status)
	return nil
}
