package proxy_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/minihub/minihub/proxy"
)

// writeCert makes a self-signed certificate for 127.0.0.1 with the given serial number.
func writeCert(t *testing.T, dir string, serial int64) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "minihub test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for name, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "PRIVATE KEY", Bytes: keyDER}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile
}

// alone is a running stand-alone proxy.
type alone struct {
	public, api string
	stop        func() error
	client      *http.Client
}

// startAlone parses flags and runs the proxy until the test ends. Ports are added to the flags.
func startAlone(t *testing.T, scheme string, args ...string) *alone {
	t.Helper()
	t.Setenv("CONFIGPROXY_AUTH_TOKEN", "secret")
	p, a := freePort(t), freePort(t)
	o, err := proxy.ParseStandaloneFlags(append([]string{"--ip", "127.0.0.1", "--port", fmt.Sprint(p), "--api-ip=127.0.0.1", "--api-port", fmt.Sprint(a)}, args...))
	if err != nil {
		t.Fatal(err)
	}
	o.Log = slog.New(slog.DiscardHandler)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- proxy.RunStandalone(ctx, o) }()
	var result error
	stopped := false
	s := &alone{public: fmt.Sprintf("%s://127.0.0.1:%d", scheme, p), api: fmt.Sprintf("http://127.0.0.1:%d", a)}
	s.stop = func() error {
		if !stopped {
			cancel()
			result, stopped = <-ended, true
		}
		return result
	}
	s.client = &http.Client{
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	t.Cleanup(func() {
		s.client.CloseIdleConnections()
		if err := s.stop(); err != nil {
			t.Errorf("RunStandalone = %v", err)
		}
	})
	eventually(t, "the start of the stand-alone proxy", func() bool {
		res, err := s.client.Get(s.public + "/_chp_healthz")
		if err != nil {
			return false
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		return res.StatusCode == 200 && string(body) == `{"status":"OK"}`
	})
	return s
}

func (s *alone) get(t *testing.T, url string) (*http.Response, string) {
	t.Helper()
	res, err := s.client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	return res, string(body)
}

func TestStandalone(t *testing.T) {
	backend := httptest.NewServer(http.HandlerFunc(echo))
	defer backend.Close()
	pid := filepath.Join(t.TempDir(), "proxy.pid")
	s := startAlone(t, "http", "--default-target", backend.URL, "--pid-file", pid, "--custom-header", "X-One: 1", "--custom-header=X-Two:2:3", "--log-level", "error")
	if raw, _ := os.ReadFile(pid); string(raw) != strconv.Itoa(os.Getpid()) {
		t.Errorf("pid file holds %q", raw)
	}
	if _, body := s.get(t, s.public+"/x"); !strings.Contains(body, "GET /x\n") || !strings.Contains(body, "X-One: 1") || !strings.Contains(body, "X-Two: 2:3") || !strings.Contains(body, "X-Forwarded-For: 127.0.0.1") {
		t.Errorf("the default target got %q", body)
	}
	if answer := rawTo(t, strings.TrimPrefix(s.public, "http://"), "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nX-Forwarded-Proto: https\r\n\r\n"); !strings.Contains(answer, "X-Forwarded-Proto: https,http") {
		t.Errorf("an outer proxy's headers are not appended to: %s", answer)
	}
	c := newClient(t, s.api, nil)
	ws := httptest.NewServer(http.HandlerFunc(wsEcho))
	defer ws.Close()
	if err := c.AddRoute(t.Context(), "/user/a/", ws.URL, map[string]any{"user": "a"}); err != nil {
		t.Fatal(err)
	}
	conn, _, err := websocket.Dial(t.Context(), s.public+"/user/a/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	if _, _, err := conn.Read(t.Context()); err != nil {
		t.Fatal(err)
	}
	conn.CloseNow()
	if err := s.stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	if _, err := os.Stat(pid); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the pid file is still there: %v", err)
	}
	if _, err := net.DialTimeout("tcp", strings.TrimPrefix(s.public, "http://"), time.Second); err == nil {
		t.Error("the port is still open")
	}
}

