package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/proxy"
)

// listeners are the ports of the hub: the public one with the proxy, the private one for servers and services, and the proxy's REST API.
type listeners struct {
	log    *slog.Logger
	proxy  *proxy.Proxy // nil: another process is the proxy
	public string       // URL, for people
	list   []*listener
	fail   func(error)
	listen func(ctx context.Context, network, address string) (net.Listener, error)
	ending func() // ends streams that would go on for ever, before requests in progress are waited for
}

type listener struct {
	name  string
	trait string
	url   string // http://ip:port or http+unix://path
	mode  os.FileMode
	srv   *http.Server
	certs *proxy.Certificates
	ln    net.Listener
}

// outsideProxy tells whether another process is the proxy.
func (a *App) outsideProxy() bool { return !a.cfg.ProxyTraits().ShouldStart }

func loopback() []netip.Prefix {
	return []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
}

// newRoutes makes the keeper of routes with its proxy: the table of the one in this process, or the client of another one.
func (a *App) newRoutes() (*Routes, error) {
	r := &Routes{log: a.o.Logger, metrics: a.metrics, store: a.store, fixed: map[string]hub.WantedRoute{}, seen: map[string]time.Time{}}
	for spec, target := range a.cfg.ProxyTraits().ExtraRoutes {
		r.fixed[spec] = hub.WantedRoute{Target: target, Data: map[string]any{"extra": true}}
	}
	hosts := a.cfg.JupyterHub.SubdomainHost != ""
	if !a.outsideProxy() {
		r.proxy = proxy.NewTable(hosts)
		return r, nil
	}
	p := a.cfg.ProxyTraits()
	r.dial = func(apiURL, token string) (proxy.Router, error) {
		if apiURL == "" {
			apiURL = p.APIURL
		}
		if token == "" {
			token = a.secrets.proxyToken
		}
		return proxy.NewCHPClient(proxy.CHPClientOptions{URL: apiURL, Token: token, HostRouting: hosts, Concurrency: p.Concurrency, Log: a.o.Logger})
	}
	r.fixed[a.urls.HubRoutespec] = hub.WantedRoute{Target: a.urls.HubHost, Data: map[string]any{"hub": true}}
	var err error
	r.proxy, err = r.dial("", "")
	return r, err
}

func (a *App) buildListeners(context.Context) error {
	l := &listeners{log: a.o.Logger, public: a.urls.BindURL, fail: a.end, listen: a.o.Listen, ending: a.core.servers.Changes().Close}
	a.listen = l
	h := &a.cfg.JupyterHub
	l.list = append(l.list, &listener{name: "hub", trait: "JupyterHub.hub_bind_url", url: a.urls.HubBindURL, mode: os.FileMode(h.HubSocketMode), srv: proxy.NewServer(a.front("hub", a.edge.handler), a.o.Logger)})
	if a.outsideProxy() {
		if a.urls.PublicURL != "" {
			l.public = a.urls.PublicURL
		}
		return nil
	}
	return a.addProxy(l)
}

// addProxy adds the proxy of this process, and its REST API when somebody knows the token.
func (a *App) addProxy(l *listeners) error {
	h, table := &a.cfg.JupyterHub, a.core.routes.proxy.(*proxy.Table)
	from, err := trusted(h.TrustedDownstreamIPs)
	if err != nil {
		return err
	}
	l.proxy, err = proxy.New(proxy.Options{Table: table, Default: a.edge.handler, XForward: true, TrustedDownstream: from, Log: a.o.Logger,
		Error: a.proxyError})
	if err != nil {
		return err
	}
	if err := table.AddHandler(a.urls.HubRoutespec, a.edge.handler, a.urls.HubHost, map[string]any{"hub": true}); err != nil {
		return fmt.Errorf("JupyterHub.hub_routespec: %w", err)
	}
	pub := &listener{name: "public", trait: "JupyterHub.bind_url", url: a.urls.BindURL, srv: proxy.NewServer(a.front("public", l.proxy), a.o.Logger)}
	if h.SSLCert != "" {
		if pub.certs, err = proxy.LoadCertificates(h.SSLCert, h.SSLKey, a.o.Logger); err != nil {
			return fmt.Errorf("JupyterHub.ssl_cert and ssl_key: %w", err)
		}
	}
	l.list = append(l.list, pub)
	if a.secrets.proxyGiven {
		l.list = append(l.list, &listener{name: "proxy API", trait: "ConfigurableHTTPProxy.api_url", url: a.urls.ProxyAPIURL, srv: proxy.NewServer(table.API(a.secrets.proxyToken), a.o.Logger)})
	}
	return nil
}

