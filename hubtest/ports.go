package hubtest

import (
	"cmp"
	"context"
	"maps"
	"net"
	"slices"
	"sync"
)

// ports are two ports of 127.0.0.1 that are open before the hub is made, because addresses are part of its configuration.
type ports struct {
	public, private string
	down            func() bool // whether the public port hangs up

	mu    sync.Mutex
	open  map[string]net.Listener // not yet taken
	conns map[net.Conn]bool       // of the public port
}

// openPorts opens the public port at an address, "" for a free one, and the private one at a free one.
func openPorts(ctx context.Context, public string, down func() bool) (*ports, error) {
	p := &ports{open: map[string]net.Listener{}, conns: map[net.Conn]bool{}, down: down}
	p.public, p.private = cmp.Or(public, "127.0.0.1:0"), "127.0.0.1:0"
	for _, address := range []*string{&p.public, &p.private} {
		l, err := new(net.ListenConfig).Listen(ctx, "tcp", *address)
		if err != nil {
			p.close()
			return nil, err
		}
		*address = l.Addr().String()
		p.open[*address] = l
	}
	return p, nil
}

// listen hands out what is open, and opens what the configuration adds.
func (p *ports) listen(ctx context.Context, network, address string) (net.Listener, error) {
	p.mu.Lock()
	l, ok := p.open[address]
	delete(p.open, address)
	p.mu.Unlock()
	switch {
	case !ok:
		return new(net.ListenConfig).Listen(ctx, network, address)
	case address == p.public:
		return &publicListener{l, p}, nil
	}
	return l, nil
}

func (p *ports) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.open {
		_ = l.Close()
	}
}

// hangUp closes all connections of the public port.
func (p *ports) hangUp() {
	p.mu.Lock()
	all := slices.Collect(maps.Keys(p.conns))
	p.mu.Unlock()
	for _, c := range all {
		_ = c.Close()
	}
}

// publicListener hangs up on everybody while the proxy is to be down.
type publicListener struct {
	net.Listener
	p *ports
}

// Accept implements net.Listener.
func (l *publicListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if l.p.down() {
			_ = c.Close()
			continue
		}
		l.p.mu.Lock()
		tracked := &conn{Conn: c, p: l.p}
		l.p.conns[tracked] = true
		l.p.mu.Unlock()
		return tracked, nil
	}
}

// conn is a connection of the public port.
type conn struct {
	net.Conn
	p *ports
}

// Close implements net.Conn.
func (c *conn) Close() error {
	c.p.mu.Lock()
	delete(c.p.conns, c)
	c.p.mu.Unlock()
	return c.Conn.Close()
}
