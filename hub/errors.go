package hub

import (
	"errors"
	"fmt"
	"time"

	"github.com/minihub/minihub/orm"
)

// Kind classifies an Error; httpmw turns it into a status.
type Kind int

// The kinds of Error, each with the HTTP status that httpmw gives it unless Error.Status says otherwise.
const (
	Invalid     Kind = iota + 1 // 400
	Forbidden                   // 403
	NotFound                    // 404
	Conflict                    // 409
	TooMany                     // 429
	Unavailable                 // 503
	Failed                      // a spawn or login failed: Status decides, 500 by default
)

var kindNames = [...]string{"internal", "invalid", "forbidden", "not found", "conflict", "too many", "unavailable", "failed"}

// String returns the kind in words, for logs.
func (k Kind) String() string {
	if k < 0 || int(k) >= len(kindNames) {
		return fmt.Sprintf("Kind(%d)", int(k))
	}
	return kindNames[k]
}

// Error is what hub returns when a request cannot be done; any other error is internal.
type Error struct {
	Kind        Kind
	Message     string        // wire message, JupyterHub's words' meaning; "" = null message
	Hint        string        // why and what to do, for the log and the extra "hint" key
	HTMLMessage string        // optional, for pages
	Progress    string        // what progress events say instead of Message; "" = Message
	Reason      string        // SpawnException's reason label
	Status      int           // overrides the kind's status when not 0
	RetryAfter  time.Duration // 0 = no Retry-After header
	Err         error         // cause, never shown to clients
}

// Error returns kind, message, hint and cause in one line, for logs and tests.
func (e *Error) Error() string {
	s := e.Kind.String()
	if e.Message != "" {
		s += ": " + e.Message
	}
	if e.Hint != "" {
		s += " (" + e.Hint + ")"
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the kind of the first *Error in err's chain, and 0 for internal errors and nil.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return 0
}

func errorf(k Kind, format string, args ...any) *Error {
	return &Error{Kind: k, Message: fmt.Sprintf(format, args...)}
}

func (e *Error) withHint(format string, args ...any) *Error {
	e.Hint = fmt.Sprintf(format, args...)
	return e
}

func (e *Error) because(err error) *Error {
	e.Err = err
	return e
}

// storeErr makes a busy or unreachable database Unavailable and leaves everything else as it is; what says what was attempted.
// A database error is never a statement about who may do what.
func storeErr(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	what := fmt.Sprintf(format, args...)
	if errors.Is(err, orm.ErrUnavailable) {
		return &Error{Kind: Unavailable, Message: "The database is busy or unreachable, try again", RetryAfter: 2 * time.Second, Err: fmt.Errorf("%s: %w", what, err)}
	}
	return fmt.Errorf("%s: %w", what, err)
}
