package oauthprovider

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/go-oauth2/oauth2/v4"
	"github.com/go-oauth2/oauth2/v4/server"

	"github.com/minihub/minihub/hub"
)

// Authorize is the authorization endpoint (RFC 6749 section 3.1) for a browser that is logged in: GET shows the consent
// page or redirects back at once, POST is the consent form. Its errors are *hub.Error for the error page of the hub; errors
// that the client is to hear of are no errors here but redirects.
func (p *Provider) Authorize(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Referrer-Policy", "no-referrer") // codes must not leak by Referer (RFC 9700 section 4.2.4)
	w.Header().Set("Cache-Control", "no-store")
	id := p.o.Identity(r)
	if id == nil || id.User == nil {
		return &hub.Error{Kind: hub.Forbidden, Message: "You are not logged in"}
	}
	req, err := p.parse(r, id)
	var oe *oauthError
	if errors.As(err, &oe) {
		p.o.Logger.WarnContext(r.Context(), "oauth request refused", "err", oe, "client", req.client.Identifier, "user", id.Name())
		return p.redirectBack(w, r, req, url.Values{"error": {oe.Code}, "error_description": {oe.Description}})
	}
	if err != nil {
		return err
	}
	if err := p.checkTarget(r.Context(), id, req); err != nil {
		return err
	}
	granted, err := p.grant(r.Context(), id, req)
	if err != nil {
		return err
	}
	if r.Method == http.MethodPost {
		chosen, err := chosenScopes(r)
		if err != nil {
			return err
		}
		return p.complete(w, r, id, req, agreed(chosen, granted, requiredScopes(req.target)))
	}
	ask, err := p.mustAsk(r.Context(), id, req, granted)
	if err != nil {
		return err
	}
	if ask {
		page := p.consent(id, req, granted)
		page.DenyURL = p.deny(r, req)
		return p.o.Consent.Render(w, r, page)
	}
	return p.complete(w, r, id, req, granted)
}

// chosenScopes are what the consent form says. The middleware has read the form already when it looked for _xsrf.
func chosenScopes(r *http.Request) ([]string, error) {
	if r.PostForm == nil {
		r.Body = http.MaxBytesReader(nil, r.Body, maxForm)
		if err := r.ParseForm(); err != nil {
			return nil, bad("The form cannot be read", "reload the page and try again")
		}
	}
	return r.PostForm["scopes"], nil
}

// checkTarget refuses users who may not use what the client belongs to.
func (p *Provider) checkTarget(ctx context.Context, id *hub.Identity, req *request) error {
	access, t := p.o.Access, req.target
	check, scope := access.OnService(t.service), "access:services"
	if t.service == "" {
		check, scope = access.OnServer(ctx, t.user, t.server), "access:servers"
	}
	err := access.Check(ctx, id, check, scope)
	var e *hub.Error
	if errors.As(err, &e) && (e.Kind == hub.Forbidden || e.Kind == hub.NotFound) {
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
	return p.redirectBack(w, r, req, url.Values{"code": {info.GetCode()}})
}

// redirectBack sends the browser to the client with 302, never 307, which would repeat a POST (RFC 9700 section 4.12). The client
// is told whose answer it is, so that it can notice when another server's answer is put in its place (RFC 9207).
func (p *Provider) redirectBack(w http.ResponseWriter, r *http.Request, req *request, args url.Values) error {
	w.Header().Set("Location", p.back(r, req, args))
	w.WriteHeader(http.StatusFound)
	return nil
}

// back is the client's redirect URI with an answer.
func (p *Provider) back(r *http.Request, req *request, args url.Values) string {
	args.Set("iss", p.issuer(r))
	if req.hasState {
		args.Set("state", req.state)
	}
	sep := "?"
	if strings.Contains(req.redirectURI, "?") {
		sep = "&"
	}
	return req.redirectURI + sep + args.Encode()
}

// deny is where a link "No" leads: the client hears of it (RFC 6749 section 4.1.2.1). "" when a click there would run a script.
func (p *Provider) deny(r *http.Request, req *request) string {
	u, err := url.Parse(req.redirectURI)
	if err != nil || slices.Contains([]string{"javascript", "data", "vbscript"}, strings.ToLower(u.Scheme)) {
		return ""
	}
	return p.back(r, req, url.Values{"error": {"access_denied"}, "error_description": {"the user did not agree"}})
}
