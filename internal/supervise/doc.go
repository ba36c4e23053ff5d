// Package supervise runs child processes for spawner/local, services and pybridge.
//
// [Start] runs a [Command] in its own session and process group, with exactly the environment it is given, file
// descriptors 0 to 2 and default signals, as another user when the command names an [Account] (all identifiers are
// dropped or nothing is started). Output goes to a log file, which the process keeps when the hub dies, or into a pipe
// for processes that end with the hub. Either way a [Process] keeps the last lines and hands each line to a callback.
//
// A process is known by its [Identity]: pid, start time, boot id, and a marker in its environment. [Adopt] takes over a
// process of an earlier hub when the identity still fits, and no other: pids are reused. Watching and signalling go
// through pidfds where the kernel has them, so what was verified once stays the same process.
//
// [Process.Stop] sends INT, TERM and KILL to the whole group. When the first process of a group ends by itself, what it
// left in the group is ended as well, and everything that became our child is reaped.
//
// [Supervisor] keeps one managed service running, with [Backoff] between restarts. [FindMarked] and [StopMarked] find
// processes by their environment: what a crash between fork and database commit left behind.
//
// Linux is the platform. On other Unix systems processes run and stop, but nothing can be adopted; elsewhere every
// operation returns errors.ErrUnsupported.
package supervise
