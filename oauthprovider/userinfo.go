package oauthprovider

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"

	"github.com/minihub/minihub/hub"
)

// UserInfo tells who a bearer token belongs to, with the claim names of OpenID Connect Core section 5.1, so that web
// applications that know nothing of JupyterHub can use the hub as their login. GET /hub/api/user has the whole model.
// Forbidden without a token: a login cookie is no answer to an application's question.
func (p *Provider) UserInfo(w http.ResponseWriter, r *http.Request) error {
	id := p.o.Identity(r)
	if id == nil || id.Token == nil {
		return &hub.Error{Kind: hub.Forbidden, Message: "Missing or invalid credentials.", Hint: "send the access token as 'Authorization: Bearer ...'"}
	}
	sub, err := p.subjectOf(r.Context(), id)
	if err != nil {
		return err
	}
	if id.Service != nil {
		return writeJSON(w, http.StatusOK, map[string]any{"sub": sub, "name": id.Service.Name})
	}
	u := id.User
	// Name and groups need no scope: whoever holds a token may know whose it is (JupyterHub's identify scopes).
	claims := map[string]any{"sub": sub, "name": u.Name, "preferred_username": u.Name, "groups": append([]string{}, id.Groups...)}
	for _, key := range []string{"email", "email_verified", "picture", "given_name", "family_name", "locale", "zoneinfo"} {
		if v, ok := u.UserInfo[key]; ok {
			claims[key] = v
		}
	}
	if v, ok := u.UserInfo["display_name"].(string); ok && v != "" {
		claims["name"] = v
	}
	return writeJSON(w, http.StatusOK, claims)
}

// subjectOf is the claim "sub" of a user or service.
func (p *Provider) subjectOf(ctx context.Context, id *hub.Identity) (string, error) {
	if id.Service != nil {
		return "service:" + id.Service.Name, nil
	}
	hubID, err := p.o.Store.HubID(ctx)
	if err != nil {
		return "", err
	}
	return subject(hubID, id), nil
}

// subject identifies a user for ever: it stays when the user is renamed, and a later user of the same name gets another one.
func subject(hubID string, id *hub.Identity) string {
	created := int64(0)
	if id.User.Created != nil {
		created = id.User.Created.UnixMicro()
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s|%d|%d", hubID, id.User.ID, created))
	return base64.RawURLEncoding.EncodeToString(sum[:18])
}
