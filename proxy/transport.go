package proxy

import (
	"context"
	"crypto/tls"
	"encoding/hex"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// TransportOptions tune the connections to backends. The zero value is good for local servers.
type TransportOptions struct {
	DialTimeout    time.Duration // 0: 10 s
	HeaderTimeout  time.Duration // how long a backend may take until its response starts; 0: for ever
	TLS            *tls.Config   // for https targets; nil: system roots
	MaxIdlePerHost int           // idle connections kept per backend; 0: 64
}

// newTransport makes the one transport that all requests share.
func newTransport(o TransportOptions) *http.Transport {
	if o.DialTimeout <= 0 {
		o.DialTimeout = 10 * time.Second
	}
	if o.MaxIdlePerHost <= 0 {
		o.MaxIdlePerHost = 64
	}
	dialer := &net.Dialer{Timeout: o.DialTimeout, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy: nil, // never by HTTP_PROXY: backends are ours
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			if socket, ok := socketOf(addr); ok {
				return dialer.DialContext(ctx, "unix", socket)
			}
			return dialer.DialContext(ctx, network, addr)
		},
		TLSClientConfig:        o.TLS,
		TLSHandshakeTimeout:    o.DialTimeout,
		DisableCompression:     true, // pass on what the backend sends
		MaxIdleConns:           0,    // bounded per backend
		MaxIdleConnsPerHost:    o.MaxIdlePerHost,
		IdleConnTimeout:        90 * time.Second,
		ResponseHeaderTimeout:  o.HeaderTimeout,
		ExpectContinueTimeout:  time.Second,
		MaxResponseHeaderBytes: 1 << 20,
		WriteBufferSize:        4 << 10, // bodies are read and written past these buffers in larger pieces
		ReadBufferSize:         4 << 10,
		ForceAttemptHTTP2:      false, // upgrades need HTTP/1.1
	}
}

// socketSuffix ends host names that stand for unix sockets; ".invalid" never resolves (RFC 2606).
const socketSuffix = ".unix-socket.invalid"

// disguiseSocket writes the path of a unix socket as a host name, because a connection pool is keyed by host.
func disguiseSocket(path string) string { return hex.EncodeToString([]byte(path)) + socketSuffix }

func socketOf(addr string) (string, bool) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return "", false
	}
	name, ok := strings.CutSuffix(host, socketSuffix)
	if !ok {
		return "", false
	}
	path, err := hex.DecodeString(name)
	return string(path), err == nil
}

// buffers is a pool of copy buffers.
type buffers struct{ pool sync.Pool }

const bufferSize = 32 << 10

// Get implements httputil.BufferPool.
func (b *buffers) Get() []byte {
	if p, ok := b.pool.Get().(*[bufferSize]byte); ok {
		return p[:]
	}
	return make([]byte, bufferSize)
}

// Put implements httputil.BufferPool.
func (b *buffers) Put(p []byte) {
	if cap(p) >= bufferSize {
		b.pool.Put((*[bufferSize]byte)(p[:bufferSize]))
	}
}

// NewTransport returns a transport with the proxy's settings, for asking backends whether they are up.
func NewTransport(o TransportOptions) *http.Transport { return newTransport(o) }
