// Package spawnertest checks implementations of the spawner interfaces and has fakes for tests of what uses them.
//
// [Run] is the conformance suite: a new spawner calls it with a function that makes its driver, and with the requests that make a server
// run or fail. A driver of processes can use the test binary itself as server: [Main] at the start of TestMain turns it into one when it is
// called by [ServerCmd].
//
// [Fake] is a driver whose servers are plain HTTP listeners in the test process, and which can be told to be slow, never ready, failing
// or dying. Its servers outlive the hub under test: a second hub with the same Fake adopts them.
//
// The package is promised to outside users: changes are release notes.
package spawnertest
