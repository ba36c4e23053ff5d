package api_test

import (
	"bufio"
	"crypto/rand"
	"io"
	"testing"
)

func noErr(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("unexpected error: %v", err)
	}
}

func need[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func readerOf(r io.Reader) *bufio.Reader { return bufio.NewReader(r) }

func randomName() (string, error) { return rand.Text()[:10], nil }
