package oauthprovider

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"time"

	"github.com/go-oauth2/oauth2/v4"
	oautherrors "github.com/go-oauth2/oauth2/v4/errors"

	"github.com/minihub/minihub/internal/httpmw"
	"github.com/minihub/minihub/orm"
)

// tokenReply is the answer of the token endpoint (RFC 6749 section 5.1).
type tokenReply struct {
	AccessToken string `json:"access_token"`
	ExpiresIn   int64  `json:"expires_in"`
	TokenType   string `json:"token_type"`
	Scope       string `json:"scope"`
}

// Token is the token endpoint (RFC 6749 section 3.2): it changes a code for an access token.
func (p *Provider) Token(w http.ResponseWriter, r *http.Request) error {
	reply, basic, err := p.exchange(r)
	var oe *oauthError
	if errors.As(err, &oe) {
		p.o.Logger.WarnContext(r.Context(), "oauth token refused: "+oe.Error())
		return writeTokenError(w, oe, basic)
	}
	if err != nil {
		p.o.Logger.ErrorContext(r.Context(), "oauth token could not be issued", "request_id", httpmw.RequestID(r), "err", err)
		return writeTokenError(w, &oauthError{Code: "server_error", Description: "internal error", status: http.StatusInternalServerError}, basic)
	}
	return writeToken(w, http.StatusOK, reply)
}

func (p *Provider) exchange(r *http.Request) (reply *tokenReply, basic bool, err error) {
	form, err := readForm(r)
	if err != nil {
		return nil, false, err
	}
	id, secret, basic, err := clientCredentials(r, form)
	if err != nil {
		return nil, basic, err
	}
	client, err := p.authenticate(r.Context(), id, secret)
	if err != nil {
		return nil, basic, err
	}
	switch form.Get("grant_type") {
	case "authorization_code":
	case "":
		return nil, basic, invalidRequest("grant_type is missing, it must be authorization_code")
	default:
		return nil, basic, &oauthError{Code: "unsupported_grant_type", Description: "grant_type must be authorization_code"}
	}
	if err := p.checkCode(r.Context(), client, form); err != nil {
		return nil, basic, err
	}
	info, err := p.server.GetAccessToken(r.Context(), oauth2.AuthorizationCode, &oauth2.TokenGenerateRequest{
		ClientID: id, ClientSecret: secret, Code: form.Get("code"), CodeVerifier: form.Get("code_verifier"), RedirectURI: form.Get("redirect_uri"), Request: r})
	if errors.Is(err, oautherrors.ErrInvalidGrant) || errors.Is(err, oautherrors.ErrInvalidAuthorizeCode) {
		return nil, basic, invalidGrant("the code is not valid any more")
	}
	if err != nil {
		return nil, basic, err
	}
	return &tokenReply{AccessToken: info.GetAccess(), ExpiresIn: int64(info.GetAccessExpiresIn() / time.Second), TokenType: "Bearer", Scope: info.GetScope()}, basic, nil
}

// readForm reads the body; parameters in the URL do not count, because URLs are logged (RFC 6749 section 2.3.1).
func readForm(r *http.Request) (url.Values, error) {
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if media != "application/x-www-form-urlencoded" {
		return nil, invalidRequest("the body must be application/x-www-form-urlencoded")
	}
	r.Body = http.MaxBytesReader(nil, r.Body, 64<<10)
	if err := r.ParseForm(); err != nil {
		return nil, invalidRequest("the body cannot be read as a form")
	}
	for key, values := range r.PostForm {
		if len(values) > 1 {
			return nil, invalidRequest(key + " is given more than once")
		}
	}
	return r.PostForm, nil
}

// clientCredentials reads id and secret from the form, as HubOAuth sends them, or from HTTP Basic (RFC 6749 section 2.3.1).
func clientCredentials(r *http.Request, form url.Values) (id, secret string, basic bool, err error) {
	user, pass, basic := r.BasicAuth()
	if !basic {
		return form.Get("client_id"), form.Get("client_secret"), false, nil
	}
	if form.Has("client_secret") {
		return "", "", true, invalidRequest("the client authenticates twice: by HTTP Basic and in the body")
	}
	// Basic carries both form-encoded.
	if id, err = url.QueryUnescape(user); err == nil {
		secret, err = url.QueryUnescape(pass)
	}
	if err != nil || form.Has("client_id") && form.Get("client_id") != id {
		return "", "", true, invalidClient()
	}
	return id, secret, true, nil
}

func (p *Provider) authenticate(ctx context.Context, id, secret string) (*orm.OAuthClient, error) {
	client, err := p.o.Store.OAuthClient(ctx, id)
	if errors.Is(err, orm.ErrNotFound) {
		return nil, invalidClient()
	}
	if err != nil {
		return nil, err
	}
	if client.Secret == "" || secret == "" || !orm.VerifyToken(client.Secret, secret) {
		return nil, invalidClient()
	}
	return client, nil
}

// checkCode checks everything that must not burn the code when it is wrong: a thief without the verifier, or a client with a typing error, leaves the code as it is.
func (p *Provider) checkCode(ctx context.Context, client *orm.OAuthClient, form url.Values) error {
	text := form.Get("code")
	if text == "" {
		return invalidRequest("code is missing")
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
		return invalidRequest("redirect_uri differs from that of the authorization request")
	}
	return p.checkVerifier(code, form.Get("code_verifier"))
}

// checkVerifier is RFC 7636 section 4.6, with the downgrade rule of RFC 9700 section 4.8.2: a verifier for a code without challenge is refused.
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

// replayed handles a code that does not exist. When it was used before, the token that it gave is revoked: one of the two users of the code is a thief (RFC 6749 section 4.1.2).
func (p *Provider) replayed(ctx context.Context, client *orm.OAuthClient, code string) error {
	if tokenID, ok := p.used.take(code, client.Identifier); ok {
		p.o.Logger.WarnContext(ctx, "oauth code used twice, revoking the token that it gave", "client", client.Identifier, "token_id", tokenID)
		if err := p.o.Store.DeleteTokens(ctx, []int64{tokenID}); err != nil {
			return err
		}
	}
	return invalidGrant("the code is not known, has expired or was used before")
}
