package oauthprovider

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-oauth2/oauth2/v4"
	oautherrors "github.com/go-oauth2/oauth2/v4/errors"

	"github.com/minihub/minihub/orm"
)

// tokenReply is the answer of the token endpoint (RFC 6749 section 5.1).
type tokenReply struct {
	AccessToken string `json:"access_token"`
	ExpiresIn   int64  `json:"expires_in"`
	TokenType   string `json:"token_type"`
	Scope       string `json:"scope"`
}

// maxForm is how many bytes a form may have.
const maxForm = 64 << 10

// Token is the token endpoint (RFC 6749 section 3.2): it changes a code for an access token. Every refusal is written here, in the
// shape of section 5.2; the error is always nil.
func (p *Provider) Token(w http.ResponseWriter, r *http.Request) error {
	reply, client, err := p.exchange(r)
	if err != nil {
		return p.refuse(w, r, "issue oauth token", client, err)
	}
	return writeJSON(w, http.StatusOK, reply)
}

// refuse answers a program in the shape of RFC 6749 section 5.2, and logs what it was about.
func (p *Provider) refuse(w http.ResponseWriter, r *http.Request, what, client string, err error) error {
	_, _, basic := r.BasicAuth()
	var oe *oauthError
	if errors.As(err, &oe) {
		p.o.Logger.WarnContext(r.Context(), what+" refused", "err", oe, "client", short(client))
		return writeTokenError(w, oe, basic)
	}
	p.o.Logger.ErrorContext(r.Context(), what+" failed", "client", short(client), "request_id", w.Header().Get("X-Request-Id"), "err", err)
	return writeTokenError(w, serverError(err), basic)
}

// exchange does the work of Token; client is who asks, as far as that is known.
func (p *Provider) exchange(r *http.Request) (reply *tokenReply, client string, err error) {
	form, err := readForm(r)
	if err != nil {
		return nil, "", err
	}
	row, id, err := p.clientOf(r, form)
	if err != nil {
		return nil, id, err
	}
	switch form.Get("grant_type") {
	case "authorization_code":
	case "":
		return nil, id, invalidRequest("grant_type is missing, it must be authorization_code")
	default:
		return nil, id, newError("unsupported_grant_type", "grant_type must be authorization_code")
	}
	if err := p.checkCode(r.Context(), row, form); err != nil {
		return nil, id, err
	}
	info, err := p.server.GetAccessToken(r.Context(), oauth2.AuthorizationCode, &oauth2.TokenGenerateRequest{
		ClientID: id, Code: form.Get("code"), CodeVerifier: form.Get("code_verifier"), RedirectURI: form.Get("redirect_uri"), Request: r})
	if err != nil {
		return nil, id, lateError(err)
	}
	p.o.Logger.InfoContext(r.Context(), "oauth token issued", "client", id)
	return &tokenReply{AccessToken: info.GetAccess(), ExpiresIn: int64(info.GetAccessExpiresIn() / time.Second), TokenType: "Bearer", Scope: info.GetScope()}, id, nil
}

// short cuts what strangers sent to what a log line can bear.
func short(s string) string {
	const most = 64
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "..."
	}
	return s
}

// lateError translates what can only happen after checkCode: another request had the code first, or the client was changed or deleted
// in between.
func lateError(err error) error {
	switch {
	case errors.Is(err, oautherrors.ErrInvalidClient):
		return invalidClient()
	case errors.Is(err, oautherrors.ErrInvalidGrant), errors.Is(err, oautherrors.ErrInvalidRedirectURI):
		return invalidGrant("the code is not valid any more")
	}
	return err
}

// readForm reads the body; parameters in the URL do not count, because URLs are logged (RFC 6749 section 2.3.1).
func readForm(r *http.Request) (url.Values, error) {
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if media != "application/x-www-form-urlencoded" {
		return nil, invalidRequest("the body must be application/x-www-form-urlencoded")
	}
	r.Body = http.MaxBytesReader(nil, r.Body, maxForm)
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, invalidRequest("the body is too long or was cut off")
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, invalidRequest("the body cannot be read as a form")
	}
	if name := repeated(form, "grant_type", "code", "redirect_uri", "client_id", "client_secret", "code_verifier", "token", "token_type_hint"); name != "" {
		return nil, invalidRequest(name + " is given more than once")
	}
	return form, nil
}

