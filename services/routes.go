package services

import (
	"context"
	"net"
	"net/url"
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
			out[s.routespec(sv.def.Row.Name)] = hub.WantedRoute{Target: target(sv.def.Addr), Data: routeData(sv)}
		}
	}
	return out
}

// routespec is the service's path, with its host in front when it has a subdomain (behaviours.md 9).
func (s *Services) routespec(name string) string {
	at := s.place(name)
	if u, err := url.Parse(at.host); err == nil {
		return u.Hostname() + at.prefix
	}
	return at.prefix
}

func (s *Services) place(name string) place {
	return place{prefix: s.o.Rows.Prefix(name), host: s.o.Rows.Host(name)}
}

func routeData(sv *service) map[string]any { return map[string]any{"service": sv.def.Row.Name} }

func target(a *orm.Server) string {
	return a.Proto + "://" + net.JoinHostPort(a.IP, strconv.Itoa(a.Port))
}

func (s *Services) route(ctx context.Context, sv *service) error {
	if sv.def.Addr == nil {
		return nil
	}
	return s.o.Router.AddRoute(ctx, s.routespec(sv.def.Row.Name), target(sv.def.Addr), routeData(sv))
}

// defaultTimeout is how long a service may take to answer when its definition does not say.
const defaultTimeout = 30 * time.Second

// checkTimeout is how long a service may take to answer when it was there before.
const checkTimeout = 5 * time.Second

// waitUp waits until a service answers at its address, as long as its definition allows.
func (s *Services) waitUp(ctx context.Context, sv *service, alive func(context.Context) error) error {
	timeout := time.Duration(sv.def.Row.Timeout) * time.Second
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	return s.probe(ctx, sv, timeout, alive)
}

func (s *Services) probe(ctx context.Context, sv *service, timeout time.Duration, alive func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	_, err := s.o.Prober.WaitUp(ctx, target(sv.def.Addr)+s.o.Rows.Prefix(sv.def.Row.Name), alive)
	return err
}

// anyway is for those whose process is none of our business.
func anyway(context.Context) error { return nil }
