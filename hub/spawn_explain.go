package hub

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/minihub/minihub/spawner"
)

// explain turns a failed step into an *Error that tells the user why and what to do, and keeps the diagnosis.
func (s *Servers) explain(ctx context.Context, l *liveServer, j *spawnJob, err error) *Error {
	if errors.Is(context.Cause(ctx), errCancelled) {
		return errCancelled
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	if s.ctx.Err() != nil {
		return hubStops().because(err)
	}
	diag := diagnose(ctx, l)
	out := &Error{Kind: Failed, Reason: "error", Err: err}
	var exited *exitedError
	switch {
	case errors.Is(err, errStartTimeout):
		out.Reason = "timeout"
		out.Message = fmt.Sprintf("The server did not start within %s", seconds(j.traits.StartTimeout))
		out.Hint = "if it needs more time, raise Spawner.start_timeout"
	case errors.Is(err, errHTTPTimeout):
		out.Reason = "timeout"
		out.Message = fmt.Sprintf("The server started, but did not answer at %s within %s", l.addrText(), seconds(j.traits.HTTPTimeout))
		out.Hint = "it may listen on another address, or need more time (Spawner.http_timeout)"
	case errors.As(err, &exited):
		out.Message = "The server's process ended before it answered (" + exitText(exited.exit) + ")"
	default:
		out.Message = err.Error() // as it is: pages and progress say "Spawn failed" before it
	}
	if diag != nil {
		addDiagnosis(out, diag)
		l.mu.Lock()
		l.diag = diag
		l.mu.Unlock()
	}
	return out
}

func (l *liveServer) addrText() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.addr == nil {
		return "its address"
	}
	return addrURL(l.addr) + l.addr.BaseURL
}

func diagnose(ctx context.Context, l *liveServer) *spawner.Diagnosis {
	l.mu.Lock()
	sp := l.sp
	l.mu.Unlock()
	d, ok := sp.(spawner.Diagnoser)
	if !ok {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	diag := d.Diagnose(ctx)
	return &diag
}

// maxCause is how many characters of a server's log line a message shows.
const maxCause = 200

func addDiagnosis(e *Error, d *spawner.Diagnosis) {
	cause := d.Cause
	if cause == "" { // what the server said last is the best guess
		for _, line := range slices.Backward(d.LogTail) {
			if cause = strings.TrimSpace(line); cause != "" {
				break
			}
		}
	}
	if cause != "" && !strings.Contains(e.Message, cause) {
		e.Message += ": " + clip(cause, maxCause)
	}
	if d.WayOut != "" {
		e.Hint = d.WayOut
	}
}

func seconds(d time.Duration) string {
	return strings.TrimSuffix(strings.TrimSuffix(fmt.Sprintf("%.1f", d.Seconds()), "0"), ".") + " seconds"
}
