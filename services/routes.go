package services

import (
	"context"
	"net"
	"strconv"
	"time"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/orm"
)

// Routes are the routes of all services with a url, by routespec.
func (s *Services) Routes() map[string]hub.WantedRoute {
	out := map[string]hub.WantedRoute{}
	for _, sv := range s.all() {
		if sv.def.Addr != nil {
			out[s.o.Rows.Prefix(sv.def.Row.Name)] = hub.WantedRoute{Target: target(sv.def.Addr), Data: routeData(sv)}
		}
	}
	return out
}

func routeData(sv *service) map[string]any { return map[string]any{"service": sv.def.Row.Name} }

func target(a *orm.Server) string {
	return a.Proto + "://" + net.JoinHostPort(a.IP, strconv.Itoa(a.Port))
}

func (s *Services) route(ctx context.Context, sv *service) error {
	if sv.def.Addr == nil {
		return nil
	}
	return s.o.Router.AddRoute(ctx, s.o.Rows.Prefix(sv.def.Row.Name), target(sv.def.Addr), routeData(sv))
}

// defaultTimeout is how long a service may take to answer when its definition does not say.
const defaultTimeout = 30 * time.Second

// waitUp waits until a service answers at its address.
func (s *Services) waitUp(ctx context.Context, sv *service, alive func(context.Context) error) error {
	timeout := time.Duration(sv.def.Row.Timeout) * time.Second
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	_, err := s.o.Prober.WaitUp(ctx, target(sv.def.Addr)+s.o.Rows.Prefix(sv.def.Row.Name), alive)
	return err
}
