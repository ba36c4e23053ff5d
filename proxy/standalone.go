package proxy

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// healthPath answers 200 while the stand-alone proxy lives.
const healthPath = "/_chp_healthz"

// drainTime is how long RunStandalone lets requests and upgraded connections end by themselves.
const drainTime = 5 * time.Second

// RunStandalone is the whole of `minihub proxy`: it listens, routes and serves the API until ctx ends, and then stops in order:
// listeners, requests, upgraded connections. It returns nil after an orderly stop, and an error when a listener, file or
// setting is not usable.
func RunStandalone(ctx context.Context, o StandaloneOptions) error {
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: o.LogLevel}))
	}
	if o.Port == 0 {
		o.Port = 8000
	}
	if o.APIPort == 0 {
		o.APIPort = o.Port + 1
	}
	if len(o.TrustedDownstream) == 0 {
		o.TrustedDownstream = everyone
	}
	s := &standalone{o: o}
	defer s.cleanUp()
	if err := s.setUp(ctx); err != nil {
		return err
	}
	return s.run(ctx)
}

type standalone struct {
	o       StandaloneOptions
	proxy   *Proxy
	errs    *errorPages
	servers []served
	files   []string // removed at the end
}

// served is a listener with its server.
type served struct {
	name string
	l    net.Listener
	srv  *http.Server
	tls  *tls.Config // nil: plain
}

