package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// lane is one connection of the load generator. It knows as little of HTTP as it can, to leave the machine to what is measured.
type lane struct {
	addr string
	conn net.Conn
	r    *bufio.Reader
	till time.Time // the connection's deadline
}

// answerWithin is how long an answer may take, half of it at least.
const answerWithin = 4 * time.Minute

// send writes a request, on a new connection when there is none.
func (l *lane) send(raw []byte) error {
	if l.conn == nil {
		conn, err := net.Dial("tcp", l.addr)
		if err != nil {
			return err
		}
		l.conn = conn
		if l.r == nil {
			l.r = bufio.NewReaderSize(conn, 16<<10)
		} else {
			l.r.Reset(conn)
		}
		l.till = time.Time{}
	}
	if now := time.Now(); l.till.Sub(now) < answerWithin/2 {
		l.till = now.Add(answerWithin)
		if err := l.conn.SetDeadline(l.till); err != nil {
			return err
		}
	}
	_, err := l.conn.Write(raw)
	return err
}

func (l *lane) close() {
	if l.conn != nil {
		_ = l.conn.Close()
		l.conn = nil
	}
}

// do sends a request and reads the answer, whose body is thrown away.
func (l *lane) do(raw []byte) (status int, err error) {
	if err := l.send(raw); err != nil {
		l.close()
		return 0, err
	}
	status, length, ends, err := l.head()
	if err == nil {
		err = l.skip(length)
	}
	if err != nil || ends {
		l.close()
	}
	return status, err
}

// head reads the status line and the header; length is -1 for chunks.
func (l *lane) head() (status, length int, ends bool, err error) {
	for first := true; ; first = false {
		line, err := l.r.ReadSlice('\n')
		if err != nil {
			return 0, 0, true, err
		}
		if line = bytes.TrimRight(line, "\r\n"); len(line) == 0 {
			return status, length, ends, nil
		}
		if first {
			if len(line) < 12 {
				return 0, 0, true, fmt.Errorf("%w: %q", errOdd, line)
			}
			if status, err = strconv.Atoi(string(line[9:12])); err != nil {
				return 0, 0, true, err
			}
			continue
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		switch value = bytes.TrimSpace(value); {
		case len(name) == 14 && bytes.EqualFold(name, []byte("content-length")):
			if length, err = strconv.Atoi(string(value)); err != nil {
				return 0, 0, true, err
			}
		case len(name) == 17 && bytes.EqualFold(name, []byte("transfer-encoding")):
			length = -1
		case len(name) == 10 && bytes.EqualFold(name, []byte("connection")):
			ends = bytes.EqualFold(value, []byte("close"))
		}
	}
}

func (l *lane) skip(length int) error {
	if length >= 0 {
		_, err := l.r.Discard(length)
		return err
	}
	for {
		line, err := l.r.ReadSlice('\n')
		if err != nil {
			return err
		}
		size, err := strconv.ParseInt(string(bytes.TrimSpace(line)), 16, 32)
		if err != nil {
			return err
		}
		if _, err := l.r.Discard(int(size) + 2); err != nil || size == 0 {
			return err
		}
	}
}

// ask sends a request and returns the answer with its body, for work that depends on it.
func (l *lane) ask(raw []byte) (*http.Response, string, error) {
	if err := l.send(raw); err != nil {
		l.close()
		return nil, "", err
	}
	answer, err := http.ReadResponse(l.r, nil)
	if err != nil {
		l.close()
		return nil, "", err
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.Close {
		l.close()
	}
	return answer, string(body), err
}

// request makes the bytes of a request.
func request(method, path, token, kind, body string, header ...string) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\n", method, path)
	if token != "" {
		fmt.Fprintf(&b, "Authorization: token %s\r\n", token)
	}
	for _, h := range header {
		b.WriteString(h + "\r\n")
	}
	if kind != "" {
		fmt.Fprintf(&b, "Content-Type: %s\r\n", kind)
	}
	if body != "" || method != http.MethodGet {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(body))
	}
	b.WriteString("\r\n" + body)
	return []byte(b.String())
}

// load is one kind of work for the generator.
type load struct {
	addr  string
	lanes int
	lasts time.Duration              // every lane works at least once
	at    func(l *lane, n int) error // does the work once; n counts from 0 over all lanes
}

// result says how the work went.
type result struct {
	rate  float64         // per second
	took  time.Duration   // until the last was done
	times []time.Duration // of each, sorted
}

// quantile returns the time within which that share of the work was done.
func (r *result) quantile(share float64) time.Duration {
	if len(r.times) == 0 {
		return 0
	}
	return r.times[min(len(r.times)-1, int(share*float64(len(r.times))))]
}

// run works on all lanes until the time is over, and lets what was begun come to its end.
func (w load) run() (*result, error) {
	var next, left atomic.Int64
	var mu sync.Mutex
	var bad error
	out := &result{}
	var all sync.WaitGroup
	begin := time.Now()
	for range w.lanes {
		all.Go(func() {
			l := &lane{addr: w.addr}
			defer l.close()
			var times []time.Duration
			for first := true; left.Load() == 0 && (first || time.Since(begin) < w.lasts); first = false {
				at := time.Now()
				if err := w.at(l, int(next.Add(1))-1); err != nil {
					left.Store(1)
					mu.Lock()
					bad = err
					mu.Unlock()
					return
				}
				times = append(times, time.Since(at))
			}
			mu.Lock()
			out.times = append(out.times, times...)
			mu.Unlock()
		})
	}
	all.Wait()
	out.took = time.Since(begin)
	out.rate = float64(len(out.times)) / out.took.Seconds()
	slices.Sort(out.times)
	return out, bad
}

// want is work that sends a request and wants an answer with this status.
func want(status int, raw func(n int) []byte) func(*lane, int) error {
	return func(l *lane, n int) error {
		q := raw(n)
		got, err := l.do(q)
		if err != nil {
			return err
		}
		if got != status {
			line, _, _ := bytes.Cut(q, []byte("\r"))
			return fmt.Errorf("%w: %s: status %d instead of %d", errOdd, line, got, status)
		}
		return nil
	}
}

// same is the same request again and again.
func same(raw []byte) func(int) []byte { return func(int) []byte { return raw } }

// inTurn is one request after the other.
func inTurn(raws [][]byte) func(int) []byte { return func(n int) []byte { return raws[n%len(raws)] } }
