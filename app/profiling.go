package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"net/netip"
	"runtime"
	"time"
)

// profiling is the listener of --pprof: Go's profiles of the running hub, for whoever is on this machine.
type profiling struct {
	srv  *http.Server
	done chan error
}

// memProfileRate is Go's own: one sample of the heap for so many bytes.
const memProfileRate = 512 << 10

// loopbackOnly says why profiles must not be offered at an address; nil for one of this machine alone. A profile has command lines and
// parts of the memory in it, and nobody is asked for a password.
func loopbackOnly(address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil || port == "" {
		return fmt.Errorf("%q is no address with a port, write for example 127.0.0.1:6060", address)
	}
	if host == "localhost" {
		return nil
	}
	if ip, err := netip.ParseAddr(host); err == nil && ip.Unmap().IsLoopback() {
		return nil
	}
	return fmt.Errorf("%q is not a loopback address: profiles show parts of the memory and ask for no password, so they are only for this machine; write for example 127.0.0.1:%s", host, port)
}

// profilingError names the trait.
func profilingError(err error) error {
	//lint:ignore ST1005 the name of the trait comes first
	return fmt.Errorf("Minihub.pprof: %w", err)
}

// startProfiling opens the port of --pprof, when it is given.
func (a *App) startProfiling(ctx context.Context) error {
	address := a.cfg.Minihub.Pprof
	if address == "" {
		return nil
	}
	if err := loopbackOnly(address); err != nil {
		return profilingError(err)
	}
	ln, err := a.o.Listen(ctx, "tcp", address)
	if err != nil {
		return profilingError(err)
	}
	if runtime.MemProfileRate == 0 { // see main
		runtime.MemProfileRate = memProfileRate
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	p := &profiling{srv: &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}, done: make(chan error, 1)}
	go func() { p.done <- p.srv.Serve(ln) }()
	a.profiling = p
	a.o.Logger.InfoContext(ctx, "profiles are at http://"+ln.Addr().String()+"/debug/pprof/")
	return nil
}

// stopProfiling closes the port at once: a profile in progress is worth no waiting.
func (a *App) stopProfiling(context.Context) error {
	if a.profiling == nil {
		return nil
	}
	err := a.profiling.srv.Close()
	if served := <-a.profiling.done; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}
