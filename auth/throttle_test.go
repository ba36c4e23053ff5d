package auth_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/minihub/minihub/auth"
)

func TestThrottleBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := auth.NewThrottle(auth.ThrottleOptions{})
		for i := range 10 {
			if wait := th.Begin("192.0.2.1", "alice"); wait != 0 {
				t.Fatalf("attempt %d has to wait %v", i+1, wait)
			}
		}
		for _, want := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60, 60} {
			want *= time.Second
			wait := th.Begin("192.0.2.1", "alice")
			if wait != want {
				t.Fatalf("wait %v, want %v", wait, want)
			}
			time.Sleep(wait - time.Millisecond)
			if wait = th.Begin("192.0.2.1", "alice"); wait != time.Millisecond {
				t.Fatalf("shortly before the end: wait %v", wait)
			}
			time.Sleep(wait)
			if wait = th.Begin("192.0.2.1", "alice"); wait != 0 {
				t.Fatalf("after the pause: wait %v", wait)
			}
		}
		if wait := th.Begin("192.0.2.1", "bob"); wait != 0 {
			t.Errorf("another name from the same address waits %v", wait)
		}
		if wait := th.Begin("192.0.2.2", "alice"); wait != 0 {
			t.Errorf("another address waits %v for the same name: anybody could lock out anybody", wait)
		}
		time.Sleep(5 * time.Minute)
		for i := range 10 {
			if wait := th.Begin("192.0.2.1", "alice"); wait != 0 {
				t.Fatalf("after five quiet minutes attempt %d waits %v", i+1, wait)
			}
		}
	})
}

func TestThrottlePerAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := auth.NewThrottle(auth.ThrottleOptions{})
		for i := range 100 {
			if wait := th.Begin("2001:db8::1", fmt.Sprint("user", i)); wait != 0 {
				t.Fatalf("attempt %d waits %v", i+1, wait)
			}
		}
		if wait := th.Begin("2001:db8::ffff", "somebody else"); wait != time.Second {
			t.Errorf("another address of the same /64 waits %v, want 1s", wait)
		}
		if wait := th.Begin("2001:db8:0:1::1", "somebody else"); wait != 0 {
			t.Errorf("another /64 waits %v", wait)
		}
	})
}

func TestThrottleForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := auth.NewThrottle(auth.ThrottleOptions{})
		// A person who mistypes once a minute never meets the throttle.
		for i := range 100 {
			if wait := th.Begin("192.0.2.1", "slow"); wait != 0 {
				t.Fatalf("attempt %d waits %v", i+1, wait)
			}
			time.Sleep(time.Minute)
		}
		// A test suite that mixes failures and successes neither.
		for i := range 1000 {
			if wait := th.Begin("127.0.0.1", "alice"); wait != 0 {
				t.Fatalf("attempt %d waits %v", i+1, wait)
			}
			if i%9 == 8 {
				th.Succeeded("127.0.0.1", "alice")
			}
		}
		// Success elsewhere does not help against another name.
		for range 10 {
			th.Begin("192.0.2.7", "victim")
		}
		th.Begin("192.0.2.7", "attacker")
		th.Succeeded("192.0.2.7", "attacker")
		if wait := th.Begin("192.0.2.7", "victim"); wait == 0 {
			t.Error("a login of the attacker's own reset the victim's count")
		}
		// An outage counts for nothing.
		for i := range 50 {
			if wait := th.Begin("192.0.2.8", "x"); wait != 0 {
				t.Fatalf("attempt %d waits %v", i+1, wait)
			}
			th.Undo("192.0.2.8", "x")
		}
		th.Undo("192.0.2.9", "never seen")
	})
}

func TestThrottleParallelAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := auth.NewThrottle(auth.ThrottleOptions{PerUser: 3})
		begun := make(chan time.Duration, 50)
		for range cap(begun) {
			go func() { begun <- th.Begin("192.0.2.1", "alice") }()
		}
		passed := 0
		for range cap(begun) {
			if <-begun == 0 {
				passed++
			}
		}
		if passed != 3 {
			t.Errorf("%d of 50 attempts at once passed, want 3", passed)
		}
	})
}

func TestThrottleMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := auth.NewThrottle(auth.ThrottleOptions{PerUser: 1, PerIP: 1 << 30, Capacity: 3})
		th.Begin("a", "1")
		if th.Begin("a", "1") == 0 {
			t.Fatal("not counted")
		}
		th.Begin("a", "2")
		th.Begin("a", "3") // room for three: the address, 2 and 3; 1 is forgotten
		if th.Begin("a", "1") != 0 {
			t.Error("the oldest counter is kept")
		}
		if th.Begin("a", "3") == 0 {
			t.Error("a recent counter is forgotten")
		}
	})
}

func TestRetryAfter(t *testing.T) {
	for wait, want := range map[time.Duration]string{time.Millisecond: "1", time.Second: "1", 1500 * time.Millisecond: "2", time.Minute: "60"} {
		if got := auth.RetryAfter(wait); got != want {
			t.Errorf("RetryAfter(%v) = %s, want %s", wait, got, want)
		}
	}
}
