package supervise

import "time"

// Backoff says how long to wait before a restart. The zero value waits 1 s, doubles up to 60 s, and starts again at 1 s
// after a run of 60 s. It belongs to one goroutine.
type Backoff struct {
	Min, Max time.Duration
	Reset    time.Duration // a run of this length forgets what was before
	next     time.Duration
}

// Next returns the waiting time after a run of this length.
func (b *Backoff) Next(ran time.Duration) time.Duration {
	least, most, reset := orElse(b.Min, time.Second), orElse(b.Max, time.Minute), orElse(b.Reset, time.Minute)
	if ran >= reset || b.next < least {
		b.next = least
	}
	wait := min(b.next, most)
	b.next = min(b.next*2, most)
	return wait
}

func orElse(value, fallback time.Duration) time.Duration {
	if value > 0 {
		return value
	}
	return fallback
}
