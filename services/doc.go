// Package services runs the hub's services: those of the configuration with a command are started, watched and restarted
// (internal/supervise), those with a url are waited for and routed, those created through the API are known and listed.
// Rows, tokens and OAuth clients are hub.ServiceRows' business; this package adds what lives: processes and routes.
//
// No compatibility promise.
package services
