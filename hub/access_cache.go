package hub

import (
	"crypto/sha256"
	"sync"

	"github.com/minihub/minihub/orm"
)

const (
	defaultCacheSize = 20_000
	cacheShards      = 32
)

// cacheKey is a digest of a credential, so that a memory dump holds no credentials.
type cacheKey [sha256.Size]byte

// cached is what one credential stood for at one generation of the database. It is never changed once it is stored.
type cached struct {
	generation string
	touched    uint64 // what Store.Touched said of the user and the token
	id         *Identity
	hashed     string // the token's row, proven to belong to the token: saves the slow hash at the next generation
	discarded  string // what the last warning about discarded scopes said
}

// identityCache keeps identities by credential, at most size of them. Valid ones only: an attacker who tries tokens fills nothing.
type identityCache struct {
	perShard int
	shards   [cacheShards]struct {
		mu      sync.RWMutex
		entries map[cacheKey]*cached
	}
}

func newIdentityCache(size int) *identityCache {
	if size <= 0 {
		size = defaultCacheSize
	}
	return &identityCache{perShard: max(1, size/cacheShards)}
}

func (c *identityCache) get(key *cacheKey) *cached {
	s := &c.shards[key[0]%cacheShards]
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.entries[*key]
}

// current reports whether what is cached still holds.
func (e *cached) current(store *orm.Store, generation string) bool {
	return e != nil && e.generation == generation && e.touched == e.touches(store)
}

func (e *cached) touches(store *orm.Store) uint64 { return store.Touched(e.ids()) }

// ids are those of the user and the token, 0 for none.
func (e *cached) ids() (user, token int64) {
	if e.id.User != nil {
		user = e.id.User.ID
	}
	if e.id.Token != nil {
		token = e.id.Token.ID
	}
	return user, token
}

// put stores e, or forgets the key when e is nil. A full shard loses an arbitrary entry: those of a past generation are worth
// little, and telling them apart would cost every hit a write.
func (c *identityCache) put(key *cacheKey, e *cached) {
	s := &c.shards[key[0]%cacheShards]
	s.mu.Lock()
	defer s.mu.Unlock()
	if e == nil {
		delete(s.entries, *key)
		return
	}
	if s.entries == nil {
		s.entries = make(map[cacheKey]*cached)
	}
	if _, ok := s.entries[*key]; !ok && len(s.entries) >= c.perShard {
		for victim := range s.entries {
			delete(s.entries, victim)
			break
		}
	}
	s.entries[*key] = e
}

// tokenKey digests a token of at most 64 characters without allocating; sessionKey does so for a cookie id. The first byte keeps the
// two apart.
func tokenKey(token string) cacheKey { return digestKey('t', token) }

func sessionKey(cookieID string) cacheKey { return digestKey('c', cookieID) }

func digestKey(kind byte, secret string) cacheKey {
	var room [1 + 256]byte
	return sha256.Sum256(append(append(room[:0], kind), secret...))
}
