package hubapi

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
)

// maxAnswer is how much of an answer is read, in bytes; a page of 200 users with many servers is far below it.
const maxAnswer = 64 << 20

// Client calls the REST API of one hub as the owner of one token. It may be used by many goroutines at once.
type Client struct {
	api   string // without a slash at the end
	token string
	http  *http.Client
}

// Option changes a Client made by New.
type Option func(*Client)

// WithHTTPClient makes the client use h, for its own transport or time-out. The default is http.DefaultClient, which has no
// time-out: the context of each call decides.
func WithHTTPClient(h *http.Client) Option { return func(c *Client) { c.http = h } }

// New makes a client. apiURL is the address of the API with its path, for example "http://127.0.0.1:8000/hub/api"; token is an
// API token, or "" for what needs none.
func New(apiURL, token string, options ...Option) *Client {
	c := &Client{api: strings.TrimRight(apiURL, "/"), token: token, http: http.DefaultClient}
	for _, o := range options {
		o(c)
	}
	return c
}

// FromEnv makes a client from JUPYTERHUB_API_URL and JUPYTERHUB_API_TOKEN, which the hub sets for single-user servers and
// managed services. The error names the variable that is missing.
func FromEnv(options ...Option) (*Client, error) {
	values := map[string]string{}
	for _, name := range []string{"JUPYTERHUB_API_URL", "JUPYTERHUB_API_TOKEN"} {
		if values[name] = os.Getenv(name); values[name] == "" {
			return nil, fmt.Errorf("the variable %s is not set: the hub sets it for what it starts; set it yourself for anything else", name)
		}
	}
	return New(values["JUPYTERHUB_API_URL"], values["JUPYTERHUB_API_TOKEN"], options...), nil
}

// URL is the address of the API, without a slash at the end.
func (c *Client) URL() string { return c.api }

// As is a client of the same hub with another token.
func (c *Client) As(token string) *Client {
	other := *c
	other.token = token
	return &other
}

// request describes one call.
type request struct {
	method string
	path   string // below the API, escaped
	query  url.Values
	accept string
	body   any // nil: none
}

// do sends a request, decodes the answer into out (nil: not wanted) and returns the status.
func (c *Client) do(ctx context.Context, r request, out any) (int, error) {
	answer, err := c.send(ctx, r)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return 0, fmt.Errorf("read the hub's answer to %s %s: %w", r.method, r.path, err)
	}
	if answer.StatusCode >= 300 {
		return answer.StatusCode, refusal(r, answer, text)
	}
	if out == nil || len(bytes.TrimSpace(text)) == 0 {
		return answer.StatusCode, nil
	}
	if err := json.Unmarshal(text, out); err != nil {
		return answer.StatusCode, fmt.Errorf("decode the hub's answer to %s %s: %w", r.method, r.path, err)
	}
	return answer.StatusCode, nil
}

// send sends a request; the caller closes the body of the answer.
func (c *Client) send(ctx context.Context, r request) (*http.Response, error) {
	address := c.api + r.path
	if len(r.query) > 0 {
		address += "?" + r.query.Encode()
	}
	var body io.Reader
	if r.body != nil {
		text, err := json.Marshal(r.body)
		if err != nil {
			return nil, fmt.Errorf("encode the body of %s %s: %w", r.method, r.path, err)
		}
		body = bytes.NewReader(text)
	}
	q, err := http.NewRequestWithContext(ctx, r.method, address, body)
	if err != nil {
		return nil, fmt.Errorf("make the request %s %s: %w", r.method, r.path, err)
	}
	if c.token != "" {
		q.Header.Set("Authorization", "token "+c.token)
	}
	if r.accept != "" {
		q.Header.Set("Accept", r.accept)
	}
	if body != nil {
		q.Header.Set("Content-Type", "application/json")
	}
	answer, err := c.http.Do(q)
	if err != nil {
		return nil, fmt.Errorf("the hub cannot be reached: %w", err)
	}
	return answer, nil
}

// at joins segments to a path; each is escaped as one segment, so that "a/b" stays one name.
func at(segments ...string) string {
	var b strings.Builder
	for _, s := range segments {
		b.WriteByte('/')
		b.WriteString(url.PathEscape(s))
	}
	return b.String()
}
