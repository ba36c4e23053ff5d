package devserver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/minihub/minihub/app"
	"github.com/minihub/minihub/devserver/inspector"
	"github.com/minihub/minihub/devserver/trace"
	"github.com/minihub/minihub/hubapi"
	"github.com/minihub/minihub/hubtest"
	"github.com/minihub/minihub/internal/httpmw"
)

// Server is a running hub for development.
type Server struct {
	// URL is the hub's address, with a slash at its end.
	URL string
	// Token is an API token of an administrator, for the command lines that are shown.
	Token string

	o       Options
	spawner string // in words
	hub     *hubtest.Hub
	admin   *hubapi.Client // its requests are not recorded
	rec     *trace.Recorder
	console *console
	first   sync.Once
	ahead   time.Duration
	mu      sync.Mutex // of ahead

	procs  []*process
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

// ownHeader marks requests of minihub dev itself; its value is the administrator's token, so nobody else can hide.
const ownHeader = "X-Minihub-Dev"

// defaultAdmin owns the token of the examples when nobody is named.
const defaultAdmin = "admin"

// Start starts hub and services; the caller ends them with Close.
func Start(ctx context.Context, o Options) (*Server, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	address, err := freePort(o.IP, o.Port)
	if err != nil {
		return nil, err
	}
	o.Out, o.Log = cmp.Or[io.Writer](o.Out, io.Discard), cmp.Or[io.Writer](o.Log, io.Discard)
	s := &Server{o: o, rec: trace.NewRecorder(0)}
	s.console = newConsole(o.Log, o.Colours, names(o.Services)...)
	dir, err := os.Getwd()
	if err != nil {
		return nil, fmt.Errorf("find the working directory: %w", err)
	}
	for _, def := range o.Services {
		s.procs = append(s.procs, newProcess(def, dir, func() (map[string]string, error) { return s.environment(def.Name) }, s.console))
	}
	if err := s.startHub(ctx, address); err != nil {
		return nil, err
	}
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s.cancel = cancel
	for _, p := range s.procs {
		p.start(ctx)
		if p.super != nil && !o.NoWatch {
			s.wg.Go(func() { p.follow(run, s.rec.Touch) })
		}
	}
	s.banner()
	return s, nil
}

func names(services []Service) (out []string) {
	for _, s := range services {
		out = append(out, s.Name)
	}
	return out
}

// startHub builds the hub with the inspector in front of it.
func (s *Server) startHub(ctx context.Context, address string) error {
	i := inspector.New(inspector.Options{Recorder: s.rec, Actions: s, Own: s.own, Tell: s.tell, Down: s.down})
	hooks := i.Hooks()
	decided := hooks.Decided
	hooks.Decided = func(r *http.Request, d httpmw.Decision) {
		decided(r, d)
		s.promote(r, d)
	}
	ho := s.hubOptions()
	ho.Address = address
	ho.Tune = func(built *app.Options) {
		built.Inspect = hooks
		faulty := built.Handler
		built.Handler = func(next http.Handler) http.Handler { // the pages must be there to end what they ordered
			broken := faulty(next)
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if s.own(r) {
					next.ServeHTTP(w, r)
					return
				}
				broken.ServeHTTP(w, r)
			})
		}
		open := built.Listen
		built.Listen = func(ctx context.Context, network, address string) (net.Listener, error) {
			l, err := open(ctx, network, address)
			if err != nil {
				return nil, err
			}
			if err := onLoopback(l); err != nil {
				return nil, errors.Join(err, l.Close())
			}
			return l, nil
		}
	}
	var err error
	if s.hub, err = hubtest.Start(ctx, ho); err != nil {
		return err
	}
	s.URL = s.hub.URL
	s.admin = hubapi.New(s.hub.APIURL, s.hub.AdminToken, hubapi.WithHTTPClient(&http.Client{Transport: marked{s.hub.AdminToken}, Timeout: time.Minute}))
	token, err := s.admin.CreateToken(ctx, s.owner(), hubapi.NewToken{Note: "examples of minihub dev"})
	if err != nil {
		return errors.Join(fmt.Errorf("make a token for the examples: %w", err), s.hub.Close())
	}
	s.Token = token.Secret
	s.rec.Clear()
	return nil
}

