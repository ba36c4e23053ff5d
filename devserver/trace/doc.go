// Package trace remembers what happened in a hub that somebody develops against: requests, who made them, what they needed, and the
// OAuth logins that they were part of. It knows nothing of HTTP servers and of pages: package inspector fills it and shows it.
//
// A [Recorder] keeps the latest requests. Secrets never get into it: [Mask] replaces them by a mark, the same for the same secret, so that
// a reader sees which code became which token, and [Dances] can put requests together that belong to one login. [Curl] writes a request
// as a command line, [ExplainCookie] and [Request.ExplainXSRF] say what the parts of a request are for.
//
// It gives no compatibility promise.
package trace
