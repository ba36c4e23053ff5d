package hub

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/spawner"
)

// setAddr puts the scheme, host and port of rawURL into a.
func setAddr(a *orm.Server, rawURL string) error {
	if socket, ok := strings.CutPrefix(rawURL, "http+unix://"); ok { // the host part is the path, percent-encoded: nothing that net/url takes
		a.Proto, a.IP, a.Port = "http+unix", strings.TrimSuffix(socket, "/"), 0
		if a.IP == "" {
			return fmt.Errorf("%q names no socket", rawURL)
		}
		return nil
	}
	u, err := url.Parse(rawURL)
	if err != nil {
		return err
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("%q is neither http:// nor https:// nor http+unix://", rawURL)
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	n, err := strconv.Atoi(port)
	if err != nil || u.Hostname() == "" {
		return fmt.Errorf("%q is not scheme://host:port", rawURL)
	}
	a.Proto, a.IP, a.Port = u.Scheme, u.Hostname(), n
	return nil
}

// addrURL is where the hub and the proxy connect to: scheme://host:port, no path.
func addrURL(a *orm.Server) string {
	if a.Proto == "http+unix" {
		return a.Proto + "://" + a.IP
	}
	ip := a.IP
	if ip == "" || ip == "0.0.0.0" || ip == "::" {
		ip = "127.0.0.1" // listening everywhere: reachable here
	}
	return a.Proto + "://" + net.JoinHostPort(ip, strconv.Itoa(a.Port))
}

// waitUp waits under http_timeout until the server answers, or until its process is gone.
func (s *Servers) waitUp(ctx context.Context, l *liveServer, timeout time.Duration) error {
	l.mu.Lock()
	addr, sp := l.addr, l.sp
	l.mu.Unlock()
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, errHTTPTimeout)
	defer cancel()
	alive := func(ctx context.Context) error {
		if exit, err := sp.Poll(ctx); err == nil && exit != nil {
			return &exitedError{exit}
		}
		return nil
	}
	version, err := s.o.Prober.WaitUp(ctx, addrURL(addr)+addr.BaseURL+"api", alive)
	if err != nil {
		if errors.Is(context.Cause(ctx), errHTTPTimeout) {
			return fmt.Errorf("%w: %w", errHTTPTimeout, err)
		}
		return err
	}
	if version != "" && !sameMajor(version) {
		s.o.Logger.WarnContext(ctx, "server runs another major version of JupyterHub than the hub is compatible with",
			"user", l.userName, "server", l.name, "version", version)
	}
	return nil
}

// exitedError says that the process ended before it answered.
type exitedError struct{ exit *spawner.Exit }

func (e *exitedError) Error() string { return "the server's process ended: " + exitText(e.exit) }

func exitText(e *spawner.Exit) string {
	if e.Reason != "" {
		return e.Reason
	}
	return "exit code " + strconv.Itoa(e.Code)
}

// addRoute gives the server its route. It is the path that its process was told, whatever the user's name is by now.
func (s *Servers) addRoute(ctx context.Context, l *liveServer) error {
	l.mu.Lock()
	spec, target, data := s.o.Traits.URLs.routespec(l.userName, l.addr.BaseURL), addrURL(l.addr), routeData(l)
	l.routed = spec
	l.mu.Unlock()
	begin := time.Now()
	err := s.o.Router.AddRoute(ctx, spec, target, data)
	s.o.Observer.RouteAdded(time.Since(begin), err == nil)
	return err
}

func (s *Servers) deleteRoute(ctx context.Context, l *liveServer) {
	l.mu.Lock()
	spec := l.routed
	l.routed = ""
	l.mu.Unlock()
	if spec == "" {
		return
	}
	begin := time.Now()
	err := s.o.Router.DeleteRoute(ctx, spec)
	s.o.Observer.RouteDeleted(time.Since(begin), err == nil)
	if err != nil {
		s.o.Logger.ErrorContext(ctx, "proxy route could not be deleted", "user", l.userName, "server", l.name, "route", spec, "err", err)
	}
}
