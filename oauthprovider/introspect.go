package oauthprovider

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/minihub/minihub/hub"
)

// introspection is what a token is good for (RFC 7662 section 2.2); the zero value says nothing but "not active".
type introspection struct {
	Active   bool   `json:"active"`
	Scope    string `json:"scope,omitempty"`
	Client   string `json:"client_id,omitempty"`
	Username string `json:"username,omitempty"`
	Type     string `json:"token_type,omitempty"`
	Expires  int64  `json:"exp,omitempty"` // unix seconds; none for a token without an end
	Issued   int64  `json:"iat,omitempty"`
	Subject  string `json:"sub,omitempty"`
	Issuer   string `json:"iss,omitempty"`
}

// Revoke ends a token (RFC 7009). Clients authenticate as at the token endpoint, and may end the tokens that were issued to
// them. A token that is unknown, or has ended, is no error.
func (p *Provider) Revoke(w http.ResponseWriter, r *http.Request) error {
	form, err := readForm(r)
	if err != nil {
		return p.refuse(w, r, "revoke oauth token", "", err)
	}
	client, name, err := p.clientOf(r, form)
	if err != nil {
		return p.refuse(w, r, "revoke oauth token", name, err)
	}
	if err := p.revoke(r.Context(), client.Identifier, form); err != nil {
		return p.refuse(w, r, "revoke oauth token", name, err)
	}
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	return nil
}

func (p *Provider) revoke(ctx context.Context, client string, form url.Values) error {
	id, err := p.tokenIn(ctx, form)
	if err != nil || id == nil {
		return err
	}
	if owner := clientID(id); owner != client {
		return newError("unauthorized_client", "the token was not issued to this client")
	}
	if err := p.o.Store.DeleteTokens(ctx, []int64{id.Token.ID}); err != nil {
		return err
	}
	p.o.Logger.InfoContext(ctx, "oauth token revoked by its client", "client", client, "user", id.Name())
	return nil
}

// Introspect tells what a token is good for (RFC 7662). Who may ask: the client that the token was issued to, authenticated as at
// the token endpoint; and who holds read:tokens for the token's owner, with a bearer token. To everybody else the token is not active.
func (p *Provider) Introspect(w http.ResponseWriter, r *http.Request) error {
	form, err := readForm(r)
	if err != nil {
		return p.refuse(w, r, "introspect oauth token", "", err)
	}
	mayKnow, name, err := p.asker(r, form)
	if err != nil {
		return p.refuse(w, r, "introspect oauth token", name, err)
	}
	id, err := p.tokenIn(r.Context(), form)
	if err != nil {
		return p.refuse(w, r, "introspect oauth token", name, err)
	}
	var out introspection
	if id != nil {
		known, err := mayKnow(id)
		if err == nil && known {
			out, err = p.describe(r, id)
		}
		if err != nil {
			return p.refuse(w, r, "introspect oauth token", name, err)
		}
	}
	return writeJSON(w, http.StatusOK, out)
}

// asker authenticates who introspects; mayKnow tells for which tokens.
func (p *Provider) asker(r *http.Request, form url.Values) (mayKnow func(*hub.Identity) (bool, error), name string, err error) {
	bearer, ok := bearerToken(r)
	if !ok {
		client, name, err := p.clientOf(r, form)
		return func(id *hub.Identity) (bool, error) { return clientID(id) == client.Identifier, nil }, name, err
	}
	who, err := p.o.Access.ByToken(r.Context(), bearer)
	if err == nil && who == nil {
		err = invalidClient()
	}
	if err != nil {
		return nil, "", err
	}
	return func(id *hub.Identity) (bool, error) {
		target := p.o.Access.OnUser(r.Context(), id.Name())
		if id.Service != nil {
			target = p.o.Access.OnService(id.Name())
		}
		return p.o.Access.Holds(r.Context(), who, target, "read:tokens")
	}, who.Name(), nil
}

// bearerToken reads the Authorization header in both of the spellings that the hub knows.
func bearerToken(r *http.Request) (string, bool) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "bearer") && !strings.EqualFold(scheme, "token") {
		return "", false
	}
	return strings.TrimSpace(token), true
}

// tokenIn returns whose token is in the form, nil when it is not valid. The hint of its type does not matter: there is one type.
func (p *Provider) tokenIn(ctx context.Context, form url.Values) (*hub.Identity, error) {
	text := form.Get("token")
	if text == "" {
		return nil, invalidRequest("token is missing")
	}
	if !clean(text) {
		return nil, nil
	}
	return p.o.Access.ByToken(hub.WithoutActivity(ctx), text) // to be asked about is no sign of life
}

// clientID is the OAuth client that a token was issued to; tokens that the hub made itself are the hub's.
func clientID(id *hub.Identity) string {
	if id.Token == nil || id.Token.ClientID == nil {
		return ""
	}
	return *id.Token.ClientID
}

func (p *Provider) describe(r *http.Request, id *hub.Identity) (introspection, error) {
	out := introspection{Active: true, Scope: strings.Join(id.Expanded, " "), Client: clientID(id), Username: id.Name(), Type: "Bearer", Issuer: p.issuer(r)}
	if t := id.Token.ExpiresAt; t != nil {
		out.Expires = t.Unix()
	}
	if t := id.Token.Created; t != nil {
		out.Issued = t.Unix()
	}
	var err error
	out.Subject, err = p.subjectOf(r.Context(), id)
	return out, err
}
