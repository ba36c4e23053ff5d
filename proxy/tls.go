package proxy

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

// NewServer returns a server with the limits of a public listener: headers must arrive in 30 s and fit into 128 KiB, idle connections
// are closed after two minutes. There is no limit on the duration or size of bodies: kernels and uploads stream for hours.
func NewServer(h http.Handler, logger *slog.Logger) *http.Server {
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    128 << 10,
		ErrorLog:          log.New(debugWriter{logger}, "", 0),
	}
}

// Certificates is a certificate and key read from files, and read again when the files change, so that renewed
// certificates are used without a restart. It is safe for concurrent use.
type Certificates struct {
	certFile, keyFile string
	log               *slog.Logger
	mu                sync.Mutex
	cert              *tls.Certificate
	stamp             string
	checked           time.Time
}

// certCheck is how often a handshake looks at the files.
const certCheck = time.Second

// LoadCertificates reads the files, PEM encoded.
func LoadCertificates(certFile, keyFile string, logger *slog.Logger) (*Certificates, error) {
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	c := &Certificates{certFile: certFile, keyFile: keyFile, log: logger, stamp: fileStamp(certFile, keyFile), checked: time.Now()}
	cert, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, fmt.Errorf("load TLS certificate %s with key %s: %w", certFile, keyFile, err)
	}
	c.cert = &cert
	return c, nil
}

// Get is a tls.Config.GetCertificate. When new files cannot be used, as while they are being written, the old certificate stays.
func (c *Certificates) Get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	cert, due := c.cert, time.Since(c.checked) >= certCheck
	if due {
		c.checked = time.Now()
	}
	old := c.stamp
	c.mu.Unlock()
	if !due {
		return cert, nil
	}
	stamp := fileStamp(c.certFile, c.keyFile)
	if stamp == old {
		return cert, nil
	}
	fresh, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		c.log.WarnContext(context.Background(), "new TLS certificate is not usable, the old one stays", "err", err)
		return cert, nil
	}
	c.log.InfoContext(context.Background(), "TLS certificate reloaded")
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cert, c.stamp = &fresh, stamp
	return c.cert, nil
}

// fileStamp changes when one of the files does.
func fileStamp(names ...string) string {
	var b strings.Builder
	for _, name := range names {
		if fi, err := os.Stat(name); err == nil {
			fmt.Fprintf(&b, "%d.%d;", fi.ModTime().UnixNano(), fi.Size())
		}
	}
	return b.String()
}

// TLSConfig is the server side of TLS with these certificates: 1.2 and newer, HTTP/2 and HTTP/1.1.
func (c *Certificates) TLSConfig() *tls.Config {
	return &tls.Config{GetCertificate: c.Get, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}
}

// ServeTLS serves HTTP/2 and HTTP/1.1 over TLS on l until srv is shut down. A browser that speaks plain HTTP to l is redirected
// to https://; any other plain HTTP client is told. config is as from Certificates.TLSConfig.
func ServeTLS(srv *http.Server, l net.Listener, config *tls.Config) error {
	srv.TLSConfig = config
	return srv.ServeTLS(hintListener{l}, "", "")
}

// hintListener recognises plain HTTP in the first byte of a connection.
type hintListener struct{ net.Listener }

// Accept returns the next connection without reading from it: that is done by the goroutine that serves it.
func (l hintListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &hintConn{Conn: c}, nil
}

type hintConn struct {
	net.Conn
	seen bool // only used by the reader
}

// Read passes TLS on, and answers plain HTTP itself.
func (c *hintConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.seen || n == 0 {
		return n, err
	}
	c.seen = true
	if p[0] < 'A' || p[0] > 'Z' { // methods are upper-case letters, a TLS record starts with 22
		return n, err
	}
	c.hint(bytes.Clone(p[:n]))
	return 0, net.ErrClosed
}

func (c *hintConn) hint(start []byte) {
	defer c.Conn.Close()
	_ = c.Conn.SetDeadline(time.Now().Add(5 * time.Second))
	const text = "This port speaks HTTPS: use https:// in the address.\n"
	req, err := http.ReadRequest(bufio.NewReaderSize(&prefixed{start, c.Conn, 16 << 10}, 4096))
	head := "HTTP/1.1 400 Bad Request\r\n"
	if err == nil && (req.Method == http.MethodGet || req.Method == http.MethodHead) && plainHost(req.Host) && strings.HasPrefix(req.RequestURI, "/") {
		head = "HTTP/1.1 302 Found\r\nLocation: https://" + req.Host + req.URL.RequestURI() + "\r\n"
	}
	body := text
	if err == nil && req.Method == http.MethodHead {
		body = ""
	}
	_, _ = fmt.Fprintf(c.Conn, "%sContent-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", head, len(text), body)
}

// plainHost reports whether a Host header is safe to repeat in a Location.
func plainHost(host string) bool {
	return host != "" && strings.Trim(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]") == ""
}

// prefixed reads some bytes again and then a limited number from the connection.
type prefixed struct {
	start []byte
	conn  net.Conn
	left  int
}

// Read implements io.Reader.
func (r *prefixed) Read(p []byte) (int, error) {
	if len(r.start) > 0 {
		n := copy(p, r.start)
		r.start = r.start[n:]
		return n, nil
	}
	if r.left <= 0 {
		return 0, net.ErrClosed
	}
	n, err := r.conn.Read(p[:min(len(p), r.left)])
	r.left -= n
	return n, err
}