func TestStandaloneErrorPages(t *testing.T) {
	pages := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=x")
		fmt.Fprintf(w, "page of %s for %s", r.URL.Path, r.URL.Query().Get("url"))
	}))
	defer pages.Close()
	s := startAlone(t, "http", "--error-target", pages.URL+"/hub/error")
	res, body := s.get(t, s.public+"/user/a?b=c&d")
	if res.StatusCode != 404 || body != "page of /hub/error/404 for /user/a?b=c&d" || res.Header.Get("Content-Type") != "text/html; charset=x" {
		t.Errorf("error target: %d %q %v", res.StatusCode, body, res.Header)
	}
	pages.Close()
	if res, body = s.get(t, s.public+"/x"); res.StatusCode != 404 || body != "Not Found\n" {
		t.Errorf("dead error target: %d %q", res.StatusCode, body)
	}
	_ = s.stop()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "error.html"), []byte("any <b>"), 0o600); err != nil {
		t.Fatal(err)
	}
	s = startAlone(t, "http", "--error-path", dir, "--default-target", "http://127.0.0.1:1")
	if res, body = s.get(t, s.public+"/x"); res.StatusCode != 503 || body != "any <b>" || res.Header.Get("Content-Type") != "text/html" {
		t.Errorf("error path: %d %q", res.StatusCode, body)
	}
}

func TestStandaloneTLS(t *testing.T) {
	dir := t.TempDir()
	cert, key := writeCert(t, dir, 1)
	backend := httptest.NewServer(http.HandlerFunc(echo))
	defer backend.Close()
	redirect := freePort(t)
	s := startAlone(t, "https", "--ssl-cert", cert, "--ssl-key", key, "--default-target", backend.URL, "--redirect-port", fmt.Sprint(redirect))
	res, body := s.get(t, s.public+"/a%2Fb?c")
	if res.ProtoMajor != 2 || !strings.Contains(body, "GET /a%2Fb?c\n") || !strings.Contains(body, "X-Forwarded-Proto: https") {
		t.Errorf("over TLS: %s, the backend got %q", res.Proto, body)
	}
	addr := strings.TrimPrefix(s.public, "https://")
	t.Run("http/1.1", func(t *testing.T) {
		c := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{}}}
		defer c.CloseIdleConnections()
		res, err := c.Get(s.public + "/")
		if err != nil || res.ProtoMajor != 1 {
			t.Fatalf("%v, %+v", err, res)
		}
		res.Body.Close()
	})
	t.Run("plain http", func(t *testing.T) {
		for request, want := range map[string]string{
			"GET /x?y HTTP/1.1\r\nHost: " + addr + "\r\n\r\n":                "Location: https://" + addr + "/x?y\r\n",
			"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n":       "HTTP/1.1 400 Bad Request",
			"GET / HTTP/1.1\r\nHost: a\"b\r\n\r\n":                           "HTTP/1.1 400 Bad Request",
			"EHLO\r\n\r\n":                                                   "HTTP/1.1 400 Bad Request",
			"GET /" + strings.Repeat("x", 100_000) + " HTTP/1.1\r\n\r\n\r\n": "",
		} {
			if answer := rawTo(t, addr, request); !strings.Contains(answer, want) {
				t.Errorf("%.40q: %q, want %q", request, answer, want)
			}
		}
	})
	t.Run("redirect port", func(t *testing.T) {
		res, _ := s.get(t, fmt.Sprintf("http://127.0.0.1:%d/x%%2Fy?z", redirect))
		if want := s.public + "/x%2Fy?z"; res.StatusCode != 301 || res.Header.Get("Location") != want {
			t.Errorf("%d to %q, want %q", res.StatusCode, res.Header.Get("Location"), want)
		}
	})
	t.Run("reload", func(t *testing.T) {
		if err := os.WriteFile(key, []byte("half a k"), 0o600); err != nil {
			t.Fatal(err)
		}
		serial := func() int64 {
			c, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			return c.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
		}
		if n := serial(); n != 1 {
			t.Errorf("with a broken key file: certificate %d, want the old one", n)
		}
		writeCert(t, dir, 2)
		eventually(t, "the use of the new certificate", func() bool { return serial() == 2 })
	})
}

