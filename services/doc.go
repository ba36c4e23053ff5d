// Package services runs the hub's services: those of the configuration with a command are started, watched and restarted
// (internal/supervise), those with a url are waited for and routed, those created through the API are known, routed and listed.
// Rows, tokens and OAuth clients are hub.ServiceRows' business; this package adds what lives: processes and routes.
//
// Load takes over what hub.Setup found. Start (run.go) starts one managed service after the other and waits until those with a url
// answer; the first that does not is an error, with the last lines of its log, and everything is stopped again. A service that ends
// later is started again with the same token, after 1 s, then 2 s, up to a minute. Its output goes to the hub's log, each line with the
// service's name in front. Its environment (env.go) is complete: nothing is inherited that is not named there.
//
// A hub that was killed leaves its services running, with a token that is no longer good and on the port that the next one needs.
// They carry the hub's id in their environment (MINIHUB_HUB_ID), by which Start finds and ends them.
//
// The route of an external service exists whether it answers or not; only the log tells when it does not.
//
// No compatibility promise.
package services
