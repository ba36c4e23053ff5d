package hubapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Kinds of refusals, for errors.Is.
var (
	ErrInvalid      = errors.New("the request is not valid")             // 400, 413, 422
	ErrUnauthorized = errors.New("the credentials are not valid")        // 401, and 403 without an accepted token
	ErrForbidden    = errors.New("the token does not permit this")       // 403
	ErrNotFound     = errors.New("not found, or not visible")            // 404
	ErrConflict     = errors.New("it is there already")                  // 409
	ErrTooMany      = errors.New("too many at once")                     // 429
	ErrUnavailable  = errors.New("the hub cannot do this at the moment") // 500 and above
)

// Error is a refusal by the hub.
type Error struct {
	Method  string // of the request
	Path    string // of the request, below the API
	Status  int    // HTTP status
	Message string // the hub's message; the text of the status when it has none
	Hint    string // minihub's explanation; "" from JupyterHub

	// RetryAfter is how long the hub asks to wait (RFC 9110 section 10.2.3); 0 when it does not say.
	RetryAfter time.Duration

	bare bool // no message: so JupyterHub refuses credentials that it does not know
}

// Error tells request, status, message and hint in one line.
func (e *Error) Error() string {
	text := fmt.Sprintf("%s %s: %d %s", e.Method, e.Path, e.Status, e.Message)
	if e.Hint != "" {
		text += " (" + e.Hint + ")"
	}
	return text
}

// Is makes errors.Is(err, ErrNotFound) and the like work.
func (e *Error) Is(target error) bool {
	switch target {
	case ErrInvalid:
		return e.Status == http.StatusBadRequest || e.Status == http.StatusRequestEntityTooLarge || e.Status == http.StatusUnprocessableEntity
	case ErrUnauthorized:
		return e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden && (e.bare || e.Message == noCredentials)
	case ErrForbidden:
		return e.Status == http.StatusForbidden
	case ErrNotFound:
		return e.Status == http.StatusNotFound
	case ErrConflict:
		return e.Status == http.StatusConflict
	case ErrTooMany:
		return e.Status == http.StatusTooManyRequests
	case ErrUnavailable:
		return e.Status >= http.StatusInternalServerError
	}
	return false
}

// noCredentials is the hub's message to requests without a token that it accepts; JupyterHub answers 403 to them.
const noCredentials = "Missing or invalid credentials."

// refusal reads the hub's JSON error, or makes the best of another answer (a proxy in between).
func refusal(r request, answer *http.Response, text []byte) *Error {
	e := &Error{Method: r.method, Path: r.path, Status: answer.StatusCode}
	var body struct {
		Message     string `json:"message"`
		Hint        string `json:"hint"`
		Description string `json:"error_description"`
	}
	if json.Unmarshal(text, &body) == nil {
		e.Message, e.Hint = body.Message, body.Hint
		if e.Message == "" {
			e.Message = body.Description
		}
	}
	if e.Message == "" {
		e.Message, e.bare = http.StatusText(e.Status), true
	}
	if n, err := strconv.Atoi(answer.Header.Get("Retry-After")); err == nil && n > 0 {
		e.RetryAfter = time.Duration(n) * time.Second
	}
	return e
}
