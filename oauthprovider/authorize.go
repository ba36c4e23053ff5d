package oauthprovider

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/go-oauth2/oauth2/v4"
	"github.com/go-oauth2/oauth2/v4/server"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/internal/httpmw"
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

// Authorize is the authorization endpoint (RFC 6749 section 3.1) for a browser that is logged in: GET shows the consent
// page or redirects back at once, POST is the consent form.
func (p *Provider) Authorize(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Referrer-Policy", "no-referrer") // codes must not leak by Referer (RFC 9700 section 4.2.4)
	w.Header().Set("Cache-Control", "no-store")
	id := httpmw.Identity(r)
	req, err := p.parseClient(r)
	if err != nil {
		return err
	}
	if err := p.parseRest(r, req, id); err != nil {
		var oe *oauthError
		if errors.As(err, &oe) {
			p.o.Logger.WarnContext(r.Context(), "oauth request refused: "+oe.Description, "client", req.client.Identifier, "user", id.Name())
			return redirectBack(w, req, url.Values{"error": {oe.Code}, "error_description": {oe.Description}})
		}
		return err
	}
	if err := p.checkTarget(r, id, req); err != nil {
		return err
	}
	granted, err := p.grant(r.Context(), id, req)
	if err != nil {
		return err
	}
	if r.Method == http.MethodPost {
		return p.complete(w, r, id, req, agreed(r, granted))
	}
	ask, err := p.mustAsk(r.Context(), id, req, granted)
	if err != nil {
		return err
	}
	if ask {
		return p.o.Consent.Render(w, r, p.consent(id, req, granted))
	}
	return p.complete(w, r, id, req, granted)
}

// parseClient checks client and redirect URI. Its errors are shown here and never redirected (RFC 6749 section 4.1.2.1).
func (p *Provider) parseClient(r *http.Request) (*request, error) {
	q := r.URL.Query()
	for _, key := range []string{"client_id", "redirect_uri"} {
		if len(q[key]) > 1 {
			return nil, bad(key+" is given more than once", "")
		}
	}
	id := q.Get("client_id")
	if id == "" {
		return nil, bad("client_id is missing", "")
	}
	client, err := p.o.Store.OAuthClient(r.Context(), id)
	if errors.Is(err, orm.ErrNotFound) || err == nil && (client.Secret == "" || client.RedirectURI == "") {
		return nil, bad("Invalid client_id: there is no such OAuth client",
			"a server's client exists while the server runs; a service needs url or oauth_redirect_uri in its definition")
	}
	if err != nil {
		return nil, err
	}
	req := &request{client: client, redirectURI: client.RedirectURI, redirectArg: q.Get("redirect_uri")}
	if req.redirectArg != "" && req.redirectArg != client.RedirectURI {
		return nil, bad("Mismatching redirect URI", "it must be exactly the one that the client registered (oauth_redirect_uri)")
	}
	return req, nil
}

func bad(message, hint string) error {
	return &hub.Error{Kind: hub.Invalid, Message: message, Hint: hint}
}

// parseRest checks what is left; its *oauthError are sent back to the client.
func (p *Provider) parseRest(r *http.Request, req *request, id *hub.Identity) error {
	q := r.URL.Query()
	req.state, req.hasState = q.Get("state"), q.Has("state")
	for key, values := range q {
		if len(values) > 1 && key != "scopes" {
			return invalidRequest(key + " is given more than once")
		}
	}
	switch q.Get("response_type") {
	case "code":
	case "":
		return invalidRequest("response_type is missing, it must be code")
	default:
		return &oauthError{Code: "unsupported_response_type", Description: "response_type must be code"}
	}
	if err := p.parsePKCE(q, req); err != nil {
		return err
	}
	var err error
	if req.target, err = p.targetOf(r.Context(), req.client.Identifier); err != nil && !errors.Is(err, orm.ErrNotFound) {
		return err
	}
	req.scopes, err = p.requestedScopes(r.Context(), strings.Fields(q.Get("scope")), req, id)
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

// checkTarget refuses users who may not use what the client belongs to.
func (p *Provider) checkTarget(r *http.Request, id *hub.Identity, req *request) error {
	access, t := p.o.Access, req.target
	var err error
	switch {
	case t.service != "":
		err = access.Check(r.Context(), id, access.OnService(t.service), "access:services")
	case t.user != "":
		err = access.Check(r.Context(), id, access.OnServer(r.Context(), t.user, t.server), "access:servers")
	default:
		return bad("OAuth configuration error: the client belongs to no server and no service", "it may be left over from one that was deleted")
	}
	var e *hub.Error
	if errors.As(err, &e) {
		return &hub.Error{Kind: hub.Forbidden, Message: "You do not have permission to access " + req.client.Description, Hint: e.Hint}
	}
	return err
}

// complete issues the code and sends the browser back.
func (p *Provider) complete(w http.ResponseWriter, r *http.Request, id *hub.Identity, req *request, scopes []string) error {
	info, err := p.server.GetAuthorizeToken(r.Context(), &server.AuthorizeRequest{
		ResponseType: oauth2.Code, ClientID: req.client.Identifier, Scope: strings.Join(scopes, " "), RedirectURI: req.redirectArg,
		UserID: strconv.FormatInt(id.User.ID, 10), CodeChallenge: req.challenge, CodeChallengeMethod: req.method, Request: r,
	})
	if err != nil {
		return err
	}
	p.o.Logger.InfoContext(r.Context(), "oauth code issued", "user", id.Name(), "client", req.client.Identifier)
	return redirectBack(w, req, url.Values{"code": {info.GetCode()}})
}

// redirectBack sends the browser to the client with 302, never 307, which would repeat a POST (RFC 9700 section 4.12).
func redirectBack(w http.ResponseWriter, req *request, args url.Values) error {
	if req.hasState {
		args.Set("state", req.state)
	}
	sep := "?"
	if strings.Contains(req.redirectURI, "?") {
		sep = "&"
	}
	w.Header().Set("Location", req.redirectURI+sep+args.Encode())
	w.WriteHeader(http.StatusFound)
	return nil
}
