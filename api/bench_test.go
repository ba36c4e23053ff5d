package api_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// discard is a ResponseWriter that costs nothing itself.
type discard struct{ h http.Header }

func (d discard) Header() http.Header         { return d.h }
func (d discard) Write(b []byte) (int, error) { return len(b), nil }
func (d discard) WriteHeader(int)             {}

// BenchmarkCurrentUser is GET /user with a token, the busiest request of a hub: every request to a service or server that checks a
// token ends here. Aim: below 15 µs and 60 allocations.
func BenchmarkCurrentUser(b *testing.B) {
	l := newLab(b)
	l.level.Set(100)
	r := httptest.NewRequest("GET", "/hub/api/user", nil)
	r.Header.Set("Authorization", "token "+l.token("alice"))
	w := discard{http.Header{}}
	l.bare.ServeHTTP(w, r)
	noErr(b, l.hub.Acts.Flush(b.Context()))
	b.ReportAllocs()
	for b.Loop() {
		clear(w.h)
		l.bare.ServeHTTP(w, r)
	}
}

// TestCurrentUserIsCheap keeps the number of allocations of BenchmarkCurrentUser.
func TestCurrentUserIsCheap(t *testing.T) {
	l := newLab(t)
	l.level.Set(100)
	r := httptest.NewRequest("GET", "/hub/api/user", nil)
	r.Header.Set("Authorization", "token "+l.token("alice"))
	w := discard{http.Header{}}
	l.bare.ServeHTTP(w, r)
	noErr(t, l.hub.Acts.Flush(t.Context()))
	if n := testing.AllocsPerRun(100, func() { clear(w.h); l.bare.ServeHTTP(w, r) }); n > 60 {
		t.Errorf("%v allocations, at most 60 are wanted", n)
	}
}