func TestStandaloneMutualTLS(t *testing.T) {
	cert, key := writeCert(t, t.TempDir(), 1)
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, _ := x509.ParseCertificate(pair.Certificate[0])
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	backend := httptest.NewUnstartedServer(http.HandlerFunc(echo))
	backend.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert}
	backend.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	backend.StartTLS()
	defer backend.Close()
	s := startAlone(t, "http", "--default-target", backend.URL, "--client-ssl-cert", cert, "--client-ssl-key", key, "--client-ssl-ca", cert,
		"--api-ssl-cert", cert, "--api-ssl-key", key, "--api-ssl-ca", cert, "--api-ssl-request-cert", "--api-ssl-reject-unauthorized")
	if res, body := s.get(t, s.public+"/x"); res.StatusCode != 200 || !strings.Contains(body, "GET /x\n") {
		t.Errorf("backend with mutual TLS: %d %q", res.StatusCode, body)
	}
	api := strings.Replace(s.api, "http://", "https://", 1)
	with := newClient(t, api, func(o *proxy.CHPClientOptions) {
		o.TLS = &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{pair}}
	})
	if _, err := with.Routes(t.Context()); err != nil {
		t.Errorf("API with a certificate: %v", err)
	}
	without := newClient(t, api, func(o *proxy.CHPClientOptions) {
		o.TLS, o.Patience = &tls.Config{RootCAs: pool}, 200*time.Millisecond
	})
	if _, err := without.Routes(t.Context()); err == nil {
		t.Error("API without a certificate: no error")
	}
}

func TestStandaloneSocketsAndTimeout(t *testing.T) {
	t.Setenv("CONFIGPROXY_AUTH_TOKEN", "")
	dir := t.TempDir()
	public, api := filepath.Join(dir, "p.sock"), filepath.Join(dir, "a.sock")
	stale, err := net.Listen("unix", public)
	if err != nil {
		t.Fatal(err)
	}
	stale.(*net.UnixListener).SetUnlinkOnClose(false)
	stale.Close()
	o, err := proxy.ParseStandaloneFlags([]string{"--socket", public, "--api-socket", api, "--timeout", "100", "--keep-alive-timeout", "5000"})
	if err != nil {
		t.Fatal(err)
	}
	var logged bytes.Buffer
	o.Log = slog.New(slog.NewTextHandler(&logged, nil))
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- proxy.RunStandalone(ctx, o) }()
	var c net.Conn
	eventually(t, "the socket", func() bool { c, err = net.Dial("unix", public); return err == nil })
	if n, err := c.Read(make([]byte, 1)); err == nil || n != 0 { // ends by --timeout
		t.Errorf("an idle connection: %d, %v", n, err)
	}
	c.Close()
	client, err := proxy.NewCHPClient(proxy.CHPClientOptions{URL: "http+unix://" + strings.ReplaceAll(api, "/", "%2F"), Token: "any"})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := client.Routes(t.Context()); err != nil {
		t.Errorf("API over a socket: %v", err)
	}
	if err := proxy.RunStandalone(ctx, o); err == nil || !strings.Contains(err.Error(), "another process listens there") {
		t.Errorf("a second proxy on the same socket: %v", err)
	}
	client.Close()
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("RunStandalone = %v", err)
	}
	if !strings.Contains(logged.String(), "open to everybody") {
		t.Errorf("no warning of an open API in %s", &logged)
	}
}