// clientCredentials reads id and secret from the form, as HubOAuth sends them, or from HTTP Basic (RFC 6749 section 2.3.1).
func clientCredentials(r *http.Request, form url.Values) (id, secret string, err error) {
	user, pass, basic := r.BasicAuth()
	if !basic {
		return form.Get("client_id"), form.Get("client_secret"), nil
	}
	if form.Has("client_secret") {
		return "", "", invalidRequest("the client authenticates twice: by HTTP Basic and in the body")
	}
	// Basic carries both form-encoded.
	if id, err = url.QueryUnescape(user); err == nil {
		secret, err = url.QueryUnescape(pass)
	}
	if err != nil || form.Has("client_id") && form.Get("client_id") != id {
		return "", "", invalidClient()
	}
	return id, secret, nil
}

// clientOf authenticates the client that sent a form; id is who it claims to be, also with an error.
func (p *Provider) clientOf(r *http.Request, form url.Values) (row *orm.OAuthClient, id string, err error) {
	id, secret, err := clientCredentials(r, form)
	if err != nil {
		return nil, id, err
	}
	row, err = p.authenticate(r.Context(), id, secret)
	return row, id, err
}

// authenticate checks id and secret of a client. Only the log tells what is wrong with them.
func (p *Provider) authenticate(ctx context.Context, id, secret string) (*orm.OAuthClient, error) {
	client, err := p.client(ctx, id)
	if err != nil {
		return nil, err
	}
	reason := ""
	switch {
	case client == nil:
		reason = "there is no such client"
	case client.Secret == "":
		reason = "the client has no secret; a service's secret is its api_token"
	case secret == "":
		reason = "no client_secret was sent"
	case !orm.VerifyToken(client.Secret, secret):
		reason = "wrong client_secret"
	default:
		return client, nil
	}
	p.o.Logger.WarnContext(ctx, "oauth client not accepted", "client", short(id), "reason", reason)
	return nil, invalidClient()
}

// checkCode checks everything that must not burn the code when it is wrong: a thief without the verifier, or a client with a typing
// error, leaves the code as it is.
func (p *Provider) checkCode(ctx context.Context, client *orm.OAuthClient, form url.Values) error {
	text := form.Get("code")
	if text == "" {
		return invalidRequest("code is missing")
	}
	if !clean(text) {
		return invalidGrant("the code is not known, has expired or was used before")
	}
	code, err := p.o.Store.CodeByValue(ctx, text)
	if errors.Is(err, orm.ErrNotFound) {
		return p.replayed(ctx, client, text)
	}
	if err != nil {
		return err
	}
	switch {
	case code.ClientID != client.Identifier:
		return invalidGrant("the code was issued to another client")
	case time.Now().Unix() > code.ExpiresAt:
		return invalidGrant("the code has expired")
	case form.Get("redirect_uri") != code.RedirectURI && (code.RedirectURI != "" || form.Get("redirect_uri") != client.RedirectURI):
		return invalidGrant("redirect_uri differs from that of the authorization request")
	}
	return p.checkVerifier(code, form.Get("code_verifier"))
}

// checkVerifier is RFC 7636 section 4.6, with the downgrade rule of RFC 9700 section 4.8.2: a verifier for a code without challenge
// is refused.
func (p *Provider) checkVerifier(code *orm.OAuthCode, verifier string) error {
	challenge := ""
	if code.CodeChallenge != nil {
		challenge = *code.CodeChallenge
	}
	switch {
	case challenge == "" && verifier == "":
		return nil
	case challenge == "":
		return invalidGrant("code_verifier, but the authorization request had no code_challenge")
	case verifier == "":
		return invalidRequest("Code verifier required.")
	}
	got := verifier
	if code.CodeChallengeMethod != nil && *code.CodeChallengeMethod == "S256" {
		sum := sha256.Sum256([]byte(verifier))
		got = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	if subtle.ConstantTimeCompare([]byte(got), []byte(challenge)) != 1 {
		return invalidGrant("code_verifier does not fit the code_challenge")
	}
	return nil
}

// replayed handles a code that does not exist. When it was used before, the token that it gave is revoked: one of the two users of
// the code is a thief (RFC 6749 section 4.1.2).
func (p *Provider) replayed(ctx context.Context, client *orm.OAuthClient, code string) error {
	revoked, err := p.o.Store.ReplayCode(ctx, code, client.Identifier)
	if err != nil {
		return err
	}
	if revoked {
		p.o.Logger.WarnContext(ctx, "oauth code used twice, the token that it gave is revoked", "client", client.Identifier)
	}
	return invalidGrant("the code is not known, has expired or was used before")
}
