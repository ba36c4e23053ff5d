package auth

import (
	"container/list"
	"crypto/sha256"
	"math"
	"net/netip"
	"strconv"
	"sync"
	"time"
)

// ThrottleOptions tune Throttle; a zero field is its default.
type ThrottleOptions struct {
	PerUser  int           // failures of one address with one name that cost nothing; 10
	PerIP    int           // failures of one address that cost nothing; 100
	Window   time.Duration // time in which those are counted, and quiet time after which all is forgotten; 5 min
	MaxDelay time.Duration // longest pause between attempts; 60 s
	Capacity int           // counters kept in memory, the least recently used go first; 10000
}

// Throttle slows down password guessing. It counts the failed logins of each address, and of each address with each name.
// Past the limit the next attempt has to wait 1 s, then 2 s, 4 s and so on up to MaxDelay. A successful login forgets both
// counts, so that a person who found the right password, or a test suite, is not punished; an attacker with an account of
// their own gains nothing against another name, whose count stays.
//
// Names are counted per address only: otherwise anybody could lock out anybody else. Safe for concurrent use.
type Throttle struct {
	o ThrottleOptions

	mu      sync.Mutex
	entries map[throttleKey]*list.Element
	recent  *list.List // of *throttleEntry, most recently used first
}

// throttleKey is an address, with the hash of a name or without. The hash bounds the memory: names are a stranger's input.
type throttleKey struct {
	addr string
	name [16]byte
}

type throttleEntry struct {
	key         throttleKey
	failures    int
	since, last time.Time // first and last failure counted
}

// NewThrottle makes a Throttle.
func NewThrottle(o ThrottleOptions) *Throttle {
	setDefault(&o.PerUser, 10)
	setDefault(&o.PerIP, 100)
	setDefault(&o.Window, 5*time.Minute)
	setDefault(&o.MaxDelay, time.Minute)
	setDefault(&o.Capacity, 10000)
	return &Throttle{o: o, entries: make(map[throttleKey]*list.Element), recent: list.New()}
}

func setDefault[T int | time.Duration](field *T, value T) {
	if *field <= 0 {
		*field = value
	}
}

// Begin asks whether this address may try to log in with this normalised name now. Zero means yes, and counts as a failure
// until Succeeded or Undo is called: many attempts at once are no way around. Else it is the time to wait (Retry-After),
// nothing is counted, and the credentials must not be looked at.
func (t *Throttle) Begin(remoteIP, name string) time.Duration {
	user, addr := throttleKeys(remoteIP, name)
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	if wait := max(t.wait(user, t.o.PerUser, now), t.wait(addr, t.o.PerIP, now)); wait > 0 {
		return wait
	}
	t.count(user, t.o.PerUser, now)
	t.count(addr, t.o.PerIP, now)
	return 0
}

// Succeeded forgets the failures of this address, and of this address with this name.
func (t *Throttle) Succeeded(remoteIP, name string) {
	user, addr := throttleKeys(remoteIP, name)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.remove(user)
	t.remove(addr)
}

// Undo takes back the failure that Begin counted: the login was neither right nor wrong, because the hub or the
// authenticator failed.
func (t *Throttle) Undo(remoteIP, name string) {
	user, addr := throttleKeys(remoteIP, name)
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, key := range []throttleKey{user, addr} {
		element, ok := t.entries[key]
		if !ok {
			continue
		}
		entry := element.Value.(*throttleEntry)
		if entry.failures--; entry.failures <= 0 {
			t.remove(key)
		}
	}
}

// wait is the rest of the pause after the last failure; 0 when there is none.
func (t *Throttle) wait(key throttleKey, limit int, now time.Time) time.Duration {
	element, ok := t.entries[key]
	if !ok {
		return 0
	}
	entry := element.Value.(*throttleEntry)
	over := entry.failures - limit
	if over < 0 || t.forgotten(entry, limit, now) {
		return 0
	}
	delay := t.o.MaxDelay
	if over < 30 { // 2^30 s is past any MaxDelay, and a larger shift would overflow
		delay = min(delay, time.Second<<over)
	}
	return max(0, entry.last.Add(delay).Sub(now))
}

// forgotten reports whether an entry no longer counts: below the limit when its window is over, above it after a quiet window.
func (t *Throttle) forgotten(entry *throttleEntry, limit int, now time.Time) bool {
	from := entry.since
	if entry.failures >= limit {
		from = entry.last
	}
	return now.Sub(from) >= t.o.Window
}

func (t *Throttle) count(key throttleKey, limit int, now time.Time) {
	element, ok := t.entries[key]
	if !ok {
		element = t.recent.PushFront(&throttleEntry{key: key, since: now})
		t.entries[key] = element
		if t.recent.Len() > t.o.Capacity {
			t.remove(t.recent.Back().Value.(*throttleEntry).key)
		}
	}
	t.recent.MoveToFront(element)
	entry := element.Value.(*throttleEntry)
	if t.forgotten(entry, limit, now) {
		entry.failures, entry.since = 0, now
	}
	entry.failures++
	entry.last = now
}

func (t *Throttle) remove(key throttleKey) {
	if element, ok := t.entries[key]; ok {
		t.recent.Remove(element)
		delete(t.entries, key)
	}
}

// throttleKeys returns the keys of an address with a name and of the address alone. An IPv6 address stands for its /64,
// which is what one customer has.
func throttleKeys(remoteIP, name string) (user, addr throttleKey) {
	key := remoteIP
	if ip, err := netip.ParseAddr(remoteIP); err == nil {
		ip = ip.Unmap().WithZone("")
		key = ip.String()
		if ip.Is6() && !ip.IsLoopback() {
			key = netip.PrefixFrom(ip, 64).Masked().String()
		}
	} else if len(key) > 64 {
		key = key[:64]
	}
	sum := sha256.Sum256([]byte(name))
	user = throttleKey{addr: key, name: [16]byte(sum[:16])}
	return user, throttleKey{addr: key}
}

// RetryAfter writes a wait for the Retry-After header: whole seconds, rounded up, at least one.
func RetryAfter(wait time.Duration) string {
	return strconv.Itoa(max(1, int(math.Ceil(wait.Seconds()))))
}
