package toy

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// userModel is the part of the hub's answer that a server looks at.
type userModel struct {
	Name   string   `json:"name"`
	Kind   string   `json:"kind"`
	Admin  bool     `json:"admin"`
	Groups []string `json:"groups"`
	Scopes []string `json:"scopes"`
}

// errHub is wrapped by errors which are the hub's or the network's fault; the answer is a 5xx then, never "not allowed".
var errHub = errors.New("the hub's API did not answer as expected")

const (
	cacheAge = 5 * time.Minute
	cacheMax = 1000
)

// hubClient asks the hub.
type hubClient struct {
	set  *settings
	http *http.Client

	mu    sync.Mutex
	cache map[cacheKey]cacheEntry
}

// cacheKey includes the session: without its cookie, after a logout, a token is checked anew.
type cacheKey struct {
	session string
	token   [sha256.Size]byte
}

type cacheEntry struct {
	user  *userModel
	until time.Time
}

// userOf returns nil when the hub does not know the token.
func (c *hubClient) userOf(ctx context.Context, session, token string) (*userModel, error) {
	key := cacheKey{session, sha256.Sum256([]byte(token))}
	c.mu.Lock()
	entry, hit := c.cache[key]
	c.mu.Unlock()
	if hit && time.Now().Before(entry.until) {
		return entry.user, nil
	}
	var user userModel
	status, err := c.do(ctx, http.MethodGet, c.set.apiURL+"/user", token, nil, &user)
	if status == http.StatusForbidden {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.cache) >= cacheMax {
		clear(c.cache)
	}
	c.cache[key] = cacheEntry{&user, time.Now().Add(cacheAge)}
	return &user, nil
}

func (c *hubClient) forget(session, token string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.cache, cacheKey{session, sha256.Sum256([]byte(token))})
}

// exchange turns an authorization code into a token (RFC 6749 4.1.3, RFC 7636 4.5).
func (c *hubClient) exchange(ctx context.Context, code, verifier string) (string, error) {
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {c.set.callback},
		"client_id": {c.set.clientID}, "client_secret": {c.set.token}, "code_verifier": {verifier},
	}
	var answer struct {
		Token string `json:"access_token"`
	}
	if _, err := c.do(ctx, http.MethodPost, c.set.apiURL+"/oauth2/token", "", form, &answer); err != nil {
		return "", err
	}
	if answer.Token == "" {
		return "", fmt.Errorf("exchange authorization code: %w: no access_token", errHub)
	}
	return answer.Token, nil
}

// reportActivity tells the hub when the server was used last.
func (c *hubClient) reportActivity(ctx context.Context, last time.Time) error {
	stamp := last.UTC().Format("2006-01-02T15:04:05.000000Z")
	body := map[string]any{
		"servers":       map[string]any{c.set.server: map[string]any{"last_activity": stamp}},
		"last_activity": stamp,
	}
	_, err := c.do(ctx, http.MethodPost, c.set.activityURL, c.set.token, body, nil)
	return err
}

// do sends a form or JSON and decodes JSON. The error of an unexpected status names the status, never the body, which
// may repeat what was sent.
func (c *hubClient) do(ctx context.Context, method, target, token string, body, into any) (int, error) {
	var reader io.Reader
	kind := ""
	switch body := body.(type) {
	case nil:
	case url.Values:
		reader, kind = strings.NewReader(body.Encode()), "application/x-www-form-urlencoded"
	default:
		data, err := json.Marshal(body)
		if err != nil {
			return 0, fmt.Errorf("encode request to the hub: %w", err)
		}
		reader, kind = bytes.NewReader(data), "application/json"
	}
	req, err := http.NewRequestWithContext(ctx, method, target, reader)
	if err != nil {
		return 0, fmt.Errorf("ask the hub: %w", err)
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	if token != "" {
		req.Header.Set("Authorization", "token "+token)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", errHub, err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err == nil && (resp.StatusCode < 200 || resp.StatusCode > 299) {
		err = fmt.Errorf("%s %s answered %s", method, req.URL.Path, resp.Status)
	}
	if err == nil && into != nil {
		err = json.Unmarshal(data, into)
	}
	if err != nil {
		return resp.StatusCode, fmt.Errorf("%w: %w", errHub, err)
	}
	return resp.StatusCode, nil
}
