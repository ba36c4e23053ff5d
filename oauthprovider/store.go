package oauthprovider

import (
	"context"
	"crypto/rand"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-oauth2/oauth2/v4"
	oautherrors "github.com/go-oauth2/oauth2/v4/errors"
	"github.com/go-oauth2/oauth2/v4/models"

	"github.com/minihub/minihub/orm"
)

// exactURI demands that a redirect URI is the registered one (RFC 9700 section 2.1).
func exactURI(registered, given string) error {
	if registered != given {
		return oautherrors.ErrInvalidRedirectURI
	}
	return nil
}

// sessionKey is the extension of a code that carries the browser's session id to the token.
const sessionKey = "session_id"

// rememberSession runs for codes and for tokens; a token takes over the extension of its code.
func (p *Provider) rememberSession(tgr *oauth2.TokenGenerateRequest, info oauth2.ExtendableTokenInfo) {
	if tgr.Code != "" {
		return
	}
	info.SetExtension(url.Values{sessionKey: {p.o.SessionID(tgr.Request)}})
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// textLength is the number of characters of codes and tokens.
const textLength = 30

// newText makes codes and tokens: letters and digits, as many as JupyterHub's have.
func newText() string {
	out := make([]byte, 0, textLength)
	var b [64]byte
	for len(out) < cap(out) {
		_, _ = rand.Read(b[:]) // never fails
		for _, x := range b {  // a byte beyond the alphabet is dropped, or some letters would be more likely
			if x &= 63; int(x) < len(alphabet) && len(out) < cap(out) {
				out = append(out, alphabet[x])
			}
		}
	}
	return string(out)
}

// codes has the method of oauth2.AuthorizeGenerate; Go cannot give one type both Token methods.
type codes struct{}

// randomText has the method of oauth2.AccessGenerate.
type randomText struct{}

// Token implements oauth2.AuthorizeGenerate.
func (codes) Token(context.Context, *oauth2.GenerateBasic) (string, error) { return newText(), nil }

// Token implements oauth2.AccessGenerate; there are no refresh tokens.
func (randomText) Token(context.Context, *oauth2.GenerateBasic, bool) (access, refresh string, err error) {
	return newText(), "", nil
}

// clients is an oauth2.ClientStore over the hub's table.
type clients struct{ store *orm.Store }

// GetByID implements oauth2.ClientStore.
func (c clients) GetByID(ctx context.Context, id string) (oauth2.ClientInfo, error) {
	row, err := c.store.OAuthClient(ctx, id)
	if errors.Is(err, orm.ErrNotFound) {
		return nil, oautherrors.ErrInvalidClient
	}
	if err != nil {
		return nil, err
	}
	return client{row}, nil
}

// client is an oauth2.ClientInfo. Token authenticates it before go-oauth2 sees it.
type client struct{ row *orm.OAuthClient }

func (c client) GetID() string     { return c.row.Identifier }
func (c client) GetSecret() string { return "" }
func (c client) GetDomain() string { return c.row.RedirectURI }
func (c client) IsPublic() bool    { return false }
func (c client) GetUserID() string { return "" }

// tokens is an oauth2.TokenStore: codes are rows of oauth_codes, tokens rows of api_tokens.
type tokens struct{ p *Provider }

// Create implements oauth2.TokenStore.
func (t *tokens) Create(ctx context.Context, info oauth2.TokenInfo) error {
	user, err := strconv.ParseInt(info.GetUserID(), 10, 64)
	if err != nil {
		return err
	}
	if info.GetAccess() == "" {
		return t.p.o.Store.CreateCode(ctx, newCode(info, user))
	}
	return t.p.o.Store.CreateCodeToken(ctx, newToken(info, user), extension(info, codeKey))
}

// codeKey is the extension of a token under which it knows its code while it is made.
const codeKey = "code"

func extension(info oauth2.TokenInfo, key string) string {
	if e, ok := info.(oauth2.ExtendableTokenInfo); ok {
		return e.GetExtension().Get(key)
	}
	return ""
}

func newCode(info oauth2.TokenInfo, user int64) *orm.OAuthCode {
	row := &orm.OAuthCode{
		ClientID: info.GetClientID(), Code: info.GetCode(), ExpiresAt: info.GetCodeCreateAt().Add(info.GetCodeExpiresIn()).Unix(),
		RedirectURI: info.GetRedirectURI(), SessionID: extension(info, sessionKey), UserID: user, Scopes: strings.Fields(info.GetScope()),
	}
	if c := info.GetCodeChallenge(); c != "" {
		method := info.GetCodeChallengeMethod().String()
		row.CodeChallenge, row.CodeChallengeMethod = &c, &method
	}
	return row
}

func newToken(info oauth2.TokenInfo, user int64) *orm.APIToken {
	client, access := info.GetClientID(), info.GetAccess()
	created := info.GetAccessCreateAt().UTC()
	expires := created.Add(info.GetAccessExpiresIn())
	row := &orm.APIToken{UserID: &user, ClientID: &client, Hashed: orm.HashToken(access, orm.GeneratedRounds), Prefix: orm.TokenPrefix(access), Created: &created,
		ExpiresAt: &expires, Scopes: strings.Fields(info.GetScope())}
	if s := extension(info, sessionKey); s != "" {
		row.SessionID = &s
	}
	return row
}

// GetByCode implements oauth2.TokenStore.
func (t *tokens) GetByCode(ctx context.Context, code string) (oauth2.TokenInfo, error) {
	row, err := t.p.o.Store.CodeByValue(ctx, code)
	if errors.Is(err, orm.ErrNotFound) {
		return nil, oautherrors.ErrInvalidAuthorizeCode
	}
	if err != nil {
		return nil, err
	}
	expires := time.Unix(row.ExpiresAt, 0)
	info := models.NewToken()
	info.SetCode(row.Code)
	info.SetCodeCreateAt(expires.Add(-codeLife))
	info.SetCodeExpiresIn(codeLife)
	info.SetClientID(row.ClientID)
	info.SetUserID(strconv.FormatInt(row.UserID, 10))
	info.SetRedirectURI(row.RedirectURI)
	info.SetScope(strings.Join(row.Scopes, " "))
	info.SetExtension(url.Values{sessionKey: {row.SessionID}, codeKey: {row.Code}})
	if row.CodeChallenge != nil {
		info.SetCodeChallenge(*row.CodeChallenge)
	}
	if row.CodeChallengeMethod != nil {
		info.SetCodeChallengeMethod(oauth2.CodeChallengeMethod(*row.CodeChallengeMethod))
	}
	return info, nil
}

// RemoveByCode implements oauth2.TokenStore: of several callers with the same code, exactly one succeeds.
func (t *tokens) RemoveByCode(ctx context.Context, code string) error {
	row, err := t.p.o.Store.CodeByValue(ctx, code)
	if errors.Is(err, orm.ErrNotFound) {
		return oautherrors.ErrInvalidAuthorizeCode
	}
	if err != nil {
		return err
	}
	won, err := t.p.o.Store.TakeCode(ctx, row)
	if err != nil {
		return err
	}
	if !won {
		return oautherrors.ErrInvalidAuthorizeCode
	}
	return nil
}

// The rest of oauth2.TokenStore is about tokens that hub.Access looks up, and refresh tokens that do not exist.

func (t *tokens) RemoveByAccess(context.Context, string) error {
	return oautherrors.ErrInvalidAccessToken
}
func (t *tokens) RemoveByRefresh(context.Context, string) error {
	return oautherrors.ErrInvalidRefreshToken
}
func (t *tokens) GetByAccess(context.Context, string) (oauth2.TokenInfo, error) {
	return nil, oautherrors.ErrInvalidAccessToken
}
func (t *tokens) GetByRefresh(context.Context, string) (oauth2.TokenInfo, error) {
	return nil, oautherrors.ErrInvalidRefreshToken
}

var (
	_ oauth2.TokenStore        = (*tokens)(nil)
	_ oauth2.ClientStore       = clients{}
	_ oauth2.AuthorizeGenerate = codes{}
	_ oauth2.AccessGenerate    = randomText{}
)
