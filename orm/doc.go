// Package orm is the hub's database: JupyterHub 6.1.1's tables as plain structs, and Store, which reads and writes them. It is the only
// package that imports GORM, and no *gorm.DB leaves it. No compatibility promise.
//
// # One file for two programs
//
// The schema, the Alembic stamp and every stored value (times, JSON, hashes) are those of JupyterHub, so that an existing
// jupyterhub.sqlite opens in place and Python JupyterHub can open it again. Tables of our own are called minihub_…; nothing refers to
// them. Open creates what is missing, refuses another revision with *RevisionError without touching the file, and with Options.Upgrade
// copies the file and walks the migrations up (migrate.go).
//
// # Many writers
//
// Other programs may write at any time. So nothing is cached here; Generation tells callers, for some microseconds, whether anything was
// committed since they last asked: on SQLite it is PRAGMA data_version on a connection that never writes, on PostgreSQL the snapshot.
// A Store keeps one writing connection (BEGIN IMMEDIATE, so that a transaction never fails half way for want of a lock) and a few
// reading ones. The file is in write-ahead mode while it is open, committed with full synchronisation, and a single file again after
// Close. No method leaves a transaction, cursor or lock behind. Options.NoWAL is for network file systems.
//
// # Rules of the methods
//
// Methods that take several statements see or make one state: view for reading, write for writing, Tx for a caller's own group of them.
// The number of statements never depends on the number of rows: lists of keys go in as IN lists (query.go), padded to few lengths so
// that statements stay prepared (pool.go). Order is always spelled out. Deletions cascade in our own statements as well as by foreign
// keys, because another program may have written without them (delete.go). Errors wrap ErrNotFound, ErrConflict, ErrReference or
// ErrUnavailable; a database that cannot answer is never "not found".
//
// JSON columns accept whatever is in them (json.go): a value that nobody can decode is carried along unchanged, and grants nothing.
package orm
