package pybridge

import (
	"errors"
	"fmt"
	"net/http"
)

// ErrUnavailable is wrapped by calls while there is no child: it has died and is being restarted, or could not be.
var ErrUnavailable = errors.New("the Python process of the configuration is not running")

// Error is an exception of a hook or plug-in.
type Error struct {
	Op         string   `json:"-"`           // Op is the bridge's name of the call.
	Type       string   `json:"type"`        // Type is the exception's class.
	Message    string   `json:"message"`     // Message is its text, for the log.
	Status     int      `json:"status"`      // Status is that of tornado's HTTPError and its kind; 0 for others.
	Reason     string   `json:"reason"`      // Reason is that of HTTPError and SpawnException.
	Public     string   `json:"public"`      // Public is a text meant for the person: jupyterhub_message, SpawnException's message.
	HTML       string   `json:"html"`        // HTML is the same for pages: jupyterhub_html_message, message_html.
	RetryAfter int      `json:"retry_after"` // RetryAfter is the header of that name in the headers of an HTTPError, in seconds; 0 without.
	Traceback  []string `json:"traceback"`   // Traceback holds "file:line in name", without source lines.
}

// Error returns the class and text of the exception.
func (e *Error) Error() string {
	if e.Status != 0 {
		return fmt.Sprintf("%s %d: %s", e.Type, e.Status, e.Message)
	}
	return e.Type + ": " + e.Message
}

// Say returns what a person may read of the exception: its public text, an HTTPError's message, or "" when it was not meant
// for anybody.
func (e *Error) Say() string {
	switch {
	case e.Public != "":
		return e.Public
	case e.Status == 0:
		return ""
	case e.Message != "":
		return e.Message
	case e.Reason != "":
		return e.Reason
	}
	return http.StatusText(e.Status)
}

// Trace returns the exception and its places, for administrators.
func (e *Error) Trace() []string { return append([]string{e.Error()}, e.Traceback...) }

// Expected reports whether the exception is an answer, like HTTPError(403), and no fault of the code.
func (e *Error) Expected() bool { return e.Status >= 400 && e.Status < 500 }
