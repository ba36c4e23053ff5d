package web_test

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// maxHomePage is the budget of the home page with all that it loads, in bytes on the wire.
const maxHomePage = 100_000

// TestHomePageIsSmall adds up what a browser loads for the home page the first time, as it is transferred, and that it is not much without
// compression either.
func TestHomePageIsSmall(t *testing.T) {
	w := newWorld(t, worldOptions{})
	alice := w.user("alice")
	for _, name := range []string{"one", "two", "three", "four", "five"} {
		need(w.servers.Create(t.Context(), alice, name, "", nil))
	}
	b := w.as("alice")
	page := b.get("/hub/home", "Accept-Language", "de")
	sent, plain := len(page.body), len(page.body)
	for _, m := range regexp.MustCompile(`(?:src|href)="(/hub/(?:static/[^"]+|logo))"`).FindAllStringSubmatch(page.body, -1) {
		a := b.get(m[1], "Accept-Encoding", "gzip")
		if a.status != http.StatusOK {
			t.Errorf("%s: %d", m[1], a.status)
		}
		sent, plain = sent+len(a.body), plain+len(a.body)
		if a.header.Get("Content-Encoding") == "gzip" {
			z := need(gzip.NewReader(strings.NewReader(a.body)))
			plain += len(need(io.ReadAll(z))) - len(a.body)
		}
	}
	t.Logf("the home page: %d bytes sent, %d without compression", sent, plain)
	if sent > maxHomePage || plain > 2*maxHomePage {
		t.Errorf("the home page takes %d bytes, %d without compression; the budget is %d", sent, plain, maxHomePage)
	}
	if other := regexp.MustCompile(`(?:src|href|action)="(?:https?:)?//`).FindString(page.body); other != "" {
		t.Errorf("the page loads or links %s", other)
	}
}

// TestHomePageAsksLittle counts the statements of the home page: the number does not depend on how many servers there are.
func TestHomePageAsksLittle(t *testing.T) {
	var statements atomic.Int64
	w := newWorld(t, worldOptions{onQuery: func(time.Duration) { statements.Add(1) }})
	alice := w.user("alice")
	b := w.as("alice")
	asked := func() int64 {
		b.get("/hub/home") // what is kept prepared afterwards is not counted
		began := statements.Load()
		if a := b.get("/hub/home"); a.status != http.StatusOK {
			t.Fatal(a.status)
		}
		return statements.Load() - began
	}
	without := asked()
	for i := range 20 {
		need(w.servers.Create(t.Context(), alice, fmt.Sprint("server-", i), "", nil))
	}
	if with := asked(); with != without || with > 6 {
		t.Errorf("the home page asks the database %d times, with 20 servers %d times; at most 6 are allowed, and no more for more servers", without, with)
	} else {
		t.Logf("%d statements", with)
	}
}

// BenchmarkHomePage is the whole request over HTTP for a user with five named servers. The goal is 2 ms; cpu-ms/op counts the browser's side
// as well, and tells it on a busy machine, too.
func BenchmarkHomePage(b *testing.B) {
	w := newWorld(b, worldOptions{})
	alice := w.user("alice")
	for _, name := range []string{"one", "two", "three", "four", "five"} {
		need(w.servers.Create(b.Context(), alice, name, "", nil))
	}
	tab := w.as("alice")
	begin := cpuTime(b)
	for b.Loop() {
		if a := tab.get("/hub/home"); a.status != http.StatusOK {
			b.Fatal(a.status)
		}
	}
	b.ReportMetric(float64((cpuTime(b)-begin).Microseconds())/1000/float64(b.N), "cpu-ms/op")
}

// cpuTime is what this process has used.
func cpuTime(b *testing.B) time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
