// Package rbac is JupyterHub's permission language as pure values: it knows what scopes mean, and nothing about
// databases, requests or tokens. It carries no compatibility promise.
//
// A permission goes through five stages:
//
//	raw scopes       what roles, tokens and configuration say       "self", "shares!user", "read:users!group=class"
//	expanded scopes  sub-scopes added, owner filled in, reduced     "read:users:name!user=alice"
//	parsed scopes    the same, ready to be asked                    Scopes{"read:users:name": {Users: {alice}}}
//	intersection     what two parties both may                      token scopes ∩ scopes of the token's owner
//	identify scopes  what a holder may always read about itself     "read:users:name!user=alice"
//
// [Catalog] holds the definitions, the built-in ones and the deployment's custom scopes, with all expansions computed
// once. [Catalog.Expand] leads from raw to expanded, [Parse] to [Scopes], and [Scopes] answers every question that a
// request brings: [Scopes.Check] for one target, [Scopes.ListFilter] for a listing, [KeysFor] for the keys of a model.
// [Catalog.TokenScopes] and [Catalog.ResolveRequested] are the two places where one party's scopes limit another's.
// [Catalog.MergeRoles] turns the configured roles and the default ones into the list that the store should hold.
//
// # Invariants
//
// An expansion, an intersection or a filter never grants more than what went in; whatever cannot be understood (an
// unknown name, a filter without a target, an empty filter value) grants nothing, and the caller is told. Scopes, and
// the sets inside a [Filter], are never changed after they have been built: results share sets with their inputs, so
// values may be read from any number of goroutines and must not be written to.
//
// Group membership is not known here. Functions that need it take a lookup, call it only when an answer depends on it,
// and at most once per user; without a lookup (nil) nobody is in any group.
package rbac
