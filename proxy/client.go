package proxy

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/minihub/minihub/internal/urlpath"
)

// CHPClientOptions configure a CHPClient. URL and Token are mandatory.
type CHPClientOptions struct {
	URL         string        // of the API: http://127.0.0.1:8001, https://…, http+unix://%2Fpath
	Token       string        // CONFIGPROXY_AUTH_TOKEN of the proxy
	HostRouting bool          // the proxy runs with --host-routing
	TLS         *tls.Config   // client certificate and CA for an https URL
	Concurrency int           // requests at a time; 0: 10
	Patience    time.Duration // how long failures are retried; 0: 30 s
	Log         *slog.Logger  // nil: discard
}

// CHPClient writes the routes of a configurable-http-proxy, or a `minihub proxy`, through its REST API. It is safe for
// concurrent use. Close it when done.
type CHPClient struct {
	o      CHPClientOptions
	base   string
	client *http.Client
	slots  chan struct{}
}

var _ Router = (*CHPClient)(nil)

// APIError is an answer of the proxy's API that is neither a success nor worth a retry.
type APIError struct {
	Method, Path string
	Status       int
	Text         string // at most 200 bytes
}

// Error tells request and answer, and for 403 the way out.
func (e *APIError) Error() string {
	hint := ""
	if e.Status == http.StatusForbidden {
		hint = ": hub and proxy must have the same CONFIGPROXY_AUTH_TOKEN"
	}
	return fmt.Sprintf("proxy API: %s %s answered %d %s%s", e.Method, e.Path, e.Status, strings.TrimSpace(e.Text), hint)
}

// NewCHPClient returns a client. It does not connect yet.
func NewCHPClient(o CHPClientOptions) (*CHPClient, error) {
	t, err := parseTarget(o.URL)
	if err != nil {
		return nil, fmt.Errorf("proxy API: %w", err)
	}
	if o.Token == "" {
		return nil, errors.New("proxy API: no token: set CONFIGPROXY_AUTH_TOKEN or ConfigurableHTTPProxy.auth_token")
	}
	if o.Concurrency <= 0 {
		o.Concurrency = 10
	}
	if o.Patience <= 0 {
		o.Patience = 30 * time.Second
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &CHPClient{
		o: o, base: t.scheme + "://" + t.host + t.prefix + APIPrefix, slots: make(chan struct{}, o.Concurrency),
		client: &http.Client{
			Transport:     newTransport(TransportOptions{TLS: o.TLS, HeaderTimeout: 20 * time.Second, MaxIdlePerHost: o.Concurrency}),
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// Close drops idle connections.
func (c *CHPClient) Close() { c.client.CloseIdleConnections() }

// AddRoute implements Router. Connection errors and answers from 500 on are retried until Patience or ctx ends.
func (c *CHPClient) AddRoute(ctx context.Context, routespec, target string, data map[string]any) error {
	spec, err := ParseRoutespec(routespec, c.o.HostRouting)
	if err != nil {
		return err
	}
	body := map[string]any{}
	maps.Copy(body, data)
	body["target"], body[hubMark] = target, true
	raw, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("route %q: encode its data: %w", spec, err)
	}
	_, err = c.request(ctx, http.MethodPost, chpPath(spec), raw)
	return err
}

// DeleteRoute implements Router. A route that is already gone is logged.
func (c *CHPClient) DeleteRoute(ctx context.Context, routespec string) error {
	spec, err := ParseRoutespec(routespec, c.o.HostRouting)
	if err != nil {
		return err
	}
	_, err = c.request(ctx, http.MethodDelete, chpPath(spec), nil)
	if e, ok := errors.AsType[*APIError](err); ok && e.Status == http.StatusNotFound {
		c.o.Log.WarnContext(ctx, "route was already deleted", "route", spec)
		return nil
	}
	return err
}

// Routes implements Router: routes that no hub added are left out.
func (c *CHPClient) Routes(ctx context.Context) (map[string]Route, error) {
	raw, err := c.request(ctx, http.MethodGet, "", nil)
	if err != nil {
		return nil, err
	}
	var list map[string]map[string]any
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, fmt.Errorf("proxy API: decode the list of routes: %w", err)
	}
	routes := make(map[string]Route, len(list))
	for key, data := range list {
		if _, marked := data[hubMark]; !marked {
			continue
		}
		r := Route{Routespec: routespecOfCHP(key, c.o.HostRouting), Data: data}
		r.Target, _ = data["target"].(string)
		if s, _ := data["last_activity"].(string); s != "" {
			if at, err := time.Parse(time.RFC3339, s); err == nil {
				r.LastActivity = at.UTC()
			}
		}
		for _, own := range []string{hubMark, "target", "last_activity"} {
			delete(data, own)
		}
		routes[r.Routespec] = r
	}
	return routes, nil
}

// request sends a request until it is answered for good.
func (c *CHPClient) request(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, c.o.Patience)
	defer cancel()
	delay := 100 * time.Millisecond
	for {
		raw, err := c.once(ctx, method, path, body)
		if e, ok := errors.AsType[*APIError](err); err == nil || ok && e.Status < 500 {
			return raw, err
		}
		c.o.Log.WarnContext(ctx, "request to the proxy failed, retrying", "route", path, "err", err)
		timer := time.NewTimer(delay/2 + rand.N(delay))
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil, fmt.Errorf("proxy API: gave up on %s %s: %w", method, path, err)
		case <-timer.C:
		}
		delay = min(2*delay, 5*time.Second)
	}
}

func (c *CHPClient) once(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	req, err := http.NewRequestWithContext(ctx, method, urlpath.Join(c.base, path), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "token "+c.o.Token)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := c.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		text, _ := io.ReadAll(io.LimitReader(res.Body, 200))
		return nil, &APIError{Method: method, Path: path, Status: res.StatusCode, Text: string(text)}
	}
	return io.ReadAll(res.Body)
}
