package hubapi

import (
	"context"
	"net/http"
)

// Version is the version of JupyterHub that the hub speaks. It needs no token.
func (c *Client) Version(ctx context.Context) (string, error) {
	var answer struct {
		Version string `json:"version"`
	}
	_, err := c.do(ctx, request{method: http.MethodGet, path: "/"}, &answer)
	return answer.Version, err
}

// Info tells spawner, authenticator and versions. Scope: read:hub.
func (c *Client) Info(ctx context.Context) (*Info, error) {
	i := &Info{}
	_, err := c.do(ctx, request{method: http.MethodGet, path: "/info"}, i)
	return i, err
}

// Whoami is who the client's token belongs to, with the scopes that it has. ErrUnauthorized: the hub does not know the token.
func (c *Client) Whoami(ctx context.Context) (*Identity, error) {
	i := &Identity{}
	_, err := c.do(ctx, request{method: http.MethodGet, path: "/user"}, i)
	return i, err
}

// Shutdown ends the hub. With servers the user servers are stopped, with proxy the proxy. Scope: shutdown.
func (c *Client) Shutdown(ctx context.Context, servers, proxy bool) error {
	body := map[string]bool{"servers": servers, "proxy": proxy}
	_, err := c.do(ctx, request{method: http.MethodPost, path: "/shutdown", body: body}, nil)
	return err
}

// Routes are the routes of the proxy, by routespec. Scope: proxy.
func (c *Client) Routes(ctx context.Context) (map[string]Route, error) {
	routes := map[string]Route{}
	_, err := c.do(ctx, request{method: http.MethodGet, path: "/proxy"}, &routes)
	return routes, err
}

// CheckRoutes makes the hub compare the proxy's routes with what they should be, and mend them. Scope: proxy.
func (c *Client) CheckRoutes(ctx context.Context) error {
	_, err := c.do(ctx, request{method: http.MethodPost, path: "/proxy"}, nil)
	return err
}

// Services are the services that the token may see, by name. Scope: list:services.
func (c *Client) Services(ctx context.Context) (map[string]Service, error) {
	services := map[string]Service{}
	_, err := c.do(ctx, request{method: http.MethodGet, path: "/services"}, &services)
	return services, err
}

// Service is one service. Scope: read:services.
func (c *Client) Service(ctx context.Context, name string) (*Service, error) {
	s := &Service{}
	_, err := c.do(ctx, request{method: http.MethodGet, path: at("services", name)}, s)
	return s, err
}
