// Package advisories is a catalogue in tests: one test for each published security advisory of JupyterHub, for security changes that
// had none, for those advisories of related projects that a hub can have too, and for the bugs of JupyterHub 6.1.1 that minihub does
// not share. Each test is named after its advisory and asks a whole hub over HTTP, as an attacker would.
//
//	jupyterhub_test.go   advisories of JupyterHub
//	changes_test.go      its security changes without one
//	related_test.go      advisories of related projects
//	open_test.go         what is still open in JupyterHub 6.1.1
//
// A test that cannot fail proves nothing. mutations.json says for each test what the defence is: text of a source file and what stands
// there without it. TestDefencesAreWhereTheyAreSaidToBe keeps that list current, and
//
//	MINIHUB_MUTATIONS=1 go test ./internal/advisories -run TestEachDefenceIsNeeded -timeout 60m
//
// takes out one after the other (in a build overlay, the tree is not touched) and expects the test to fail.
//
// No compatibility promise; there is nothing to import.
package advisories
