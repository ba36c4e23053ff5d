package proxy

// LookupForBenchmark is the lookup of ServeHTTP, without the copy that Lookup returns.
func LookupForBenchmark(t *Table, path string) bool {
	e, err := t.lookup("", path)
	return e != nil && err == nil
}
