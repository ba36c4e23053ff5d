// Package local runs single-user servers as processes of the hub's machine.
//
// Two drivers share everything but the user a server runs as: [NewLocalProcess] (JupyterHub's LocalProcessSpawner) becomes the system user
// with the user's name, [NewSimple] (SimpleLocalProcessSpawner) stays the hub's user and makes a home directory.
//
// A start looks the user up, puts the environment together, opens a log file and starts the process in its own session (internal/supervise
// does the work). The environment is Request.Env, USER, HOME, SHELL, and two variables that say whose the process is: MINIHUB_HUB_ID and
// MINIHUB_SERVER_MARKER; the argument list never has a secret in it. Servers live on when the hub ends, and [Spawner.LoadState] adopts them
// by pid, start time, boot id and marker. A state that JupyterHub wrote, {"pid": n}, is taken when the environment of that process
// names this very server; else the process is a stranger, which is never signalled.
//
// [Spawner.Diagnose] reads the end of the log and says what went wrong and what to do.
package local