func (s *standalone) setUp(ctx context.Context) error {
	o := s.o
	table := NewTable(o.HostRouting)
	if o.DefaultTarget != "" {
		if err := table.Add("/", o.DefaultTarget, nil); err != nil {
			return err
		}
	}
	clientTLS, err := o.ClientTLS.client(o.Insecure)
	if err != nil {
		return err
	}
	transport := TransportOptions{HeaderTimeout: o.ProxyTimeout, TLS: clientTLS}
	s.errs = &errorPages{target: o.ErrorTarget, dir: o.ErrorPath, log: o.Log, client: &http.Client{
		Transport: newTransport(TransportOptions{HeaderTimeout: 10 * time.Second, TLS: clientTLS}), Timeout: 20 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	s.proxy, err = New(Options{
		Table: table, Error: s.errs.write, TrustedDownstream: o.TrustedDownstream, XForward: !o.NoXForward, Transport: transport, Rewrite: o.Rewrite, Log: o.Log,
	})
	if err != nil {
		return err
	}
	if o.AuthToken == "" {
		o.Log.WarnContext(ctx, "the REST API is open to everybody who reaches it: set CONFIGPROXY_AUTH_TOKEN")
	}
	if err := s.listen(ctx, "proxy", s.public(), o.IP, o.Port, o.Socket, o.TLS); err != nil {
		return err
	}
	if err := s.listen(ctx, "api", table.API(o.AuthToken), o.APIIP, o.APIPort, o.APISocket, o.APITLS); err != nil {
		return err
	}
	if o.RedirectPort != 0 {
		if err := s.listen(ctx, "redirect", s.redirect(), o.IP, o.RedirectPort, "", TLSFiles{}); err != nil {
			return err
		}
	}
	return s.writePID()
}

func (s *standalone) public() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.RequestURI == healthPath {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"status":"OK"}`)
			return
		}
		s.proxy.ServeHTTP(w, r)
	})
}

// redirect sends plain HTTP requests to the HTTPS port.
func (s *standalone) redirect() http.Handler {
	to := s.o.RedirectTo
	if to == 0 {
		to = s.o.Port
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := hostname(r.Host)
		if host == "" || !plainHost(host) {
			http.Error(w, fmt.Sprintf("this server speaks HTTPS on port %d, and the request does not name a host to redirect to", to), http.StatusBadRequest)
			return
		}
		if to != 443 {
			host += ":" + strconv.Itoa(to)
		}
		w.Header().Set("Location", "https://"+host+r.URL.RequestURI())
		w.WriteHeader(http.StatusMovedPermanently)
	})
}

func (s *standalone) listen(ctx context.Context, name string, h http.Handler, ip string, port int, socket string, files TLSFiles) error {
	if ip == "*" {
		ip = ""
	}
	network, addr := "tcp", net.JoinHostPort(ip, strconv.Itoa(port))
	if socket != "" {
		network, addr = "unix", socket
		if err := removeStaleSocket(ctx, socket); err != nil {
			return err
		}
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, network, addr)
	if err != nil {
		return fmt.Errorf("listen for the %s: %w", name, err)
	}
	if s.o.Timeout > 0 && name == "proxy" {
		l = idleListener{l, s.o.Timeout}
	}
	v := served{name: name, l: l, srv: NewServer(h, s.o.Log)}
	if s.o.KeepAlive > 0 {
		v.srv.IdleTimeout = s.o.KeepAlive
	}
	s.servers = append(s.servers, v)
	if files.Cert != "" {
		if s.servers[len(s.servers)-1].tls, err = files.server(s.o.Log); err != nil {
			return err
		}
	}
	s.o.Log.InfoContext(ctx, "listening", "part", name, "address", l.Addr().String(), "tls", files.Cert != "")
	return nil
}

// removeStaleSocket removes a socket that nobody listens on, as a killed proxy leaves it.
func removeStaleSocket(ctx context.Context, path string) error {
	fi, err := os.Stat(path)
	if err != nil || fi.Mode()&os.ModeSocket == 0 {
		return nil // Listen will say what is wrong
	}
	var d net.Dialer
	if c, err := d.DialContext(ctx, "unix", path); err == nil {
		_ = c.Close()
		return fmt.Errorf("listen on socket %s: another process listens there", path)
	}
	return os.Remove(path)
}

func (s *standalone) writePID() error {
	if s.o.PIDFile == "" {
		return nil
	}
	if err := os.WriteFile(s.o.PIDFile, []byte(strconv.Itoa(os.Getpid())), 0o644); err != nil {
		return fmt.Errorf("write the pid file: %w", err)
	}
	s.files = append(s.files, s.o.PIDFile)
	return nil
}

// run serves until ctx ends or a listener fails.
func (s *standalone) run(ctx context.Context) error {
	failed := make(chan error, len(s.servers))
	var wg sync.WaitGroup
	for _, v := range s.servers {
		wg.Go(func() {
			var err error
			if v.tls != nil {
				err = ServeTLS(v.srv, v.l, v.tls)
			} else {
				err = v.srv.Serve(v.l)
			}
			if !errors.Is(err, http.ErrServerClosed) {
				failed <- fmt.Errorf("serve the %s: %w", v.name, err)
			}
		})
	}
	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
		s.o.Log.InfoContext(ctx, "stopping")
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	var drain sync.WaitGroup
	drain.Go(func() { _ = s.proxy.Shutdown(stop) })
	for _, v := range s.servers {
		drain.Go(func() {
			if v.srv.Shutdown(stop) != nil {
				_ = v.srv.Close()
			}
		})
	}
	drain.Wait()
	wg.Wait()
	return err
}

func (s *standalone) cleanUp() {
	for _, v := range s.servers {
		_ = v.l.Close()
	}
	for _, name := range s.files {
		_ = os.Remove(name)
	}
	if s.proxy != nil {
		s.proxy.rt.CloseIdleConnections()
	}
	if s.errs != nil {
		s.errs.client.CloseIdleConnections()
	}
}

// server is the TLS configuration of a listener.
func (f TLSFiles) server(logger *slog.Logger) (*tls.Config, error) {
	certs, err := LoadCertificates(f.Cert, f.Key, logger)
	if err != nil {
		return nil, err
	}
	c := certs.TLSConfig()
	if f.CA != "" {
		if c.ClientCAs, err = readPool(f.CA); err != nil {
			return nil, err
		}
	}
	switch {
	case f.Request && f.Reject:
		c.ClientAuth = tls.RequireAndVerifyClientCert
	case f.Request:
		c.ClientAuth = tls.RequestClientCert
	}
	return c, nil
}

// client is the TLS configuration towards backends, nil for the default.
func (f TLSFiles) client(insecure bool) (*tls.Config, error) {
	if f == (TLSFiles{}) && !insecure {
		return nil, nil
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: insecure}
	var err error
	if f.CA != "" {
		if c.RootCAs, err = readPool(f.CA); err != nil {
			return nil, err
		}
	}
	if f.Cert != "" {
		certs, err := LoadCertificates(f.Cert, f.Key, nil)
		if err != nil {
			return nil, err
		}
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return certs.Get(nil) }
	}
	return c, nil
}

func readPool(name string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read certificate authorities: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("read certificate authorities: %s holds no PEM certificate", strings.TrimSpace(name))
	}
	return pool, nil
}
