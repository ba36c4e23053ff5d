package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/minihub/minihub/auth"
	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/internal/httpmw"
)

func (a *API) listTokens(w http.ResponseWriter, r *http.Request) error {
	tokens, err := a.o.Hub.Tokens.List(r.Context(), httpmw.Param(r, "user"))
	if err != nil {
		return err
	}
	items := make([]object, len(tokens))
	for i := range tokens {
		items[i] = a.tokenModel(&tokens[i])
	}
	return httpmw.WriteJSON(w, http.StatusOK, object{"api_tokens": items})
}

func (a *API) getToken(w http.ResponseWriter, r *http.Request) error {
	t, err := a.o.Hub.Tokens.Get(r.Context(), httpmw.Param(r, "user"), httpmw.Param(r, "token_id"))
	if err != nil {
		return err
	}
	return httpmw.WriteJSON(w, http.StatusOK, a.tokenModel(t))
}

func (a *API) revokeToken(w http.ResponseWriter, r *http.Request) error {
	if err := a.o.Hub.Tokens.Revoke(r.Context(), httpmw.Param(r, "user"), httpmw.Param(r, "token_id")); err != nil {
		return err
	}
	return empty(w, http.StatusNoContent)
}

// createToken makes a token for a user. Without a credential on the request, "auth" in the body is a login, which needs no XSRF
// token because nothing the browser sends by itself takes part.
func (a *API) createToken(w http.ResponseWriter, r *http.Request) error {
	body, err := httpmw.ReadObject(r)
	if err != nil {
		return err
	}
	id, name := httpmw.Identity(r), httpmw.Param(r, "user")
	if id == nil {
		var form map[string]json.RawMessage
		if _, err := httpmw.Field(body, "auth", &form); err != nil {
			return err
		}
		if id, err = a.loginByBody(r, form); err != nil {
			return err
		}
	} else if err := a.o.Requests.CheckXSRF(r); err != nil {
		return err
	}
	if err := a.mayMakeTokens(r, id, name); err != nil {
		return err
	}
	wanted, err := newTokenOf(body) // last: what is wrong with it is for those who may have a token
	if err != nil {
		return err
	}
	t, secret, err := a.o.Hub.Tokens.Create(r.Context(), id, name, wanted)
	if err != nil {
		return err
	}
	m := a.tokenModel(t)
	m["token"] = secret
	w.Header().Set("Cache-Control", "no-store")
	return httpmw.WriteJSON(w, http.StatusCreated, m)
}

// mayMakeTokens answers 403 whatever is missing, the scope, the target or the user: JupyterHub does not tell them apart here.
func (a *API) mayMakeTokens(r *http.Request, id *hub.Identity, user string) error {
	err := a.o.Hub.Access.Check(r.Context(), id, a.o.Hub.Access.OnUser(r.Context(), user), "tokens")
	if err == nil {
		_, err = a.o.Hub.Users.Find(r.Context(), user)
	}
	var e *hub.Error
	if !errors.As(err, &e) || e.Kind != hub.NotFound && e.Kind != hub.Forbidden {
		return err
	}
	return &hub.Error{Kind: hub.Forbidden, Message: "User " + auth.ShortName(user) + " does not exist, or tokens may not be made for them", Hint: e.Hint}
}

// newTokenOf reads what the body of POST /users/{user}/tokens says about the new token; of "auth", a login's data, only the type counts.
func newTokenOf(body map[string]json.RawMessage) (n hub.NewToken, err error) {
	var form map[string]json.RawMessage
	for field, to := range map[string]any{"note": &n.Note, "scopes": &n.Scopes, "roles": &n.Roles, "auth": &form} {
		if _, err := httpmw.Field(body, field, to); err != nil {
			return n, err
		}
	}
	raw, ok := body["expires_in"]
	if !ok || string(raw) == "null" {
		return n, nil
	}
	var seconds int64
	if err := json.Unmarshal(raw, &seconds); err != nil || seconds < 1 || seconds > maxSeconds {
		return n, &hub.Error{Kind: hub.Invalid, Message: "expires_in must be a positive integer number of seconds, or null", Hint: "field expires_in"}
	}
	d := time.Duration(seconds) * time.Second
	n.ExpiresIn = &d
	return n, nil
}

// maxSeconds is the longest expiry that fits a time.Duration, in seconds.
const maxSeconds = int64(1<<63-1) / int64(time.Second)

// loginByBody authenticates with the data of the body's "auth". It logs nobody in, and makes no user: the owner has to exist. Whatever
// goes wrong with the credentials is a 403 that does not say what.
func (a *API) loginByBody(r *http.Request, data map[string]json.RawMessage) (*hub.Identity, error) {
	if len(data) == 0 {
		return nil, &hub.Error{Kind: hub.Forbidden, Hint: needCredentials}
	}
	req := auth.Request{RemoteIP: httpmw.RemoteIP(r), Header: r.Header, Form: map[string][]string{}}
	for k, raw := range data {
		var text string
		if json.Unmarshal(raw, &text) != nil {
			text = string(raw)
		}
		req.Form[k] = []string{text}
		switch k {
		case "username":
			req.Username = strings.TrimSpace(text)
		case "password":
			req.Password = text
		case "otp":
			req.OTP = text
		}
	}
	model, err := a.o.Hub.Logins.Authenticate(r.Context(), req)
	if hub.KindOf(err) == hub.Forbidden {
		return nil, &hub.Error{Kind: hub.Forbidden}
	}
	if err != nil {
		return nil, err
	}
	u, err := a.o.Hub.Users.Find(r.Context(), model.Name)
	if hub.KindOf(err) == hub.NotFound {
		return nil, &hub.Error{Kind: hub.Forbidden}
	}
	if err != nil {
		return nil, err
	}
	return a.o.Hub.Access.OfUser(r.Context(), u.ID)
}

const needCredentials = "send an API token as 'Authorization: token ...', or the authenticator's form data as \"auth\" in the body"
