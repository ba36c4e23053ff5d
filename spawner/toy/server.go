package toy

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Version is what the server says it is compatible with, in X-JupyterHub-Version.
const Version = "6.1.1"

// ServerOptions configure one server.
type ServerOptions struct {
	Env    map[string]string // JUPYTERHUB_* as env.md A lists them
	Client *http.Client      // for requests to the hub; nil: one without an HTTP proxy
	Logger *slog.Logger      // may be nil
}

// Server is a single-user server. Serve its handler at JUPYTERHUB_SERVICE_URL and call Run.
type Server struct {
	set     settings
	hub     *hubClient
	seal    sealer
	log     *slog.Logger
	started time.Time
	mux     *http.ServeMux

	ending  chan struct{} // closed when Run ends: sockets close
	sockets sync.WaitGroup

	mu    sync.Mutex
	last  time.Time // of the last request or message by a person
	conns int
}

// NewServer reads the environment; its error names the variable that is missing or wrong.
func NewServer(opts ServerOptions) (*Server, error) {
	set, err := readSettings(opts.Env)
	if err != nil {
		return nil, err
	}
	seal, err := newSealer()
	if err != nil {
		return nil, fmt.Errorf("make cookie key: %w", err)
	}
	if opts.Client == nil {
		opts.Client = &http.Client{Transport: &http.Transport{}, Timeout: 20 * time.Second}
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	now := time.Now()
	s := &Server{set: set, seal: seal, log: opts.Logger, started: now, last: now, ending: make(chan struct{})}
	s.hub = &hubClient{set: &s.set, http: opts.Client, cache: map[cacheKey]cacheEntry{}}
	s.mux = s.routes()
	return s, nil
}

// routes are relative to the prefix, which ServeHTTP cuts off.
func (s *Server) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.page(s.home))
	mux.HandleFunc("GET /whoami", s.api(s.whoami))
	mux.HandleFunc("GET /api", s.version)
	mux.HandleFunc("GET /api/status", s.api(s.status))
	mux.HandleFunc("GET /api/kernels", s.api(func(w http.ResponseWriter, _ *http.Request, _ *userModel) { writeJSON(w, http.StatusOK, []any{}) }))
	mux.HandleFunc("GET /ws", s.api(s.echo))
	mux.HandleFunc("GET /api/kernels/{kernel}/channels", s.api(s.echo))
	mux.HandleFunc("GET /oauth_callback", s.callback)
	mux.HandleFunc("GET /logout", s.logout)
	return mux
}

// ServeHTTP compares decoded paths, because clients and proxies differ in what they encode.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-JupyterHub-Version", Version)
	w.Header().Set("Content-Security-Policy", "default-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	rest, ok := strings.CutPrefix(r.URL.Path, s.set.plainPrefix)
	if !ok {
		if r.URL.Path+"/" == s.set.plainPrefix {
			redirect(w, s.set.prefix)
			return
		}
		s.fail(w, r, http.StatusNotFound, "this server serves paths below "+s.set.prefix)
		return
	}
	inner := r.Clone(r.Context())
	inner.URL.Path, inner.URL.RawPath = "/"+rest, ""
	// Handlers see the original request; only the mux needs the rest of the path.
	handler, pattern := s.mux.Handler(inner)
	if pattern == "" {
		s.fail(w, r, http.StatusNotFound, "no such page")
		return
	}
	handler.ServeHTTP(w, r)
}

// Run reports activity until ctx ends, then closes WebSockets and waits for them. It runs once.
func (s *Server) Run(ctx context.Context) {
	s.reportActivity(ctx)
	s.mu.Lock() // against a socket that is registering
	close(s.ending)
	s.mu.Unlock()
	s.sockets.Wait()
}

type handler func(http.ResponseWriter, *http.Request, *userModel)

// page sends who is not logged in to the hub.
func (s *Server) page(next handler) http.HandlerFunc {
	return s.withUser(next, s.login)
}

// api refuses who is not logged in.
func (s *Server) api(next handler) http.HandlerFunc {
	return s.withUser(next, func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, r, http.StatusForbidden, "log in first, or send an Authorization header with a token of the hub")
	})
}

func (s *Server) withUser(next handler, anonymous http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		user, given, err := s.identify(w, r)
		switch {
		case err != nil:
			s.log.ErrorContext(r.Context(), "user not identified", "err", err)
			s.fail(w, r, http.StatusBadGateway, "the hub's API did not answer; try again in a moment")
		case user == nil && given:
			s.fail(w, r, http.StatusForbidden, "the hub does not know this token")
		case user == nil:
			anonymous(w, r)
		case !s.set.maySee(user.Scopes):
			s.log.WarnContext(r.Context(), "access refused", "user", user.Name, "needed", s.set.accessScopes)
			s.fail(w, r, http.StatusForbidden, fmt.Sprintf("%s %s may not use this server: one of the scopes %s is needed",
				user.Kind, user.Name, strings.Join(s.set.accessScopes, ", ")))
		default:
			s.touch()
			next(w, r, user)
		}
	}
}

// identify looks for a token in the header, then in the URL when that is allowed, then in the cookie. given says that
// the client showed a token on purpose, so that sending it to a login page would be no answer.
func (s *Server) identify(w http.ResponseWriter, r *http.Request) (user *userModel, given bool, err error) {
	if kind, token, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && token != "" &&
		(strings.EqualFold(kind, "token") || strings.EqualFold(kind, "bearer")) {
		user, err = s.hub.userOf(r.Context(), "", strings.TrimSpace(token))
		return user, true, err
	}
	if token := r.URL.Query().Get("token"); token != "" && s.set.tokenInURL {
		user, err = s.hub.userOf(r.Context(), "", token)
		if user != nil {
			s.setToken(w, r, token) // the pages that follow have no token in their URL
		}
		return user, true, err
	}
	var token string
	if !s.readCookie(r, s.cookieName(""), &token) {
		return nil, false, nil
	}
	user, err = s.hub.userOf(r.Context(), session(r), token)
	return user, false, err
}

func (s *Server) version(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]string{"version": "toy-" + Version})
}

func (s *Server) status(w http.ResponseWriter, _ *http.Request, _ *userModel) {
	s.mu.Lock()
	last, conns := s.last, s.conns
	s.mu.Unlock()
	writeJSON(w, http.StatusOK, map[string]any{
		"started": s.started.UTC(), "last_activity": last.UTC(), "connections": conns, "kernels": 0,
	})
}

func (s *Server) whoami(w http.ResponseWriter, _ *http.Request, user *userModel) {
	writeJSON(w, http.StatusOK, map[string]any{
		"name": user.Name, "kind": user.Kind, "admin": user.Admin, "groups": user.Groups, "scopes": user.Scopes,
		"server_user": s.set.user, "server_name": s.set.server, "env": s.set.names,
	})
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value)
}
