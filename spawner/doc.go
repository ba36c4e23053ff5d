// Package spawner says what starts, watches and stops single-user servers.
//
// A hub has one [Driver]; the driver makes one [Spawner] for each server, named by its [Identity]. The hub resolves
// everything a server needs (command, environment, port, options) into a [Request] and calls Start under its start
// timeout. It saves [State] in the spawners row at once, polls the URL until the server answers, and polls the spawner
// from then on. After a hub restart it hands the saved state to LoadState of a fresh Spawner, and goes on.
//
// Invariants every implementation keeps, checked by spawner/spawnertest:
//
//   - Start returns a URL without a path, or an error and nothing left running once Stop was called;
//   - Stop may be called at any time, more than once, and while Start runs; after it Poll tells that nothing runs;
//   - State is a JSON object; it survives a round trip through text, and is empty when nothing runs;
//   - LoadState never takes a stranger for the server: what cannot be proved to be ours is treated as ended;
//   - a server's environment holds what the Request says and nothing else.
//
// What only some implementations can do is an optional interface: [Progresser], [Diagnoser], [ForeverDeleter],
// [Renamer] on the Spawner, [Orphans], [PortPicker] and io.Closer on the Driver. A driver that is an io.Closer gives up
// what it holds for watching servers, when the hub ends without stopping them.
//
// Implementations: spawner/local (processes of this machine), spawner/toy (a server inside the binary). This package is
// promised to outside users: changes are release notes.
package spawner
