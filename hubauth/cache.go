package hubauth

import (
	"crypto/sha256"
	"sync"
	"time"

	"github.com/minihub/minihub/hubapi"
)

// maxCached bounds the memory for identities; strangers cannot fill it, since only tokens that the hub knows get in.
const maxCached = 10_000

// cacheKey is a token, by its hash, in one browser session.
type cacheKey [sha256.Size]byte

func keyOf(token, session string) cacheKey { return sha256.Sum256([]byte(session + "\n" + token)) }

// cache remembers the hub's answers about tokens.
type cache struct {
	age time.Duration
	mu  sync.Mutex
	m   map[cacheKey]cached
}

type cached struct {
	identity *hubapi.Identity
	until    time.Time
}

func newCache(age time.Duration) *cache { return &cache{age: age, m: map[cacheKey]cached{}} }

func (c *cache) get(k cacheKey) *hubapi.Identity {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.m[k]; ok && time.Now().Before(e.until) {
		return e.identity
	}
	return nil
}

func (c *cache) put(k cacheKey, i *hubapi.Identity) {
	if c.age < 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.m) >= maxCached {
		c.shrink()
	}
	c.m[k] = cached{i, time.Now().Add(c.age)}
}

// shrink drops what is too old, and everything when that is not enough.
func (c *cache) shrink() {
	now := time.Now()
	for k, e := range c.m {
		if now.After(e.until) {
			delete(c.m, k)
		}
	}
	if len(c.m) >= maxCached {
		clear(c.m)
	}
}

func (c *cache) drop(k cacheKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.m, k)
}
