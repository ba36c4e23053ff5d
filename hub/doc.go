// Package hub holds minihub's use cases: what happens when somebody logs in, asks for a token, starts a server, shares it. It knows no
// HTTP, no cookies and no JSON; api, web and oauthprovider translate those into calls of this package, and app plugs the parts together.
// The package gives no compatibility promise.
//
// There is no object that everybody holds. Each type has one subject and at most eight dependencies:
//
//   - Access turns a credential into an Identity and decides who may do what. Every request passes it, so it caches identities by a digest
//     of the credential, each for as long as nobody, this process or another, commits anything to the database. A cached answer is
//     therefore never stale, and a revoked token is refused by the very next request.
//   - Logins checks credentials by way of an auth.Authenticator and the auth.Rules, and applies the result: user, admin flag, groups,
//     roles, auth_state. It re-validates old logins.
//   - Users, Groups, Tokens, Shares and ServiceRows create, find, change and delete what their names say.
//   - Servers, Progress and Activity are the live side: starting, watching and stopping single-user servers, and who was seen when.
//   - Setup brings the database in line with the configuration before anything is served.
//
// Invariants:
//
//   - What cannot be done is an *Error with a Kind; the edge turns the kind into a status. Every other error is internal. A database error
//     is never read as a statement about authority: it is Unavailable or internal, never "no such token".
//   - A refusal explains itself. Error.Hint and the log line say what was needed, what is held, and which load_roles entry would give it.
//     Refusals of logins are the exception: which rule refused is in the log only. Nothing hints at whether a hidden target exists.
//   - The admin flag of users and services is the only authority that scopes do not carry: only those who have it may give it away or
//     change somebody who has it.
//   - Names are normalised and validated in one place, auth.Rules, on every way in.
//   - A use case is one transaction, or undoes what it did. Calls to authenticators, spawners and proxies happen outside of transactions
//     and without locks.
//   - Lists are loaded in a constant number of queries.
//   - Identities and the rows in them are shared between requests and never written.
//
// Setup and Users need each other's neighbours, so the wiring has an order: Store, Catalog, Rules, Access, Users, Logins
// (Users.SetAuthStates), Tokens, Servers (Users.SetServers), Shares, ServiceRows, Setup.
package hub
