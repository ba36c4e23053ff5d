package auth

import (
	"context"
	"crypto/subtle"
)

// Dummy accepts any name: with any password, or with one shared password. For tests and first looks, never for production.
// Its rules have RulesOptions.DefaultAllowAll set.
type Dummy struct {
	password string
}

var (
	_ Authenticator = (*Dummy)(nil)
	_ Warner        = (*Dummy)(nil)
)

// NewDummy makes a Dummy. An empty password accepts every password (DummyAuthenticator.password, deprecated since 5.3 in
// favour of shared-password).
func NewDummy(password string) *Dummy { return &Dummy{password: password} }

// Name implements Authenticator.
func (*Dummy) Name() string { return "jupyterhub.auth.DummyAuthenticator" }

// Authenticate implements Authenticator.
func (d *Dummy) Authenticate(_ context.Context, req Request) (*Model, error) {
	if d.password != "" && !sameSecret(req.Password, d.password) {
		return nil, nil
	}
	return &Model{Name: req.Username}, nil
}

// Warnings says what this authenticator is not for.
func (d *Dummy) Warnings() []string {
	out := []string{"the dummy authenticator lets anybody be anybody: it is for tests, not for production"}
	if d.password != "" {
		out = append(out, "DummyAuthenticator.password is deprecated: use the shared-password authenticator and SharedPasswordAuthenticator.user_password")
	}
	return out
}

// sameSecret compares without telling by its duration where two secrets differ.
func sameSecret(given, wanted string) bool {
	return subtle.ConstantTimeCompare([]byte(given), []byte(wanted)) == 1
}
