package hub

// CacheLen counts the identities in the cache.
func (a *Access) CacheLen() int {
	n := 0
	for i := range a.cache.shards {
		s := &a.cache.shards[i]
		s.mu.RLock()
		n += len(s.entries)
		s.mu.RUnlock()
	}
	return n
}
