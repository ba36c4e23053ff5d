// Package pybridge is the way to Python: one child process evaluates jupyterhub_config.py and holds what lives in it.
//
// # Evaluation
//
// Start starts the user's Python (FindPython) with the modules of python/, which need only Python's standard library, and
// evaluates the file with the names that traitlets gives it (c, get_config, load_subconfig). What JSON cannot hold (sets,
// bytes, changes of a default, functions, classes) is marked; package config knows the markers, and app plugs the two
// together, so neither imports the other. When nothing lives in the file, app closes the child; else it goes on, and
// functions and classes are the very objects that the file made: the file is evaluated once. Evaluate does the same in a
// child of its own that ends at once.
//
// # The child
//
// One socket pair, which nobody else can open, carries frames: four bytes of length and JSON. Calls have numbers, go both
// ways and many at once; the caller's context is the deadline, and its end cancels the task in the child. A call costs about
// 0.3 ms. Everything runs on one asyncio loop, as in JupyterHub: async functions at the same time, plain functions on the
// loop's own thread, because code written for JupyterHub expects that (Futures, tornado coroutines, no locks). One that
// blocks therefore holds up the others; a watching thread writes to the log where it hangs after five seconds.
//
// The child ends when its socket does, so it never outlives the hub. When it dies, calls fail with ErrUnavailable, and
// Keep's watcher starts another one (at once, then with growing pauses), which evaluates the file anew and is told what its
// predecessor knew: Setup, the users that add_user was told of, and, with each call, the state of the server. Servers that a
// Python spawner started are processes of their own and live on; their output goes to a pipe that outlives the child.
//
// Exceptions come back as *Error with a traceback of places, never with source lines, which may hold secrets; Bridge logs
// it once. Error.Say is what a person may read: HTTP errors, jupyterhub_message, SpawnException's text; nothing of others.
// What the child prints and logs goes to the hub's log.
//
// # What lives there
//
//   - Authenticator: a real object of the class, made with the real traitlets configuration. get_authenticated_user runs
//     there, so every override of a rule counts, and the hub's own rules step back (auth.Decider).
//   - Driver and Spawner: real objects of a Spawner class, with facades for what JupyterHub's process has around them (user,
//     hub, orm_spawner). get_env is the class's; what it does not know of the hub's environment is added.
//   - Hooks: the functions of Spawner traits. For the hub's own spawners they get a stand-in with the traits as attributes;
//     Changes tells what they changed. Begin makes the object for each start, Forget drops it.
//   - functions of JupyterHub's own traits: Bridge.DefaultURL, UserRedirect, TemplateVar, NamedServerLimit, SubdomainHook.
//   - Pages: get_handlers, extra_handlers, and what plug-ins append to JupyterHub's default_handlers. The child serves real tornado handlers on a Unix socket in a private folder; the hub matches
//     their paths, checks XSRF, passes who asks in a header that browsers cannot send, and copies the answer. login_user in
//     a handler runs get_authenticated_user and hands the model to the hub (Directory.CompleteLogin), which applies it like
//     any login and gives a ticket; the answer that carries the ticket gets the hub's cookies. The hub's cookie secret
//     stays in the hub. A plug-in that wants the database gets a session of its own when it first uses it.
//
// What the child may ask of the hub is Directory. There is no compatibility promise.
package pybridge