// start opens all ports before it serves any of them, so that a port in use is noticed before anything is answered.
func (l *listeners) start(ctx context.Context) error {
	for _, it := range l.list {
		if err := it.open(ctx, l.listen); err != nil {
			l.closeAll()
			return fmt.Errorf("%s: %w", it.trait, err)
		}
	}
	for _, it := range l.list {
		go func() {
			if err := it.serve(); err != nil && !errors.Is(err, http.ErrServerClosed) {
				l.fail(fmt.Errorf("%s listener: %w", it.name, err))
			}
		}()
	}
	return nil
}

func (l *listeners) closeAll() {
	for _, it := range l.list {
		if it.ln != nil {
			_ = it.ln.Close()
		}
	}
}

func (it *listener) open(ctx context.Context, listen func(ctx context.Context, network, address string) (net.Listener, error)) error {
	network, addr, err := listenAddress(it.url)
	if err != nil {
		return err
	}
	if network == "unix" {
		_ = os.Remove(addr) // left by a hub that was killed
	}
	if it.ln, err = listen(ctx, network, addr); err != nil {
		return fmt.Errorf("cannot listen: %w; %s", err, listenAdvice(network, err))
	}
	if network == "unix" && it.mode != 0 {
		return os.Chmod(addr, it.mode)
	}
	return nil
}

// listenAdvice is the way out when a listener cannot be opened.
func listenAdvice(network string, err error) string {
	switch {
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return "this machine does not have that address: use one of its own, or 0.0.0.0 for all"
	case errors.Is(err, os.ErrPermission) && network == "unix":
		return "make the socket's directory writable for the hub, or choose another path"
	case errors.Is(err, os.ErrPermission):
		return "ports below 1024 need root or CAP_NET_BIND_SERVICE: choose another port"
	case network == "unix":
		return "choose another path"
	}
	return "choose another port, or stop what uses it"
}

func (it *listener) serve() error {
	if it.certs != nil {
		return proxy.ServeTLS(it.srv, it.ln, it.certs.TLSConfig())
	}
	return it.srv.Serve(it.ln)
}

// listenAddress takes a bind URL apart.
func listenAddress(raw string) (network, addr string, err error) {
	if rest, ok := strings.CutPrefix(raw, "http+unix://"); ok {
		if quoted, _, _ := strings.Cut(rest, "/"); quoted != "" {
			rest = quoted // what follows is the path of the URL, like /hub/
		}
		path, err := url.PathUnescape(strings.TrimRight(rest, "/"))
		return "unix", path, err
	}
	u, err := url.Parse(raw)
	if err != nil {
		return "", "", err
	}
	host, port := u.Hostname(), u.Port()
	if host == "*" {
		host = ""
	}
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return "tcp", net.JoinHostPort(host, port), nil
}

// stop ends accepting, waits for requests in progress and for upgraded connections until ctx ends, and closes what is left then.
func (l *listeners) stop(ctx context.Context) error {
	l.ending()
	var errs []error
	done := make(chan error, len(l.list)+1)
	for _, it := range l.list {
		go func() { done <- it.srv.Shutdown(ctx) }()
	}
	n := len(l.list)
	if l.proxy != nil {
		n++
		go func() { done <- l.proxy.Shutdown(ctx) }()
	}
	for range n {
		if err := <-done; err != nil && !errors.Is(err, context.DeadlineExceeded) {
			errs = append(errs, err)
		}
	}
	for _, it := range l.list {
		_ = it.srv.Close()
	}
	return errors.Join(errs...)
}

// publicURL is the address to open, with the port that was really bound.
func (l *listeners) publicURL() string {
	u, err := url.Parse(l.public)
	if err != nil || u.Scheme == "http+unix" {
		return l.public
	}
	for _, it := range l.list {
		if it.name == "public" && it.ln != nil {
			if _, port, err := net.SplitHostPort(it.ln.Addr().String()); err == nil {
				host := u.Hostname()
				if host == "" || host == "*" || host == "0.0.0.0" || host == "::" {
					host = "127.0.0.1"
				}
				u.Host = net.JoinHostPort(host, port)
			}
		}
	}
	return u.String()
}
