// Package hubauth lets a Go program be a service or a single-user server of JupyterHub: what HubAuth and HubOAuth are in
// Python. It checks the tokens of programs with the hub, logs browsers in with OAuth, and hands the identity to the
// handlers behind it.
//
//	auth, err := hubauth.FromEnv()
//	if err != nil { … }
//	whoami := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
//		fmt.Fprintln(w, "hello", hubauth.Identity(r).Name)
//	})
//	listener, err := auth.Listen()
//	http.Serve(listener, auth.Handler(whoami))
//
// Flow of a request to Handler: the OAuth callback and the logout path are served by the package; everything else needs an
// identity. It comes from "Authorization: token …" (or bearer), else from the package's own cookie, which is encrypted and
// valid under the service's prefix only. The hub is asked GET /user and its answer is kept for five minutes per token and
// browser session, so that a logout from the hub, which ends the session, counts at once. Whoever lacks the access scopes
// gets 403; a browser without identity is sent to the hub's login and comes back where it wanted to go (RFC 6749 section 4.1
// with PKCE, RFC 7636).
//
// Requests that change something and are authenticated by the cookie must carry the token of XSRFToken, because other
// services and servers share the hub's origin. Requests with a token in a header need none.
//
// It imports nothing but the standard library and hubapi.
package hubauth
