package api

import (
	"encoding/json"
	"net/http"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/internal/httpmw"
	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/rbac"
)

func (a *API) listGroups(w http.ResponseWriter, r *http.Request) error {
	p, err := a.paging(r)
	if err != nil {
		return err
	}
	id := httpmw.Identity(r)
	q := orm.GroupQuery{Offset: p.offset, Limit: p.limit}
	if f, _ := id.Scopes.ListFilter("list:groups", rbac.KindGroup); !f.All {
		q.Only = keysOf(f.Groups)
	}
	groups, total, err := a.o.Hub.Groups.List(r.Context(), q)
	if err != nil {
		return err
	}
	items := make([]object, 0, len(groups))
	for i := range groups {
		if m := a.groupModel(id.Scopes, &groups[i]); len(m) > 0 {
			items = append(items, m)
		}
	}
	return httpmw.WriteJSON(w, http.StatusOK, p.answer(r, a.scheme(r), items, total))
}

func (a *API) createGroups(w http.ResponseWriter, r *http.Request) error {
	m, err := httpmw.ReadObject(r)
	if err != nil {
		return err
	}
	if err := knownKeys(m, "groups", "users", "name", "roles"); err != nil {
		return err
	}
	names, err := groupNames(m)
	if err != nil {
		return err
	}
	var users []string
	if _, err := httpmw.Field(m, "users", &users); err != nil {
		return err
	}
	if len(names) == 0 {
		return &hub.Error{Kind: hub.Invalid, Message: "Must specify at least one group to create", Hint: `send {"groups": ["..."]}`}
	}
	groups, err := a.o.Hub.Groups.Create(r.Context(), names, users)
	if err != nil {
		return err
	}
	items := make([]object, len(groups))
	for i := range groups {
		items[i] = a.groupModel(httpmw.Identity(r).Scopes, &groups[i])
	}
	return httpmw.WriteJSON(w, http.StatusCreated, items)
}

func (a *API) writeGroup(w http.ResponseWriter, r *http.Request, status int, g *hub.GroupView, err error) error {
	if err != nil {
		return err
	}
	return httpmw.WriteJSON(w, status, a.groupModel(httpmw.Identity(r).Scopes, g))
}

func (a *API) getGroup(w http.ResponseWriter, r *http.Request) error {
	g, err := a.o.Hub.Groups.Get(r.Context(), httpmw.Param(r, "group"))
	return a.writeGroup(w, r, http.StatusOK, g, err)
}

func (a *API) createGroup(w http.ResponseWriter, r *http.Request) error {
	m, err := httpmw.ReadObject(r)
	if err != nil {
		return err
	}
	if err := knownKeys(m, "name", "users", "roles"); err != nil {
		return err
	}
	var users []string
	if _, err := httpmw.Field(m, "users", &users); err != nil {
		return err
	}
	g, err := a.o.Hub.Groups.CreateOne(r.Context(), httpmw.Param(r, "group"), users)
	return a.writeGroup(w, r, http.StatusCreated, g, err)
}

func (a *API) deleteGroup(w http.ResponseWriter, r *http.Request) error {
	if err := a.o.Hub.Groups.Delete(r.Context(), httpmw.Param(r, "group")); err != nil {
		return err
	}
	return empty(w, http.StatusNoContent)
}

func readMembers(r *http.Request) ([]string, error) {
	m, err := httpmw.ReadObject(r)
	if err != nil {
		return nil, err
	}
	var users []string
	if ok, err := httpmw.Field(m, "users", &users); err != nil || !ok {
		if err == nil {
			err = &hub.Error{Kind: hub.Invalid, Message: "Must specify users", Hint: `send {"users": ["..."]}`}
		}
		return nil, err
	}
	return users, knownKeys(m, "name", "users", "roles")
}

func (a *API) addGroupUsers(w http.ResponseWriter, r *http.Request) error {
	users, err := readMembers(r)
	if err != nil {
		return err
	}
	g, err := a.o.Hub.Groups.AddUsers(r.Context(), httpmw.Param(r, "group"), users)
	return a.writeGroup(w, r, http.StatusOK, g, err)
}

func (a *API) removeGroupUsers(w http.ResponseWriter, r *http.Request) error {
	users, err := readMembers(r)
	if err != nil {
		return err
	}
	g, err := a.o.Hub.Groups.RemoveUsers(r.Context(), httpmw.Param(r, "group"), users)
	return a.writeGroup(w, r, http.StatusOK, g, err)
}

func (a *API) setGroupProperties(w http.ResponseWriter, r *http.Request) error {
	var raw json.RawMessage
	if _, err := httpmw.ReadJSON(r, &raw); err != nil {
		return err
	}
	if raw == nil {
		raw = json.RawMessage("null")
	}
	props, _, err := httpmw.Object(map[string]json.RawMessage{"properties": raw}, "properties")
	if err != nil {
		return err
	}
	if props == nil {
		return invalid("properties must be a JSON object: send it as the body")
	}
	g, err := a.o.Hub.Groups.SetProperties(r.Context(), httpmw.Param(r, "group"), props)
	return a.writeGroup(w, r, http.StatusOK, g, err)
}