func TestStandaloneRefusesToStart(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	taken := busy.Addr().(*net.TCPAddr).Port
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	quiet := slog.New(slog.DiscardHandler)
	for want, o := range map[string]proxy.StandaloneOptions{
		"listen for the proxy":       {IP: "127.0.0.1", Port: taken},
		"listen for the api":         {IP: "127.0.0.1", Port: freePort(t), APIIP: "127.0.0.1", APIPort: taken},
		"load TLS certificate":       {IP: "127.0.0.1", Port: freePort(t), TLS: proxy.TLSFiles{Cert: empty, Key: empty}},
		"read certificate authority": {ClientTLS: proxy.TLSFiles{CA: empty}},
		"target must be a URL":       {DefaultTarget: "nonsense"},
		"write the pid file":         {IP: "127.0.0.1", Port: freePort(t), APIIP: "127.0.0.1", APIPort: freePort(t), PIDFile: empty + "/x"},
	} {
		o.Log = quiet
		err := proxy.RunStandalone(t.Context(), o)
		if err == nil || !strings.Contains(err.Error(), strings.Replace(want, "authority", "authorities", 1)) {
			t.Errorf("RunStandalone = %v, want %q", err, want)
		}
	}
}

func TestStandaloneFlags(t *testing.T) {
	t.Setenv("CONFIGPROXY_AUTH_TOKEN", "secret")
	o, err := proxy.ParseStandaloneFlags(strings.Fields("--ip 0.0.0.0 --port=80 --api-port 81 --host-routing --no-x-forward --no-prepend-path --no-include-prefix --auto-rewrite --change-origin " +
		"--protocol-rewrite https --insecure --log-level WARN --timeout 1500 --proxy-timeout 2000 --trusted-downstream 10.0.0.0/8 --trusted-downstream ::1"))
	if err != nil {
		t.Fatal(err)
	}
	if o.IP != "0.0.0.0" || o.Port != 80 || o.APIIP != "localhost" || o.APIPort != 81 || !o.HostRouting || !o.NoXForward || !o.Insecure || o.LogLevel != slog.LevelWarn ||
		o.AuthToken != "secret" || o.Timeout != 1500*time.Millisecond || o.ProxyTimeout != 2*time.Second || len(o.TrustedDownstream) != 2 {
		t.Errorf("options = %+v", o)
	}
	if r := o.Rewrite; !r.StripPrefix || !r.IgnoreTarget || !r.AutoLocation || !r.ChangeOrigin || r.LocationScheme != "https" {
		t.Errorf("rewrite options = %+v", r)
	}
	for args, want := range map[string]string{
		"--storage-backend x":                    "kept in memory",
		"--metrics-port 9090":                    "metrics",
		"--ssl-ciphers x":                        "ciphers",
		"--ssl-allow-rc4":                        "RC4",
		"--ssl-dhparam x":                        "Diffie-Hellman",
		"--ssl-protocol SSLv3":                   "TLS 1.2",
		"--unknown":                              "unknown",
		"--port x":                               "port",
		"--port 70000":                           "port",
		"--timeout -1":                           "milliseconds",
		"--log-level loud":                       "debug, info, warn or error",
		"--custom-header x":                      "name:value",
		"--trusted-downstream x":                 "CIDR",
		"stray":                                  "unexpected argument",
		"--redirect-port 80":                     "--ssl-key",
		"--ssl-key x":                            "together",
		"--socket x --port 1":                    "exclude each other",
		"--error-target http://x --error-path y": "exclude each other",
		"--default-target x":                     "--default-target",
	} {
		if _, err := proxy.ParseStandaloneFlags(strings.Fields(args)); err == nil || !strings.Contains(err.Error(), want) && want != "CIDR" {
			t.Errorf("%s: %v, want %q", args, err, want)
		}
	}
	if _, err := proxy.ParseStandaloneFlags([]string{"--help"}); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("--help: %v", err)
	}
	t.Setenv("CONFIGPROXY_SSL_KEY_PASSPHRASE", "x")
	if _, err := proxy.ParseStandaloneFlags(nil); err == nil || !strings.Contains(err.Error(), "encrypted keys") {
		t.Errorf("with a passphrase: %v", err)
	}
}
