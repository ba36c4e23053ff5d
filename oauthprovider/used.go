package oauthprovider

import (
	"sync"
	"time"
)

// usedCodes remembers codes that were changed for a token, until they would have expired anyway, so that a second use can
// revoke the token (RFC 6749 section 4.1.2). At most maxUsed are kept.
type usedCodes struct {
	mu   sync.Mutex
	list map[string]usedCode
}

type usedCode struct {
	client  string
	expires time.Time
	token   int64 // 0 until the token exists
}

const maxUsed = 10_000

func newUsedCodes() *usedCodes { return &usedCodes{list: map[string]usedCode{}} }

func (u *usedCodes) add(code, client string, expires time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.list) >= maxUsed {
		now := time.Now()
		for c, e := range u.list {
			if e.expires.Before(now) {
				delete(u.list, c)
			}
		}
	}
	if len(u.list) < maxUsed {
		u.list[code] = usedCode{client: client, expires: expires}
	}
}

// gave records which token a code gave.
func (u *usedCodes) gave(code string, token int64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if e, ok := u.list[code]; ok {
		e.token = token
		u.list[code] = e
	}
}

// take returns the token that a used code gave, once.
func (u *usedCodes) take(code, client string) (token int64, ok bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	e, ok := u.list[code]
	if !ok || e.client != client || e.token == 0 {
		return 0, false
	}
	delete(u.list, code)
	return e.token, true
}
