package spawner

import (
	"context"
	"iter"
)

// Event is one progress event before "ready".
type Event struct {
	Progress    int // 0..100
	Message     string
	HTMLMessage string
}

// Progresser reports progress while Start runs; the sequence ends when ctx does.
type Progresser interface {
	Progress(ctx context.Context) iter.Seq[Event]
}

// Diagnoser explains a failed start: the last log lines and a likely cause.
type Diagnoser interface {
	// Diagnose tells what is known about the last start. It is meant to be called before Stop cleans up or soon after.
	Diagnose(ctx context.Context) Diagnosis
}

// Diagnosis of a server that failed to start.
type Diagnosis struct {
	Exit    *Exit
	LogTail []string // last lines of the server's output, at most 40
	Cause   string   // "command not found", "import error: no module named 'jupyterhub'", ... ; "" when unknown
	WayOut  string   // what to do about it
}

// ForeverDeleter removes what outlives a stop (volumes, ...) before the server row is deleted.
type ForeverDeleter interface {
	DeleteForever(ctx context.Context) error
}

// Renamer is told that the server's name changes.
type Renamer interface {
	Rename(ctx context.Context, newName string) error
}
