// Package idp is an identity provider for tests, on loopback: people log in there as at a real one, and the test decides what it says of them.
//
// [New] starts one, [Start] one that ends with a test. It speaks OpenID Connect (discovery, authorize, token with codes, PKCE and rotating refresh tokens, id_tokens signed
// with RS256, userinfo, logout) and the part of GitHub's API that authenticators use. [Provider.Set] adds a [Person] or changes what is known
// of one, [Provider.Fail] makes an address answer errors, [Provider.Expire] and [Provider.Revoke] end tokens. It is strict where real
// providers are: client secret, redirect address, code challenge, codes that serve once.
package idp
