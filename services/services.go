package services

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/internal/supervise"
	"github.com/minihub/minihub/orm"
)

// Options are what Services needs; all but Backoff, StopTimeouts and Logger are mandatory.
type Options struct {
	Store        *orm.Store
	Rows         *hub.ServiceRows
	Router       hub.Router
	Prober       hub.Prober
	Env          EnvOptions
	Backoff      supervise.Backoff      // between restarts; zero: from 1 s to 60 s
	StopTimeouts supervise.StopTimeouts // zero: JupyterHub's INT 30 s, TERM 30 s, KILL 5 s
	FirstRun     bool                   // nothing can be left of an earlier hub
	Logger       *slog.Logger
}

// Services are all services of the hub. Safe for concurrent use.
type Services struct {
	o  Options
	wg sync.WaitGroup // of waits in the background

	mu     sync.Mutex
	live   map[string]*service
	cancel context.CancelFunc // ends the waits in the background; nil before Start
	hubID  string             // "" before Start
}

// service is one service; nothing but its supervisor and what that tells changes after it was made.
type service struct {
	def   hub.ConfiguredService
	super *supervise.Supervisor // nil: not managed

	mu    sync.Mutex
	ended error // how the process ended last, with the last lines of its log
}

// View is a service with its live state.
type View struct {
	orm.Service
	Roles        []string
	Prefix       string // "/services/name/" below base_url, "" without url
	PID          int    // of the current or last run of a managed service, 0 when there was none
	Managed      bool
	Restarts     int // since the hub started
	Capabilities []string
	Href         string // where browsers find it, "" without url
}

// New returns Services without any; Load adds those that start-up found.
func New(o Options) *Services {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Services{o: o, live: map[string]*service{}}
}

// Load takes over the services that hub.Setup found.
func (s *Services) Load(list []hub.ConfiguredService) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, def := range list {
		s.live[def.Row.Name] = s.make(def)
	}
}

func (s *Services) make(def hub.ConfiguredService) *service {
	sv := &service{def: def}
	if def.Managed && def.Row.FromConfig {
		sv.super = s.supervisor(sv)
	}
	return sv
}

func (s *Services) all() []*service {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]*service, 0, len(s.live))
	for _, sv := range s.live {
		out = append(out, sv)
	}
	slices.SortFunc(out, func(a, b *service) int { return cmp.Compare(a.def.Row.ID, b.def.Row.ID) })
	return out
}

// List returns every service, in the order in which they were made. Two queries in all.
func (s *Services) List(ctx context.Context) ([]View, error) {
	rows, err := s.o.Store.Services(ctx)
	if err != nil {
		return nil, err
	}
	return s.views(ctx, rows)
}

// Get returns one service; NotFound when there is none of that name.
func (s *Services) Get(ctx context.Context, name string) (*View, error) {
	row, err := s.o.Store.ServiceByName(ctx, name)
	if errors.Is(err, orm.ErrNotFound) {
		return nil, &hub.Error{Kind: hub.NotFound, Message: "No such service: " + name}
	}
	if err != nil {
		return nil, err
	}
	views, err := s.views(ctx, []orm.Service{*row})
	if err != nil {
		return nil, err
	}
	return &views[0], nil
}

func (s *Services) views(ctx context.Context, rows []orm.Service) ([]View, error) {
	ids := make([]int64, len(rows))
	for i := range rows {
		ids[i] = rows[i].ID
	}
	roles, err := s.o.Store.RoleNamesOfServices(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := make([]View, len(rows))
	for i, row := range rows {
		v := View{Service: row, Roles: roles[row.ID]}
		s.mu.Lock()
		sv := s.live[row.Name]
		s.mu.Unlock()
		if row.ServerID != nil {
			v.Prefix = s.o.Rows.Prefix(row.Name)
			v.Href = cmp.Or(s.o.Rows.Host(row.Name), s.o.Env.PublicHost) + v.Prefix
		}
		if sv != nil {
			v.Capabilities, v.Managed = sv.def.Capabilities, sv.super != nil
			if sv.super != nil {
				st := sv.super.Status()
				// Between two runs the pid of the last one, as JupyterHub: whoever waits for a restart waits for another pid.
				v.PID, v.Restarts = st.LastPID, st.Restarts
			}
		}
		out[i] = v
	}
	return out, nil
}

// Create makes a service through the API and routes it; see hub.ServiceRows.Create for the errors. A proxy that does not answer is no
// reason to take the service back: the next check of the routes adds what is missing.
func (s *Services) Create(ctx context.Context, by *hub.Identity, spec hub.ServiceSpec) (*View, error) {
	def, err := s.o.Rows.Create(ctx, by, spec)
	if err != nil {
		return nil, err
	}
	sv := s.make(*def)
	s.mu.Lock()
	s.live[spec.Name] = sv
	s.mu.Unlock()
	if err := s.route(ctx, sv); err != nil {
		s.o.Logger.WarnContext(ctx, "service could not be routed yet", "service", spec.Name, "err", err)
	}
	return s.Get(ctx, spec.Name)
}

// Delete deletes a service that was created through the API, and its route; see hub.ServiceRows.Delete for the errors. A route that
// cannot be deleted now goes with the next check.
func (s *Services) Delete(ctx context.Context, name string) error {
	if err := s.o.Rows.Delete(ctx, name); err != nil {
		return err
	}
	s.mu.Lock()
	sv := s.live[name]
	delete(s.live, name)
	s.mu.Unlock()
	if sv == nil || sv.def.Addr == nil {
		return nil
	}
	if err := s.o.Router.DeleteRoute(ctx, s.routespec(name)); err != nil {
		s.o.Logger.WarnContext(ctx, "route of a deleted service is still there", "service", name, "err", err)
	}
	return nil
}
