package oauthprovider

import (
	"fmt"
	"testing"
	"time"
)

// What is remembered of used codes is bounded, and only what has expired is forgotten to make room.
func TestUsedCodesAreBounded(t *testing.T) {
	u := newUsedCodes()
	later := time.Now().Add(time.Hour)
	u.add("first", "app", later)
	u.gave("first", 7)
	for i := range maxUsed - 1 {
		u.add(fmt.Sprint("old", i), "app", time.Now().Add(-time.Second))
	}
	u.add("second", "app", later)
	u.gave("second", 8)
	if len(u.list) != 2 {
		t.Errorf("%d codes are kept, want the two that have not expired", len(u.list))
	}
	for i := range maxUsed + 10 {
		u.add(fmt.Sprint("new", i), "app", later)
	}
	if len(u.list) != maxUsed {
		t.Errorf("%d codes are kept", len(u.list))
	}
	for code, want := range map[string]int64{"first": 7, "second": 8} {
		if got, ok := u.take(code, "app"); !ok || got != want {
			t.Errorf("%s: token %d, %t", code, got, ok)
		}
	}
}

// Only the client that used a code ends its token, once, and only when there is one.
func TestUsedCodesAreTakenOnce(t *testing.T) {
	u := newUsedCodes()
	u.add("c", "app", time.Now().Add(time.Hour))
	if _, ok := u.take("c", "app"); ok {
		t.Error("taken before there was a token")
	}
	u.gave("c", 7)
	u.gave("never added", 8)
	if _, ok := u.take("c", "other"); ok {
		t.Error("taken by another client")
	}
	if id, ok := u.take("c", "app"); !ok || id != 7 {
		t.Errorf("%d %t", id, ok)
	}
	if _, ok := u.take("c", "app"); ok {
		t.Error("taken twice")
	}
	if _, ok := u.take("never added", "app"); ok {
		t.Error("a code that was not used was taken")
	}
}
