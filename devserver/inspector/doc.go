// Package inspector is the part of "minihub dev" that speaks HTTP: it stands in front of the ports of a hub, records what passes, and shows
// it at /hub/dev.
//
// [Inspector.Front] is put around a port. It refuses what does not come from this machine (guard.go), keeps a request and its answer
// without secrets (capture.go), and lets everything through unchanged. [Inspector.Decided] adds what the hub found out: the identity, the
// rule of the route, the XSRF check. [Inspector.Table] are the pages; they work without JavaScript, and follow what happens with it. Every
// button is a form that is posted with the XSRF token of the page, like all forms of the hub.
//
// Nothing here may be part of a hub that serves people. Package devserver alone uses it, and the sub-command dev alone uses that;
// internal/archtest checks it. It gives no compatibility promise.
package inspector
