package app

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/minihub/minihub/auth"
	"github.com/minihub/minihub/config"
	"github.com/minihub/minihub/internal/httpmw"
)

// secrets are what signs cookies, encrypts auth_state and opens the proxy's API.
type secrets struct {
	signer     httpmw.Signer
	crypt      *auth.CryptKeeper // nil without keys
	proxyToken string
	proxyGiven bool // somebody configured the token, so somebody may use the API
}

func loadSecrets(c *config.Config, o Options) (*secrets, error) {
	cookie, err := httpmw.LoadCookieSecret(httpmw.CookieSecretOptions{
		Configured: c.JupyterHub.CookieSecret, File: c.JupyterHub.CookieSecretFile})
	if err != nil {
		return nil, err
	}
	for _, w := range cookie.Warnings {
		o.Logger.Warn(w)
	}
	s := &secrets{signer: httpmw.Signer{Secret: cookie.Secret, Now: o.Now}, proxyToken: string(c.ProxyTraits().AuthToken)}
	var keys []string
	for _, k := range c.CryptKeeper.Keys {
		keys = append(keys, string(k))
	}
	if s.crypt, err = auth.NewCryptKeeper(keys...); err != nil && !errors.Is(err, auth.ErrNoKeys) {
		return nil, fmt.Errorf("CryptKeeper.keys: %w", err)
	}
	if s.proxyGiven = s.proxyToken != ""; !s.proxyGiven {
		var b [32]byte
		_, _ = rand.Read(b[:]) // never fails
		s.proxyToken = hex.EncodeToString(b[:])
	}
	return s, nil
}
