package idp

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Person is somebody who can log in at the provider.
type Person struct {
	Name   string
	Email  string
	Hidden bool     // the address is not confirmed (OpenID Connect), or not public (GitHub)
	Groups []string // the claim groups
	Claims map[string]any
	Teams  []string // GitHub's, "organization:team"; a member of a team is one of its organization
}

// Provider is a running identity provider with one client, which every test may use.
type Provider struct {
	URL      string
	ClientID string
	Secret   string
	// Callback is the only address to which codes are sent; "" allows all of loopback.
	Callback string
	// PKCE makes requests without a code challenge fail.
	PKCE bool

	key *rsa.PrivateKey

	mu      sync.Mutex
	people  map[string]Person
	next    string
	codes   map[string]grant // by code
	tokens  map[string]grant // by access token
	refresh map[string]grant // by refresh token
	faults  map[string]int   // status by path
	calls   map[string]int
	issued  []string
	server  *http.Server
}

// grant is what a code or token stands for.
type grant struct {
	user, redirect, challenge, nonce, scope string
}

// TB is what Start needs of *testing.T.
type TB interface {
	Helper()
	Cleanup(func())
	Fatal(args ...any)
}

// Start starts a provider; it ends with the test.
func Start(t TB, people ...Person) *Provider {
	t.Helper()
	p, err := New(people...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// New starts a provider on a free port of 127.0.0.1; Close ends it.
func New(people ...Person) (*Provider, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, fmt.Errorf("idp: make a key: %w", err)
	}
	p := &Provider{ClientID: "the-hub", Secret: random(), key: key, people: map[string]Person{}, codes: map[string]grant{}, tokens: map[string]grant{},
		refresh: map[string]grant{}, faults: map[string]int{}, calls: map[string]int{}}
	for _, person := range people {
		p.Set(person)
	}
	mux := http.NewServeMux()
	p.openID(mux)
	p.gitHub(mux)
	p.server = &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if status := p.count(r.URL.Path); status != 0 {
			reply(w, status, map[string]any{"error": "server_error", "message": "the test wants this"})
			return
		}
		mux.ServeHTTP(w, r)
	})}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("idp: open a port: %w", err)
	}
	p.URL = "http://" + l.Addr().String()
	go func() { _ = p.server.Serve(l) }() // ends with Close
	return p, nil
}

// Close ends the provider.
func (p *Provider) Close() error { return p.server.Close() }

// count counts a request and gives the status with which it has to fail, 0 for none.
func (p *Provider) count(path string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls[path]++
	return p.faults[path]
}

// Set adds a person, or replaces what is known of one.
func (p *Provider) Set(person Person) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.people[person.Name] = person
}

// Next makes the provider behave as if its page had been filled in already: whoever comes is this person. "" shows the page again.
func (p *Provider) Next(user string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next = user
}

// Fail makes a path answer with this status; 0 lets it work again.
func (p *Provider) Fail(path string, status int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults[path] = status
}

// Expire ends the access tokens of a person; refresh tokens go on.
func (p *Provider) Expire(user string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	forget(p.tokens, user)
}

// Revoke ends all tokens of a person.
func (p *Provider) Revoke(user string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	forget(p.tokens, user)
	forget(p.refresh, user)
}

func forget(grants map[string]grant, user string) {
	for token, g := range grants {
		if g.user == user {
			delete(grants, token)
		}
	}
}

// Calls tells how often a path was asked for.
func (p *Provider) Calls(path string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls[path]
}

// Issued lists every secret that the provider has given out, with its client's secret: none may be in a log.
func (p *Provider) Issued() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append(slices.Clone(p.issued), p.Secret)
}

// Knows tells whether an access token is valid, and whose it is.
func (p *Provider) Knows(token string) (user string, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	g, ok := p.tokens[token]
	return g.user, ok
}

// person finds who asks, by the access token of the request.
func (p *Provider) person(r *http.Request) (Person, grant, bool) {
	kind, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	p.mu.Lock()
	defer p.mu.Unlock()
	g, ok := p.tokens[token]
	if !ok || !strings.EqualFold(kind, "Bearer") && !strings.EqualFold(kind, "token") {
		return Person{}, grant{}, false
	}
	return p.people[g.user], g, true
}

// issue makes a secret that stands for a grant.
func (p *Provider) issue(into map[string]grant, g grant) string {
	secret := random()
	p.mu.Lock()
	defer p.mu.Unlock()
	into[secret] = g
	p.issued = append(p.issued, secret)
	return secret
}

// take finds what a secret stands for and makes it invalid.
func (p *Provider) take(from map[string]grant, secret string) (grant, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	g, ok := from[secret]
	delete(from, secret)
	return g, ok
}

func random() string {
	b := make([]byte, 20)
	_, _ = rand.Read(b)
	return hex.EncodeToString(b)
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func refuse(w http.ResponseWriter, code, why string, values ...any) {
	reply(w, http.StatusBadRequest, map[string]any{"error": code, "error_description": fmt.Sprintf(why, values...)})
}
