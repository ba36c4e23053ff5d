// Package auth decides who a person is and whether they get in.
//
// It owns the Authenticator interface that logins go through, the authenticators that are built in (dummy,
// shared-password, null, pam), the rules that JupyterHub puts around every authenticator, the encryption of
// auth_state, and the brake on password guessing.
//
// # The way of a login
//
// The caller asks Throttle whether this address may try now, and hands the form to Rules.Login. That runs
// JupyterHub's steps in JupyterHub's order:
//
//	Authenticator.Authenticate   who is it? nil means refused
//	Normalize                    lower case, then username_map
//	Validate                     names that may never exist, then username_pattern
//	blocked_users                always wins
//	allow_all, allowed_groups, allowed_users
//	admin_users, admin_groups    only when the authenticator left Model.Admin nil
//	post_auth_hook               may change the model, or refuse by returning nil
//
// The result is exactly one of: a Model, a Refusal, an error. A Refusal names the rule and the trait that decided,
// for the hub's log and for `minihub why-login`. It must never be shown to the person, who could learn from it which names exist;
// only Refusal.Public is meant for them. An error means that the hub or what it depends on failed, not the person.
//
// # Invariants
//
//   - A name is normalised before it is compared with anything: lists in the configuration are normalised once, in NewRules.
//   - A name that reaches the caller in a Model has passed Validate, also after post_auth_hook.
//   - Nothing here logs or returns a password, a one-time password or an auth_state.
//
// The package knows no HTTP and no database: the hub applies the Model (rows, groups, roles), and calls UserHooks and
// Rules.UserCreated when users come and go.
//
// This package is public: outside projects implement Authenticator, and changes here are release notes.
package auth
