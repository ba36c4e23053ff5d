package proxy_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestStreamsBothWays(t *testing.T) {
	f := newFront(t, nil)
	f.backend(t, "/", func(w http.ResponseWriter, r *http.Request) {
		rc := http.NewResponseController(w)
		_ = rc.EnableFullDuplex()
		_ = rc.Flush()
		in := bufio.NewReader(r.Body)
		for {
			line, err := in.ReadString('\n')
			if err != nil {
				return
			}
			_, _ = io.WriteString(w, "got "+line)
			_ = rc.Flush()
		}
	})
	pr, pw := io.Pipe()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, f.URL+"/stream", pr)
	if err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.WriteString(pw, "0\n") }()
	res, err := f.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	out := bufio.NewReader(res.Body)
	for i := range 5 { // each line is answered before the next is sent
		if line, err := out.ReadString('\n'); err != nil || line != fmt.Sprintf("got %d\n", i) {
			t.Fatalf("line %d: %q, %v", i, line, err)
		}
		if i < 4 {
			_, _ = fmt.Fprintf(pw, "%d\n", i+1)
		}
	}
	pw.Close()
	if rest, err := io.ReadAll(out); err != nil || len(rest) != 0 {
		t.Errorf("end of stream: %q, %v", rest, err)
	}
}

func TestServerSentEventsArriveAtOnce(t *testing.T) {
	f := newFront(t, nil)
	next := make(chan struct{})
	f.backend(t, "/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for i := range 3 {
			fmt.Fprintf(w, "data: %d\n\n", i)
			_ = http.NewResponseController(w).Flush()
			<-next
		}
	})
	res, err := f.client.Get(f.URL + "/progress")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	in := bufio.NewReader(res.Body)
	for i := range 3 { // the backend does not go on before the event was read here
		line, err := in.ReadString('\n')
		if err != nil || line != fmt.Sprintf("data: %d\n", i) {
			t.Fatalf("event %d: %q, %v", i, line, err)
		}
		_, _ = in.ReadString('\n')
		next <- struct{}{}
	}
}

// zeros reads as n bytes without holding them.
type zeros struct{ n int64 }

func (z *zeros) Read(p []byte) (int, error) {
	if z.n == 0 {
		return 0, io.EOF
	}
	n := int(min(int64(len(p)), z.n))
	z.n -= int64(n)
	return n, nil
}

func TestLargeUploadAndDownloadInBoundedMemory(t *testing.T) {
	const size = 200 << 20
	f := newFront(t, nil)
	f.backend(t, "/", func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			_, _ = io.Copy(w, &zeros{size})
			return
		}
		n, err := io.Copy(io.Discard, r.Body)
		fmt.Fprintf(w, "%d %d %v", n, r.ContentLength, err)
	})
	stop, peak := make(chan struct{}), make(chan uint64)
	go func() {
		var most uint64
		var m runtime.MemStats
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				runtime.ReadMemStats(&m)
				most = max(most, m.HeapInuse)
			case <-stop:
				peak <- most
				return
			}
		}
	}()
	for _, length := range []int64{size, -1} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, f.URL+"/api/contents/big", &zeros{size})
		if err != nil {
			t.Fatal(err)
		}
		req.ContentLength = length
		res, err := f.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if want := fmt.Sprintf("%d %d <nil>", size, length); string(body) != want {
			t.Errorf("upload: the backend says %q, want %q", body, want)
		}
	}
	res, err := f.client.Get(f.URL + "/files/big")
	if err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, res.Body)
	res.Body.Close()
	if n != size || err != nil {
		t.Errorf("download: %d bytes, %v", n, err)
	}
	close(stop)
	if most := <-peak; most > 64<<20 {
		t.Errorf("the heap grew to %d MiB during transfers of %d MiB", most>>20, size>>20)
	}
}

func TestTrailersHeadAndInformation(t *testing.T) {
	f := newFront(t, nil)
	f.backend(t, "/", func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/trailer":
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("Trailer", "X-Sum")
			_, _ = io.WriteString(w, "body")
			w.Header().Set("X-Sum", "42 "+r.Trailer.Get("X-Up"))
		case "/hints":
			w.Header().Set("Link", "</style.css>; rel=preload")
			w.WriteHeader(http.StatusEarlyHints)
			w.Header().Del("Link")
			w.WriteHeader(200)
		case "/head":
			w.Header().Set("Content-Length", "12345")
			w.Header().Set("Content-Encoding", "br")
		case "/304":
			w.Header().Set("Etag", `"x"`)
			w.WriteHeader(304)
		}
	})
	t.Run("trailers", func(t *testing.T) {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, f.URL+"/trailer", io.MultiReader(strings.NewReader("x")))
		req.Trailer = http.Header{"X-Up": {"up"}}
		res, err := f.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, _ := io.ReadAll(res.Body)
		if string(body) != "body" || res.Trailer.Get("X-Sum") != "42 up" {
			t.Errorf("body %q, trailer %v", body, res.Trailer)
		}
	})
	t.Run("early hints", func(t *testing.T) {
		var got []string
		ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
			got = append(got, fmt.Sprint(code, h.Get("Link")))
			return nil
		}})
		req, _ := http.NewRequestWithContext(ctx, http.MethodGet, f.URL+"/hints", nil)
		res, err := f.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if len(got) != 1 || got[0] != "103</style.css>; rel=preload" || res.StatusCode != 200 || res.Header.Get("Link") != "" {
			t.Errorf("informational %q, then %d %v", got, res.StatusCode, res.Header)
		}
	})
	t.Run("head", func(t *testing.T) {
		res, err := f.client.Head(f.URL + "/head")
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.ContentLength != 12345 || res.Header.Get("Content-Encoding") != "br" {
			t.Errorf("HEAD: length %d, %v", res.ContentLength, res.Header)
		}
	})
	t.Run("not modified", func(t *testing.T) {
		res, err := f.client.Get(f.URL + "/304")
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != 304 || res.Header.Get("Etag") != `"x"` {
			t.Errorf("%d %v", res.StatusCode, res.Header)
		}
	})
}

func TestExpectContinueWaitsForTheBackend(t *testing.T) {
	f := newFront(t, nil)
	f.backend(t, "/yes", func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "read %s", b)
	})
	c, err := net.Dial("tcp", f.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	_, _ = io.WriteString(c, "PUT /yes HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\nConnection: close\r\n\r\n")
	in := bufio.NewReader(c)
	if line, err := in.ReadString('\n'); err != nil || !strings.HasPrefix(line, "HTTP/1.1 100 ") {
		t.Fatalf("before the body: %q, %v, want 100", line, err)
	}
	_, _ = io.WriteString(c, "body")
	if rest, _ := io.ReadAll(in); !strings.Contains(string(rest), "HTTP/1.1 200 OK") || !strings.Contains(string(rest), "read body") {
		t.Errorf("after the body: %q", rest)
	}
}

func TestBackendThatDiesMidStream(t *testing.T) {
	f := newFront(t, nil)
	f.backend(t, "/", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/length" {
			w.Header().Set("Content-Length", "1000")
		}
		_, _ = io.WriteString(w, "start")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	for _, path := range []string{"/chunked", "/length"} {
		res, err := f.client.Get(f.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if string(body) != "start" || err == nil {
			t.Errorf("GET %s: %q, %v: the client must see that the answer is cut", path, body, err)
		}
	}
	f.backend(t, "/alive/", echo)
	if code, _ := f.get(t, "/alive/"); code != 200 {
		t.Errorf("afterwards: %d", code)
	}
}
