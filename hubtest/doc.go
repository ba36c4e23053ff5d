// Package hubtest is a complete hub for tests: in the test's own process, ready in milliseconds, gone with the test.
//
//	func TestMyService(t *testing.T) {
//		hub := hubtest.New(t, hubtest.Options{Users: []hubtest.User{{Name: "ann"}}})
//		_, err := hub.Client("ann").StartServer(t.Context(), "ann", "", nil)
//		…
//	}
//
// It is the hub that cmd/minihub runs, with all its routes, rules, pages and proxy; nothing of it is simulated. Three things
// are chosen for speed: the database is in memory, the servers are toys inside the process (configure another spawner_class
// for real ones), and any password logs a user in (DummyAuthenticator). The ports are free ones of 127.0.0.1, taken before
// the hub starts, so that tests in parallel never meet.
//
// Hub.Client calls the API in a user's name, Hub.Browser is a logged-in browser with cookies, Hub.Admin may do everything.
//
// This package is promised to outside users: changes are release notes.
package hubtest