// owner is whose token the examples use.
func (s *Server) owner() string {
	if len(s.o.Admins) > 0 {
		return s.o.Admins[0]
	}
	return defaultAdmin
}

// hubOptions are the hub's.
func (s *Server) hubOptions() hubtest.Options {
	log := hubWriter{s.console}
	ho := hubtest.Options{Log: app.NewLogger(log, app.LogOptions{Level: slog.LevelInfo, DateFmt: "15:04:05"}), Output: log}
	admins := s.o.Admins
	if len(admins) == 0 {
		admins = []string{defaultAdmin}
	}
	for _, name := range admins {
		ho.Users = append(ho.Users, hubtest.User{Name: name, Admin: true})
	}
	hub := map[string]any{"allow_named_servers": true}
	if s.o.DB != "" {
		path, err := filepath.Abs(s.o.DB)
		if err != nil {
			path = s.o.DB
		}
		hub["db_url"] = "sqlite:///" + path
	}
	access := []any{"self"}
	for _, def := range s.o.Services {
		service := map[string]any{"name": def.Name, "api_token": newToken()}
		if def.URL != "" {
			service["url"] = def.URL
			access = append(access, "access:services!service="+def.Name)
		}
		ho.Services = append(ho.Services, service)
		if len(def.Scopes) > 0 {
			ho.Roles = append(ho.Roles, map[string]any{"name": "service-" + def.Name, "services": []any{def.Name}, "scopes": texts(def.Scopes)})
		}
	}
	ho.Roles = append(ho.Roles, map[string]any{"name": "user", "scopes": access})
	var class string
	class, s.spawner = chooseSpawner(s.o.Spawner, exec.LookPath)
	hub["spawner_class"] = class
	ho.Config = map[string]map[string]any{"JupyterHub": hub}
	if class != "toy" && os.Geteuid() == 0 {
		ho.Config["Spawner"] = map[string]any{"args": []any{"--allow-root"}}
	}
	return ho
}

func texts(list []string) []any {
	out := make([]any, len(list))
	for i, v := range list {
		out[i] = v
	}
	return out
}

// chooseSpawner is the spawner class, and what it is in words.
func chooseSpawner(class string, look func(string) (string, error)) (string, string) {
	path, err := look("jupyterhub-singleuser")
	switch {
	case class == "toy":
		return class, "toy servers inside of the hub, as --spawner says"
	case class != "":
		return class, "those of the spawner " + class + ", as --spawner says"
	case err == nil:
		return "simple", "real processes of " + path
	}
	return "toy", "toy servers inside of the hub, because jupyterhub-singleuser is not in PATH"
}

// environment is what a service gets: this process's own, and what the hub gives to its services.
func (s *Server) environment(name string) (map[string]string, error) {
	own, err := s.hub.ServiceEnvironment(name)
	if err != nil {
		return nil, err
	}
	env := map[string]string{"PYTHONUNBUFFERED": "1"}
	for _, entry := range os.Environ() {
		key, value, _ := strings.Cut(entry, "=")
		env[key] = value
	}
	maps.Copy(env, own)
	return env, nil
}

// Done is closed when somebody asked the hub to end by its API.
func (s *Server) Done() <-chan struct{} { return s.hub.Done() }

// Close ends services and hub.
func (s *Server) Close() error {
	s.cancel()
	s.wg.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	errs := make([]error, len(s.procs))
	var stopping sync.WaitGroup
	for n, p := range s.procs {
		if p.super != nil {
			stopping.Go(func() { errs[n] = p.super.Stop(ctx) })
		}
	}
	stopping.Wait()
	return errors.Join(append(errs, s.hub.Close())...)
}

// marked marks requests of minihub dev itself.
type marked struct{ secret string }

// RoundTrip implements http.RoundTripper.
func (m marked) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set(ownHeader, m.secret)
	return http.DefaultTransport.RoundTrip(r)
}
