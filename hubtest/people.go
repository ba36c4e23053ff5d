package hubtest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/minihub/minihub/hubapi"
)

// callTime is how long one call to the hub may take before the test fails.
const callTime = 30 * time.Second

// Token makes an API token of a user, who is created when there is none of that name. Without scopes the token may do what the
// user may. A refusal is a panic with the hub's reason: use Admin.CreateToken to test refusals.
func (h *Hub) Token(user string, scopes ...string) string {
	ctx, cancel := context.WithTimeout(context.Background(), callTime)
	defer cancel()
	token, err := h.token(ctx, user, scopes)
	if err != nil {
		panic(err)
	}
	return token
}

func (h *Hub) token(ctx context.Context, user string, scopes []string) (string, error) {
	if _, err := h.Admin.CreateUser(ctx, user); err != nil && !errors.Is(err, hubapi.ErrConflict) {
		return "", fmt.Errorf("hubtest: create user %s: %w", user, err)
	}
	t, err := h.Admin.CreateToken(ctx, user, hubapi.NewToken{Note: "hubtest", Scopes: scopes})
	if err != nil {
		return "", fmt.Errorf("hubtest: make a token for %s: %w", user, err)
	}
	return t.Secret, nil
}

// Client calls the API with a new token of a user; see Token.
func (h *Hub) Client(user string, scopes ...string) *hubapi.Client {
	return hubapi.New(h.APIURL, h.Token(user, scopes...))
}
