package hubapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
)

// serverPath is where a server is: the default one has a path of its own.
func serverPath(user, server string) string {
	if server == "" {
		return at("users", user, "server")
	}
	return at("users", user, "servers", server)
}

// Server is one server, running or not. Scope: read:servers. It reads the user's model, which JupyterHub 5 has as well.
func (c *Client) Server(ctx context.Context, user, server string) (*Server, error) {
	u, err := c.User(ctx, user)
	if err != nil {
		return nil, err
	}
	s, ok := u.Servers[server]
	if !ok {
		return nil, &Error{Method: http.MethodGet, Path: serverPath(user, server), Status: http.StatusNotFound,
			Message: fmt.Sprintf("%s has no server named %q, or the token may not read it (scope read:servers)", user, server)}
	}
	return &s, nil
}

// StartServer starts a server with options (nil: those of the last time). It returns true when the server is ready and false
// when it is still starting: see Progress and WaitReady. ErrInvalid: it runs already, or an option is wrong. Scope: start:servers.
func (c *Client) StartServer(ctx context.Context, user, server string, options any) (ready bool, err error) {
	status, err := c.do(ctx, request{method: http.MethodPost, path: serverPath(user, server), body: options}, nil)
	return status == http.StatusCreated, err
}

// StopServer stops a server. It returns true when the server has stopped and false when it still stops. Scope: delete:servers.
func (c *Client) StopServer(ctx context.Context, user, server string) (stopped bool, err error) {
	status, err := c.do(ctx, request{method: http.MethodDelete, path: serverPath(user, server)}, nil)
	return status == http.StatusNoContent, err
}

// DeleteServer stops a named server and removes it with its options.
func (c *Client) DeleteServer(ctx context.Context, user, server string) error {
	_, err := c.do(ctx, request{method: http.MethodDelete, path: serverPath(user, server), body: map[string]bool{"remove": true}}, nil)
	return err
}

// ErrSpawnFailed is what WaitReady returns, wrapped with the hub's reason, when the start ended without a server.
var ErrSpawnFailed = errors.New("the server did not start")

// WaitReady waits until a server that is starting is ready, and returns it. The context limits how long.
func (c *Client) WaitReady(ctx context.Context, user, server string) (*Server, error) {
	for event, err := range c.Progress(ctx, user, server) {
		switch {
		case err != nil:
			return nil, err
		case event.Failed:
			return nil, fmt.Errorf("%w: %s", ErrSpawnFailed, event.Message)
		case event.Ready:
			return c.Server(ctx, user, server)
		}
	}
	return nil, fmt.Errorf("%w: the hub ended its report without saying why", ErrSpawnFailed)
}
