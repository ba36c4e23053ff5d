package auth

import "context"

// Null lets nobody log in: for hubs that are used with API tokens only.
type Null struct{}

var (
	_ Authenticator = Null{}
	_ LoginPage     = Null{}
)

// Name implements Authenticator.
func (Null) Name() string { return "jupyterhub.auth.NullAuthenticator" }

// Authenticate implements Authenticator; it refuses everybody.
func (Null) Authenticate(context.Context, Request) (*Model, error) {
	return nil, &Refusal{Rule: RuleCredentials, Trait: "JupyterHub.authenticator_class",
		Reason: "the null authenticator has no logins, this hub is used with API tokens"}
}

// LoginPage implements LoginPage.
func (Null) LoginPage() Page { return Page{Service: "null", NoForm: true} }
