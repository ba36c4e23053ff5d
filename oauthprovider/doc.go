// Package oauthprovider is the hub's OAuth 2.0 authorization server (RFC 6749, code grant only, with PKCE of RFC 7636),
// and the only package that imports go-oauth2.
//
// The dance: a server or service sends the browser to Authorize (authorize.go). The request is checked (request.go) in an order that
// RFC 6749 section 4.1.2.1 demands: client and redirect URI first, because nothing may be redirected before both are
// known to be good; then everything else, whose errors go to the client by redirect. What is granted is the requested
// scopes, limited to what the client may have and the user holds (scopes.go). Unless it is clear that the user agrees, the
// consent page asks (consent.go). A code is issued, valid for five minutes and once (store.go); the client changes it for
// a token (token.go), which is a row of api_tokens tied to the client and to the browser's session id, so that a logout
// ends it. A code that is used twice revokes the token that it gave.
//
// JupyterHub's own client, HubOAuth, registers relative redirect URIs and authenticates by form fields; both work, and
// HTTP Basic (RFC 6749 section 2.3.1) does too.
//
// Which codes were used is remembered in the database for as long as their tokens live (table minihub_used_codes), so a second use
// revokes after a restart of the hub as well.
//
// Programs find the endpoints by themselves (metadata.go, RFC 8414), end their tokens (RFC 7009) and ask what one is good for (RFC 7662;
// both introspect.go). The issuer is the public URL of base_url, and the answers of Authorize name it (RFC 9207).
//
// Invariants: nothing is redirected to an address that is not registered; a refused token request leaves the code as it is; of many
// requests with one code at most one gets a token; what a token may do is limited again at every use (hub.Access); a database error is
// never an answer about authority.
//
// No compatibility promise.
package oauthprovider
