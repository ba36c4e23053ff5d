// Package devserver is "minihub dev": a hub on a developer's desk, with the services that are being written, and an inspector at /hub/dev
// that shows what happens inside.
//
// [Start] builds the hub of package hubtest (any password, database in memory) with package inspector in front of its ports, on loopback
// only. The services of [Options] run as processes (service.go), with the environment that the hub would give them; they are started again
// when they end, and when their files change (watcher.go). What all parts say goes to one stream with prefixes (console.go).
//
// Nobody may ever meet such a hub by accident. So no configuration leads here: the sub-command dev of cmd/minihub is the only caller, which
// internal/archtest checks; addresses other than loopback are refused, before and after a port is opened; and the inspector refuses
// requests that do not come from this machine, or come from pages of other sites.
//
// It gives no compatibility promise.
package devserver
