package proxy_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/minihub/minihub/proxy"
)

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

// echo answers with the request line, Host and headers as the backend got them.
func echo(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, "%s %s\nHost: %s\n", r.Method, r.RequestURI, r.Host)
	_ = r.Header.Write(w)
}

func TestPathsReachTheBackendUnchanged(t *testing.T) {
	f := newFront(t, nil)
	f.backend(t, "/", echo)
	for _, path := range []string{
		"/", "/a%2Fb", "/a%2fb", "/a%40b/@/~x", "//x//y/", "//", "///x", "/%C3%BC/%c3%bc", "/a?b=c;d&e=%zz&f=%2F", "/a?", "/a??b", "/a%20b+c", "/a;b,c=d!e'(f)*$&:",
		"/../x", "/a/./b/%2e%2e/c", "/a\"b<c>|^`{}", "/\xff\xfe", "/ü", "/%00", "/a%25zz", "/?url=http://x/y?z#", "/a\\b", "/[x]",
	} {
		answer := f.raw(t, "GET "+path+" HTTP/1.1\r\nHost: public.test:8000\r\nConnection: close\r\n\r\n")
		if want := "GET " + path + "\n"; !strings.Contains(answer, want) {
			t.Errorf("path %q: the backend did not get it unchanged:\n%s", path, answer)
		}
		if !strings.Contains(answer, "\nHost: public.test:8000\n") {
			t.Errorf("path %q: the backend did not get the client's Host:\n%s", path, answer)
		}
	}
	for _, path := range []string{"/%", "/%zz", "/user/%%/", "/a%2"} {
		if answer := f.raw(t, "GET "+path+" HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"); !strings.HasPrefix(answer, "HTTP/1.1 400 ") {
			t.Errorf("path %q: %.60q, want 400", path, answer)
		}
	}
	if answer := f.raw(t, "GET http://other.test/abs%2Fx?q HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"); !strings.Contains(answer, "GET /abs%2Fx?q\nHost: other.test\n") {
		t.Errorf("absolute-form request: %q", answer)
	}
	if answer := f.raw(t, "CONNECT evil.test:443 HTTP/1.1\r\nHost: evil.test:443\r\nConnection: close\r\n\r\n"); !strings.HasPrefix(answer, "HTTP/1.1 405 ") {
		t.Errorf("CONNECT: %.60q, want 405", answer)
	}
}

func TestRoutesBySegment(t *testing.T) {
	f := newFront(t, func(o *proxy.Options) {
		o.Default = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "default") })
	})
	for _, name := range []string{"a", "a@b", "ü", "日本"} {
		f.backend(t, "/user/"+url.PathEscape(name)+"/", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, name) })
	}
	if err := f.table.AddHandler("/hub/", http.HandlerFunc(echo), "http://127.0.0.1:8081", map[string]any{"hub": true}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ path, want string }{
		{"/user/a", "a"}, {"/user/a/lab", "a"}, {"/user/ab", "default"}, {"/user/ab/", "default"}, {"/user/a@b/", "a@b"}, {"/user/a%40b/", "a@b"},
		{"/user/%C3%BC/x", "ü"}, {"/user/%c3%bc/x", "ü"}, {"/user/%E6%97%A5%E6%9C%AC", "日本"}, {"/user/a%2Fb", "default"}, {"/hubx", "default"},
	} {
		if code, body := f.get(t, c.path); code != 200 || body != c.want {
			t.Errorf("GET %s = %d %q, want %q", c.path, code, body, c.want)
		}
	}
	if _, body := f.get(t, "/hub/home?x=1"); !strings.HasPrefix(body, "GET /hub/home?x=1\n") {
		t.Errorf("the in-process handler got %q", body)
	}
	if r := f.table.All()["/hub/"]; r.Target != "http://127.0.0.1:8081" || r.Data["hub"] != true {
		t.Errorf("the handler's route is listed as %+v", r)
	}
}

