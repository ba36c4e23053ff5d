package freeport

import (
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
)

// The range from which ports are taken. It ends below the one that Linux gives to whoever asks for port 0 or connects, so that nobody who
// does not care about the number gets a port before it is used.
const (
	first = 10_000
	count = 20_000
	tries = 1000
)

// ErrNone says that every port that was tried is in use.
var ErrNone = errors.New("find a free port of 127.0.0.1: all that were tried from 10000 to 29999 are in use")

// Pick returns a port of 127.0.0.1 on which nobody listens. Errors: ErrNone.
func Pick() (int, error) {
	for range tries {
		port := first + rand.IntN(count)
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			continue
		}
		if err := l.Close(); err == nil {
			return port, nil
		}
	}
	return 0, ErrNone
}

// Fataler is what For needs of *testing.T, *testing.B and *testing.F.
type Fataler interface {
	Helper()
	Fatal(args ...any)
}

// For is Pick for a test, which fails when there is no port.
func For(t Fataler) int {
	t.Helper()
	port, err := Pick()
	if err != nil {
		t.Fatal(err)
	}
	return port
}
