package toy_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/minihub/minihub/spawner"
	"github.com/minihub/minihub/spawner/spawnertest"
	"github.com/minihub/minihub/spawner/toy"
)

// fakeHub is what a toy server needs of a hub: authorize, token, user, activity. It checks what the server sends.
type fakeHub struct {
	*httptest.Server
	t *testing.T

	mu       sync.Mutex
	users    map[string]map[string]any // by token
	codes    map[string]url.Values     // what authorize got
	login    string                    // token of who authorizes next
	asked    map[string]int            // requests by path
	activity []map[string]any
	broken   bool // every answer is a 500
}

func newHub(t *testing.T) *fakeHub {
	t.Helper()
	h := &fakeHub{t: t, users: map[string]map[string]any{}, codes: map[string]url.Values{}, asked: map[string]int{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /hub/api/oauth2/authorize", h.authorize)
	mux.HandleFunc("POST /hub/api/oauth2/token", h.token)
	mux.HandleFunc("GET /hub/api/user", h.user)
	mux.HandleFunc("POST /hub/api/users/{user}/activity", h.report)
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		h.asked[r.URL.Path]++
		broken := h.broken
		h.mu.Unlock()
		if broken {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(h.Close)
	return h
}

// know makes a token valid.
func (h *fakeHub) know(token, name string, scopes ...string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.users[token] = map[string]any{"kind": "user", "name": name, "admin": false, "groups": []string{"g1"}, "scopes": scopes}
}

func (h *fakeHub) authorize(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	for name, want := range map[string]string{"response_type": "code", "code_challenge_method": "S256"} {
		if query.Get(name) != want {
			h.t.Errorf("authorize: %s=%q, want %q", name, query.Get(name), want)
		}
	}
	h.mu.Lock()
	code := fmt.Sprint("code-", len(h.codes))
	h.codes[code] = query
	h.mu.Unlock()
	http.Redirect(w, r, query.Get("redirect_uri")+"?code="+code+"&state="+url.QueryEscape(query.Get("state")), http.StatusFound)
}

func (h *fakeHub) token(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	h.mu.Lock()
	defer h.mu.Unlock()
	asked, ok := h.codes[r.PostForm.Get("code")]
	delete(h.codes, r.PostForm.Get("code"))
	sum := sha256.Sum256([]byte(r.PostForm.Get("code_verifier")))
	switch {
	case !ok:
		http.Error(w, `{"error": "invalid_grant"}`, http.StatusBadRequest)
		return
	case asked.Get("code_challenge") != base64.RawURLEncoding.EncodeToString(sum[:]):
		h.t.Error("the PKCE verifier does not fit the challenge")
	case r.PostForm.Get("client_id") != asked.Get("client_id") || r.PostForm.Get("redirect_uri") != asked.Get("redirect_uri"):
		h.t.Errorf("token request %v for %v", r.PostForm, asked)
	case r.PostForm.Get("client_secret") != "0123456789abcdef0123456789abcdef" || r.PostForm.Get("grant_type") != "authorization_code":
		h.t.Error("wrong secret or grant type")
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"access_token": h.login, "token_type": "Bearer"})
}

func (h *fakeHub) user(w http.ResponseWriter, r *http.Request) {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "token ")
	h.mu.Lock()
	defer h.mu.Unlock()
	model, ok := h.users[token]
	if !ok {
		http.Error(w, `{"status": 403, "message": "Missing or invalid credentials."}`, http.StatusForbidden)
		return
	}
	_ = json.NewEncoder(w).Encode(model)
}

func (h *fakeHub) report(w http.ResponseWriter, r *http.Request) {
	var body map[string]any
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil || r.Header.Get("Authorization") != "token 0123456789abcdef0123456789abcdef" {
		h.t.Errorf("activity: %v, authorization %q", err, r.Header.Get("Authorization"))
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.activity = append(h.activity, body)
}

func (h *fakeHub) count(path string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.asked[path]
}

// browser is a client with cookies, which follows no redirect by itself.
type browser struct {
	*http.Client
	t *testing.T
}

func newBrowser(t *testing.T) browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return browser{&http.Client{Jar: jar, Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, t}
}

type answer struct {
	status int
	header http.Header
	body   string
}

func (b browser) get(target string, headers ...string) answer {
	b.t.Helper()
	req, err := http.NewRequest(http.MethodGet, target, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := b.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	var body strings.Builder
	if _, err := fmt.Fprint(&body, readAll(b.t, resp)); err != nil {
		b.t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, body.String()}
}

// follow goes from answer to answer; paths are completed by base, as a browser behind the proxy does.
func (b browser) follow(a answer, base string) answer {
	b.t.Helper()
	for range 10 {
		if a.status != http.StatusFound {
			return a
		}
		next := a.header.Get("Location")
		if strings.HasPrefix(next, "/") {
			next = base + next
		}
		a = b.get(next)
	}
	b.t.Fatal("too many redirects")
	return a
}

// toyServer is a server of a driver, and its hub.
type toyServer struct {
	hub    *fakeHub
	driver *toy.Driver
	sp     spawner.Spawner
	base   string // scheme://host:port
	url    string // with the prefix
}

func startToy(t *testing.T, id spawner.Identity, change func(*spawner.Request)) toyServer {
	t.Helper()
	s := toyServer{hub: newHub(t), driver: toy.New(toy.Options{})}
	t.Cleanup(func() { _ = s.driver.Close() })
	req := request(t, s.driver, id, s.hub)
	if change != nil {
		change(&req)
	}
	s.sp = s.driver.New(id)
	base, err := s.sp.Start(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	s.base, s.url = base, base+req.BaseURL
	return s
}

func request(t *testing.T, driver spawner.Driver, id spawner.Identity, hub *fakeHub) spawner.Request {
	t.Helper()
	req := spawnertest.Request(t, driver, id)
	req.Env = spawnertest.Env(req, hub.URL+"/hub/api")
	// The hub is at another address than the server here; in life the proxy is in front of both.
	req.Env["JUPYTERHUB_HOST"] = hub.URL
	host := fmt.Sprintf("http://127.0.0.1:%d", req.Port)
	req.Env["JUPYTERHUB_OAUTH_CALLBACK_URL"] = host + req.Env["JUPYTERHUB_OAUTH_CALLBACK_URL"]
	return req
}
