package oauthprovider

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/orm"
)

// request is a checked authorization request.
type request struct {
	client      *orm.OAuthClient
	target      target
	redirectURI string
	redirectArg string // as sent; "" when omitted
	state       string
	hasState    bool
	challenge   string
	method      oauth2.CodeChallengeMethod
	scopes      []string // raw, as the client may have them
}

// parse checks the request. An *oauthError comes with the request, because it is sent to the client.
func (p *Provider) parse(r *http.Request, id *hub.Identity) (*request, error) {
	q, err := query(r.URL.RawQuery)
	if err != nil {
		return nil, bad("The address cannot be read: "+err.Error(), "")
	}
	req, err := p.parseClient(r.Context(), q)
	if err != nil {
		return nil, err
	}
	return req, p.parseRest(r.Context(), q, req, id)
}

// query reads a query whose only separator is "&". net/url would drop a parameter with a semicolon without a word, and a state
// must come back as it was sent.
func query(raw string) (url.Values, error) {
	return url.ParseQuery(strings.ReplaceAll(raw, ";", "%3B"))
}

// repeated returns the first of the parameters that is there more than once (RFC 6749 sections 3.1 and 3.2), "" when none is.
func repeated(v url.Values, names ...string) string {
	for _, name := range names {
		if len(v[name]) > 1 {
			return name
		}
	}
	return ""
}

// parseClient checks client and redirect URI, and what the client belongs to. Its errors are shown here and never redirected (RFC 6749 section 4.1.2.1).
func (p *Provider) parseClient(ctx context.Context, q url.Values) (*request, error) {
	if name := repeated(q, "client_id", "redirect_uri"); name != "" {
		return nil, bad(name+" is given more than once", "")
	}
	id := q.Get("client_id")
	if id == "" {
		return nil, bad("client_id is missing", "")
	}
	client, err := p.client(ctx, id)
	if err != nil {
		return nil, err
	}
	if client == nil || client.Secret == "" || client.RedirectURI == "" {
		return nil, bad("Invalid client_id: there is no such OAuth client",
			"a server's client exists while the server runs; a service needs url or oauth_redirect_uri in its definition, and api_token")
	}
	req := &request{client: client, redirectURI: client.RedirectURI, redirectArg: q.Get("redirect_uri")}
	if req.redirectArg != "" && req.redirectArg != client.RedirectURI {
		return nil, bad("Mismatching redirect URI", "it must be exactly the one that the client registered (oauth_redirect_uri)")
	}
	if req.target, err = p.targetOf(ctx, id); err != nil {
		return nil, err
	}
	if req.target == (target{}) {
		return nil, bad("OAuth configuration error: the client belongs to no server and no service", "it may be left over from one that was deleted")
	}
	return req, nil
}

// client returns a client, nil when there is none.
func (p *Provider) client(ctx context.Context, id string) (*orm.OAuthClient, error) {
	if !clean(id) {
		return nil, nil
	}
	client, err := p.o.Store.OAuthClient(ctx, id)
	if errors.Is(err, orm.ErrNotFound) {
		return nil, nil
	}
	return client, err
}

// clean tells whether a text can be a name. Some databases refuse others, which would look like an error of ours.
func clean(s string) bool {
	return len(s) <= 1024 && utf8.ValidString(s) && !strings.ContainsFunc(s, func(c rune) bool { return c < 0x20 || c == 0x7f })
}

func bad(message, hint string) error {
	return &hub.Error{Kind: hub.Invalid, Message: message, Hint: hint}
}

// parseRest checks what is left; its *oauthError are sent back to the client.
func (p *Provider) parseRest(ctx context.Context, q url.Values, req *request, id *hub.Identity) error {
	req.state, req.hasState = q.Get("state"), q.Has("state")
	if name := repeated(q, "response_type", "scope", "state", "code_challenge", "code_challenge_method"); name != "" {
		return invalidRequest(name + " is given more than once")
	}
	switch q.Get("response_type") {
	case "code":
	case "":
		return invalidRequest("response_type is missing, it must be code")
	default:
		return newError("unsupported_response_type", "response_type must be code")
	}
	if err := p.parsePKCE(q, req); err != nil {
		return err
	}
	var err error
	req.scopes, err = p.requestedScopes(ctx, strings.Fields(q.Get("scope")), req, id)
	return err
}

// parsePKCE reads the code challenge (RFC 7636 section 4.3).
func (p *Provider) parsePKCE(q url.Values, req *request) error {
	req.challenge = q.Get("code_challenge")
	method := q.Get("code_challenge_method")
	if req.challenge == "" {
		if p.o.RequirePKCE {
			return invalidRequest("Code challenge required.")
		}
		if method != "" {
			return invalidRequest("code_challenge_method without code_challenge")
		}
		return nil
	}
	switch method {
	case "", "plain":
		req.method = oauth2.CodeChallengePlain
	case "S256":
		req.method = oauth2.CodeChallengeS256
	default:
		return invalidRequest("code_challenge_method must be S256 or plain")
	}
	if !validVerifier(req.challenge) {
		return invalidRequest("code_challenge must have 43 to 128 characters of A-Z a-z 0-9 - . _ ~")
	}
	return nil
}

// validVerifier checks the form of code verifiers and challenges (RFC 7636 sections 4.1 and 4.2).
func validVerifier(s string) bool {
	if len(s) < 43 || len(s) > 128 {
		return false
	}
	for _, c := range s {
		switch {
		case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9', strings.ContainsRune("-._~", c):
		default:
			return false
		}
	}
	return true
}
