package advisories_test

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// FuzzRawBytes sends any bytes to the public port of a whole hub: no panic, no internal error, and never more answers than requests that
// a strict reader finds (request smuggling).
func FuzzRawBytes(f *testing.F) {
	for _, s := range []string{
		"GET /hub/health HTTP/1.1\r\nHost: x\r\n\r\n", "GET /hub/api/ HTTP/1.0\r\n\r\n", "POST /hub/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 5\r\n\r\na=b&c",
		"POST /hub/api/users HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\nGET /hub/ HTTP/1.1\r\nHost: x\r\n\r\n", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"GET /user/%ff%fe/ HTTP/1.1\r\nHost: x\r\n\r\n", "GET //evil/ HTTP/1.1\r\nHost: x\r\n\r\n", "GET http://evil/ HTTP/1.1\r\nHost: x\r\n\r\n", "CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n", "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /hub/api/user HTTP/1.1\r\nHost: x\r\nAuthorization: token " + boss + "\r\n\r\n", "GET /hub/api/users?offset=9&limit=0&state=x&sort=y HTTP/1.1\r\nHost: x\r\nAuthorization: token " + boss + "\r\nAccept: a/b;q=x, */*\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n\x81\x00", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\x16\x03\x01\x00\x05hello", "GET / HTTP/1.1\r\nHost: x\r\n a: b\r\n\r\n", "GET / HTTP/1.1\nHost: x\n\n", "\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /hub/login?next=%0d%0aa:b HTTP/1.1\r\nHost: x\r\nCookie: _xsrf=\"\\301; jupyterhub-hub-login=2|1:0|\r\n\r\n",
	} {
		f.Add([]byte(s))
	}
	h := newHub(f)
	address := strings.TrimPrefix(h.url, "http://")
	f.Fuzz(func(t *testing.T, request []byte) {
		if bytes.Contains(bytes.ToLower(request), []byte("shutdown")) {
			t.Skip("that is allowed to end the hub")
		}
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatalf("the hub does not listen any more: %v", err)
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
		_, _ = conn.Write(request)
		_ = conn.(*net.TCPConn).CloseWrite()
		answers, _ := io.ReadAll(conn)
		count := 0
		for r := bufio.NewReader(bytes.NewReader(answers)); ; count++ {
			a, err := http.ReadResponse(r, nil)
			if err != nil {
				break
			}
			if a.StatusCode == http.StatusInternalServerError {
				t.Fatalf("%q: %q", request, answers)
			}
			if _, err := io.Copy(io.Discard, a.Body); err != nil {
				break
			}
			if a.StatusCode == http.StatusContinue {
				count--
			}
		}
		if asked := requestsIn(request); count > asked+1 { // one more: the refusal of what follows the last good one
			t.Fatalf("%d answers to %d requests: %q: %q", count, asked, request, answers)
		}
		if log := h.log.String(); strings.Contains(log, "panic") && !bytes.Contains(request, []byte("panic")) {
			t.Fatalf("%q: %s", request, log)
		}
		h.log.reset()
	})
}

// requestsIn counts what net/http's strict reader takes for requests.
func requestsIn(text []byte) (n int) {
	for r := bufio.NewReader(bytes.NewReader(text)); ; n++ {
		request, err := http.ReadRequest(r)
		if err != nil {
			return n
		}
		if _, err := io.Copy(io.Discard, request.Body); err != nil {
			return n + 1
		}
	}
}
