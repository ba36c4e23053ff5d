package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// step is one size of the hub whose cost is measured.
type step struct{ users, servers int }

// steps grow by users, then by servers.
var steps = []step{{1_000, 100}, {10_000, 100}, {100_000, 100}, {10_000, 10}, {10_000, 1_000}}

// growth measures minihub alone, with more and more users and servers.
func growth(o options, dir string, p *peers) error {
	var b strings.Builder
	b.WriteString("| users | running servers | start: first answer, ms | all servers answer, ms | memory, MiB | GET /user, ms | the same, other tokens, ms | page of 50 users, ms | last page, ms | activity post, ms | create a user, ms | idle CPU per minute, ms |\n" +
		"|---|---|---|---|---|---|---|---|---|---|---|---|\n")
	for _, st := range steps {
		line, err := grown(o, dir, p, st)
		if err != nil {
			return fmt.Errorf("%d users, %d servers: %w", st.users, st.servers, err)
		}
		fmt.Fprint(os.Stderr, line)
		b.WriteString(line)
	}
	if _, err := io.WriteString(os.Stdout, b.String()); err != nil {
		return err
	}
	head := fmt.Sprintf("# How the cost grows\n\nMade by `make bench BENCH='-growth -markdown docs/growth.md'` on %s: %s. minihub alone, SQLite; times of requests are medians, one request "+
		"after the other on one connection.\n\n", time.Now().UTC().Format("2006-01-02"), machine())
	return writePage(o.markdown, head+b.String())
}

// grown measures one size.
func grown(o options, dir string, p *peers, size step) (string, error) {
	work := filepath.Join(dir, "growth")
	if err := os.MkdirAll(work, 0o700); err != nil {
		return "", err
	}
	defer os.RemoveAll(work)
	st, err := fill(work, p.backend.addr, sizes{users: size.users, servers: size.servers, rows: size.servers, tokens: min(1000, size.users)})
	defer st.end()
	if err != nil {
		return "", err
	}
	s := &session{o: o, subject: subject{name: "minihub", command: []string{o.minihub}, json: true}, dir: filepath.Join(work, "hub"), stock: st, peers: p, out: figures{}}
	if err := s.start(st.path); err != nil {
		return "", err
	}
	defer s.stop()
	ready := time.Since(s.hub.begin)
	time.Sleep(o.pause())
	memory := float64(memoryOf(s.pids)) / (1 << 20)
	before := cpuOf(s.pids)
	time.Sleep(time.Duration(o.idle) * time.Second)
	perMinute := milliseconds(cpuOf(s.pids)-before) * 60 / float64(max(o.idle, 1))
	cells := []string{thousands(size.users), thousands(size.servers), number(milliseconds(s.hub.took)), number(milliseconds(ready)), number(memory)}
	for _, work := range s.latencies() {
		r, err := load{addr: s.hub.addr, lanes: 1, lasts: o.length(), at: work}.run()
		if err != nil {
			return "", err
		}
		cells = append(cells, number(milliseconds(r.quantile(0.5))))
	}
	return "| " + strings.Join(append(cells, number(perMinute)), " | ") + " |\n", nil
}

// latencies is the work whose time is measured, in the order of the table.
func (s *session) latencies() []func(*lane, int) error {
	get := func(path, token string) func(*lane, int) error {
		return want(http.StatusOK, same(request(http.MethodGet, path, token, "", "")))
	}
	var tokens [][]byte
	for _, token := range s.stock.tokens {
		tokens = append(tokens, request(http.MethodGet, "/hub/api/user", token, "", ""))
	}
	return []func(*lane, int) error{
		get("/hub/api/user", s.stock.tokens[0]),
		want(http.StatusOK, inTurn(tokens)),
		get("/hub/api/users?limit=50", adminToken),
		get(fmt.Sprintf("/hub/api/users?limit=50&offset=%d", s.stock.users-50), adminToken),
		want(http.StatusOK, func(n int) []byte { return s.activityPost(n % len(s.stock.serverTokens)) }),
		want(http.StatusCreated, func(int) []byte {
			return request(http.MethodPost, "/hub/api/users/"+fresh(), adminToken, asJSON, "{}")
		}),
	}
}