func TestForwardedHeaders(t *testing.T) {
	spoofed := "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: evil.test\r\nX-Forwarded-Port: 1\r\nX-Real-IP: 6.6.6.6\r\nX-Scheme: https\r\nForwarded: for=6.6.6.6\r\n"
	request := "GET /x HTTP/1.1\r\nHost: public.test:8000\r\nConnection: close\r\n" + spoofed + "\r\n"
	for _, c := range []struct {
		name     string
		change   func(*proxy.Options)
		want     []string
		wantNone []string
	}{
		{"stranger", nil, []string{"X-Forwarded-For: 127.0.0.1\r", "X-Forwarded-Proto: http\r", "X-Forwarded-Port: 8000\r", "X-Forwarded-Host: public.test:8000\r"},
			[]string{"6.6.6.6", "evil.test", "X-Scheme", "X-Real-Ip", "\nForwarded"}},
		{"trusted", func(o *proxy.Options) { o.TrustedDownstream = loopback },
			[]string{"X-Forwarded-For: 6.6.6.6,127.0.0.1\r", "X-Forwarded-Proto: https,http\r", "X-Forwarded-Port: 1,8000\r", "X-Forwarded-Host: evil.test\r", "X-Real-Ip: 6.6.6.6\r", "X-Scheme: https\r", "Forwarded: for=6.6.6.6\r"}, nil},
		{"off", func(o *proxy.Options) { o.XForward = false }, nil, []string{"X-Forwarded", "X-Real-Ip", "6.6.6.6"}},
		{"other network trusted", func(o *proxy.Options) { o.TrustedDownstream = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")} },
			[]string{"X-Forwarded-For: 127.0.0.1\r"}, []string{"6.6.6.6"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFront(t, c.change)
			f.backend(t, "/", echo)
			if err := f.table.AddHandler("/hub/", http.HandlerFunc(echo), "", nil); err != nil {
				t.Fatal(err)
			}
			answer := f.raw(t, request)
			for _, want := range c.want {
				if !strings.Contains(answer, want) {
					t.Errorf("the backend misses %q:\n%s", want, answer)
				}
			}
			inProcess := f.raw(t, strings.Replace(request, "/x", "/hub/x", 1))
			for _, no := range c.wantNone {
				if strings.Contains(answer, no) {
					t.Errorf("the backend sees %q:\n%s", no, answer)
				}
			}
			if seen := strings.Contains(inProcess, "6.6.6.6"); seen != (c.name == "trusted") {
				t.Errorf("in-process handler sees the client's claim: %t\n%s", seen, inProcess)
			}
		})
	}
}

func TestConnectionHeaderCannotStripWhatBackendsRelyOn(t *testing.T) {
	f := newFront(t, nil)
	f.backend(t, "/", echo)
	answer := f.raw(t, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close, Cookie, authorization, X-Forwarded-For, x-forwarded-proto , X-XSRFToken, Origin, Sec-Fetch-Site, X-Hop, Hop\r\n"+
		"Cookie: a=b\r\nAuthorization: token x\r\nX-XSRFToken: t\r\nOrigin: http://o\r\nSec-Fetch-Site: cross-site\r\nHop: 1\r\nKeep-Alive: 5\r\nProxy-Authorization: p\r\nTE: gzip\r\nUpgrade-Insecure-Requests: 1\r\n\r\n")
	for _, want := range []string{"Cookie: a=b", "Authorization: token x", "X-Forwarded-For: 127.0.0.1", "X-Forwarded-Proto: http", "X-Xsrftoken: t", "Origin: http://o", "Sec-Fetch-Site: cross-site", "Upgrade-Insecure-Requests: 1"} {
		if !strings.Contains(answer, want) {
			t.Errorf("the backend misses %q:\n%s", want, answer)
		}
	}
	for _, no := range []string{"\nHop: 1", "\nKeep-Alive: 5", "\nProxy-Authorization: p", "\nTe: gzip", "\nConnection: close, Cookie"} {
		if strings.Contains(answer, no) {
			t.Errorf("the backend got the hop-by-hop header %q:\n%s", no, answer)
		}
	}
}

func TestRewriteOptions(t *testing.T) {
	for _, c := range []struct {
		name, spec, suffix, path, want string
		rewrite                        proxy.RewriteOptions
	}{
		{"target path in front", "/a/", "/base/", "/a/x%2Fy?q", "GET /base/a/x%2Fy?q\n", proxy.RewriteOptions{}},
		{"target query first", "/a/", "/base?t=1", "/a/x?q=2", "GET /base/a/x?t=1&q=2\n", proxy.RewriteOptions{}},
		{"target path ignored", "/a/", "/base", "/a/x", "GET /a/x\n", proxy.RewriteOptions{IgnoreTarget: true}},
		{"prefix stripped", "/a/b%2Fc/", "", "/a/b%2fc/x%20y?q", "GET /x%20y?q\n", proxy.RewriteOptions{StripPrefix: true}},
		{"prefix stripped to nothing", "/a/b/", "", "/a/b", "GET /\n", proxy.RewriteOptions{StripPrefix: true}},
		{"prefix stripped to slash", "/a/b/", "", "/a/b/", "GET /\n", proxy.RewriteOptions{StripPrefix: true}},
		{"default route stripped", "/", "", "/a/b/", "GET /a/b/\n", proxy.RewriteOptions{StripPrefix: true}},
		{"custom header", "/", "", "/", "X-Custom: v\r\n", proxy.RewriteOptions{Headers: http.Header{"X-Custom": {"v"}}}},
		{"custom host", "/", "", "/", "Host: other\n", proxy.RewriteOptions{Headers: http.Header{"Host": {"other"}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFront(t, func(o *proxy.Options) { o.Rewrite = c.rewrite })
			s := httptest.NewServer(http.HandlerFunc(echo))
			defer s.Close()
			f.route(t, c.spec, s.URL+c.suffix)
			if _, body := f.get(t, c.path); !strings.Contains(body, c.want) {
				t.Errorf("GET %s: the backend got %q, want %q", c.path, body, c.want)
			}
		})
	}
	t.Run("origin and location", func(t *testing.T) {
		f := newFront(t, func(o *proxy.Options) {
			o.Rewrite = proxy.RewriteOptions{ChangeOrigin: true, AutoLocation: true, LocationScheme: "https"}
		})
		f.backend(t, "/", func(w http.ResponseWriter, r *http.Request) {
			to := r.URL.Query().Get("to")
			if to == "" {
				to = "http://" + r.Host + "/next"
			}
			w.Header().Set("Location", to)
			w.WriteHeader(302)
		})
		for to, want := range map[string]string{"": "https://" + f.Listener.Addr().String() + "/next", "http://else.test/x": "http://else.test/x", "/rel": "/rel"} {
			res, err := f.client.Get(f.URL + "/?to=" + url.QueryEscape(to))
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if got := res.Header.Get("Location"); got != want {
				t.Errorf("redirect to %q became %q, want %q", to, got, want)
			}
		}
	})
}

func TestFailures(t *testing.T) {
	f := newFront(t, func(o *proxy.Options) { o.Transport.HeaderTimeout = 200 * time.Millisecond })
	f.route(t, "/dead/", fmt.Sprintf("http://127.0.0.1:%d", freePort(t)))
	f.route(t, "/socket/", "http+unix://%2Fnonexistent%2Fsocket")
	release := make(chan struct{})
	f.backend(t, "/slow/", func(http.ResponseWriter, *http.Request) { <-release })
	defer close(release)
	garbage, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	defer func() { garbage.Close(); <-done }()
	go func() {
		defer close(done)
		for {
			c, err := garbage.Accept()
			if err != nil {
				return
			}
			_, _ = c.Read(make([]byte, 4096))
			_, _ = io.WriteString(c, "SSH-2.0-nonsense\r\n\r\n")
			c.Close()
		}
	}()
	f.route(t, "/garbage/", "http://"+garbage.Addr().String())
	for _, c := range []struct {
		path string
		code int
	}{{"/nothing", 404}, {"/dead/x", 503}, {"/socket/x", 503}, {"/slow/x", 503}, {"/garbage/", 503}} {
		code, body := f.get(t, c.path)
		if code != c.code || !strings.HasPrefix(body, fmt.Sprintf("error page %d: ", c.code)) {
			t.Errorf("GET %s = %d %q, want the error page of %d", c.path, code, body, c.code)
		}
	}
	if n := strings.Count(f.errors.String(), "backend failed"); n != 4 {
		t.Errorf("%d backend failures are logged, want 4:\n%s", n, f.errors)
	}
}

func TestPlainErrorIsTheDefault(t *testing.T) {
	f := newFront(t, func(o *proxy.Options) { o.Error, o.Log = nil, nil })
	if code, body := f.get(t, "/<script>"); code != 404 || body != "Not Found\n" {
		t.Errorf("no route: %d %q", code, body)
	}
	if _, err := proxy.New(proxy.Options{}); err == nil {
		t.Error("New without a table: no error")
	}
}

func TestClientThatLeavesIsNotAnError(t *testing.T) {
	f := newFront(t, nil)
	arrived, gone := make(chan struct{}, 2), make(chan struct{}, 2)
	f.backend(t, "/", func(_ http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
		gone <- struct{}{}
	})
	for _, request := range []string{"GET / HTTP/1.1\r\nHost: h\r\n\r\n", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\nstart"} {
		c, err := net.Dial("tcp", f.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(c, request)
		<-arrived
		c.Close()
		select {
		case <-gone:
		case <-time.After(10 * time.Second):
			t.Fatalf("the backend was not told that the client of %.10q left", request)
		}
	}
	f.Close()
	if log := f.errors.String(); log != "" {
		t.Errorf("errors are logged: %s", log)
	}
}

func TestUnixSocketTarget(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s p@ce.sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(http.HandlerFunc(echo))
	s.Listener.Close()
	s.Listener = l
	s.Start()
	defer s.Close()
	f := newFront(t, nil)
	for spec, scheme := range map[string]string{"/a/": "http+unix", "/b/": "unix+http"} {
		f.route(t, spec, scheme+"://"+url.PathEscape(path))
		if code, body := f.get(t, spec+"x"); code != 200 || !strings.HasPrefix(body, "GET "+spec+"x\nHost: "+f.Listener.Addr().String()+"\n") {
			t.Errorf("GET %sx over a unix socket = %d %q", spec, code, body)
		}
	}
}

func TestActivity(t *testing.T) {
	f := newFront(t, nil)
	f.backend(t, "/user/a/", echo)
	f.backend(t, "/user/b/", echo)
	before, _ := f.table.Get("/user/a/")
	other, _ := f.table.Get("/user/b/")
	eventually(t, "activity", func() bool {
		f.get(t, "/user/a/lab")
		now, _ := f.table.Get("/user/a/")
		return now.LastActivity.After(before.LastActivity)
	})
	if b, _ := f.table.Get("/user/b/"); !b.LastActivity.Equal(other.LastActivity) {
		t.Errorf("activity of one route moved another's from %v to %v", other.LastActivity, b.LastActivity)
	}
}

// TestMalformedBodyIsTheClientsFault sends bodies whose framing breaks after the backend has been reached.
func TestMalformedBodyIsTheClientsFault(t *testing.T) {
	f := newFront(t, nil)
	f.backend(t, "/", func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
	for _, chunk := range []string{"zz\r\nx\r\n", "5\r\nabcdeX\r\n0\r\n\r\n", "-1\r\n"} {
		answer := f.raw(t, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n1\r\na\r\n"+chunk)
		if !strings.HasPrefix(answer, "HTTP/1.1 400 ") {
			t.Errorf("chunk %q: %.60q, want 400", chunk, answer)
		}
	}
	if log := f.errors.String(); log != "" {
		t.Errorf("errors are logged: %s", log)
	}
}

func BenchmarkProxiedRequest(b *testing.B) {
	f := newFront(b, nil)
	f.backend(b, "/user/a/", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") })
	b.ReportAllocs()
	for b.Loop() {
		f.get(b, "/user/a/api")
	}
}

func BenchmarkProxyAlone(b *testing.B) {
	f := newFront(b, nil)
	f.backend(b, "/user/a/", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") })
	b.ReportAllocs()
	for b.Loop() {
		w := httptest.NewRecorder()
		f.proxy.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/user/a/api", nil))
		if w.Code != 200 {
			b.Fatal(w.Code)
		}
	}
}

// BenchmarkProxiedMiB is throughput: bodies of 1 MiB.
func BenchmarkProxiedMiB(b *testing.B) {
	f := newFront(b, nil)
	body := make([]byte, 1<<20)
	f.backend(b, "/user/a/", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) })
	b.SetBytes(1 << 20)
	b.ReportAllocs()
	for b.Loop() {
		res, err := f.client.Get(f.URL + "/user/a/api")
		if err != nil {
			b.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, res.Body); err != nil || n != 1<<20 {
			b.Fatal(n, err)
		}
		_ = res.Body.Close()
	}
}

func BenchmarkDirectRequest(b *testing.B) {
	f := newFront(b, nil)
	s := f.backend(b, "/user/a/", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") })
	f.URL = s.URL
	b.ReportAllocs()
	for b.Loop() {
		f.get(b, "/user/a/api")
	}
}
