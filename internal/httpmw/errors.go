package httpmw

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/orm"
)

// Status returns the HTTP status of an error: the kind's, unless the error carries its own. Anything that is not a *hub.Error is 500.
func Status(err error) int {
	var e *hub.Error
	if !errors.As(err, &e) {
		return http.StatusInternalServerError
	}
	if e.Status != 0 {
		return e.Status
	}
	if s, ok := kindStatus[e.Kind]; ok {
		return s
	}
	return http.StatusInternalServerError
}

var kindStatus = map[hub.Kind]int{
	hub.Invalid: http.StatusBadRequest, hub.Forbidden: http.StatusForbidden, hub.NotFound: http.StatusNotFound,
	hub.Conflict: http.StatusConflict, hub.TooMany: http.StatusTooManyRequests, hub.Unavailable: http.StatusServiceUnavailable,
}

// statusClientGone is nginx's word for a client that left before the answer; only the log sees it.
const statusClientGone = 499

// errorBody is the wire shape of an API error. Message is null when there is nothing to say beyond the status.
type errorBody struct {
	Status    int     `json:"status"`
	Message   *string `json:"message"`
	Hint      string  `json:"hint,omitempty"`
	RequestID string  `json:"request_id,omitempty"`
}

// WriteError is the only place that turns an error into an answer: JSON for the API, error.html for pages. Internal errors show a
// generic message and the request id; their details go to the log here, once.
func (m *Middleware) WriteError(w http.ResponseWriter, r *http.Request, err error) {
	if err == nil {
		return
	}
	if errors.Is(err, context.Canceled) && r.Context().Err() != nil {
		if s := stateOf(r.Context()); s != nil && s.rec.status == 0 {
			s.rec.status = statusClientGone
		}
		return
	}
	m.writeError(w, r, m.asHubError(r, err))
}

func (m *Middleware) writeError(w http.ResponseWriter, r *http.Request, e *hub.Error) {
	status := Status(e)
	if s := stateOf(r.Context()); s != nil && s.decision != nil {
		s.decision.Err = e
	}
	if e.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(e.RetryAfter.Seconds()))))
	}
	w.Header().Del("Content-Length")
	if s := stateOf(r.Context()); s != nil && !s.api && m.o.ErrorPage != nil {
		m.o.ErrorPage(w, r, status, e)
		return
	}
	body := errorBody{Status: status, Hint: m.hintFor(r, e)}
	if e.Message != "" {
		body.Message = &e.Message
	}
	if status == http.StatusInternalServerError && e.Kind == 0 {
		body.RequestID = RequestID(r)
	}
	if r.Method == http.MethodHead {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		return
	}
	_ = WriteJSON(w, status, body)
}

// hintFor shows explanations to callers who are known; strangers learn nothing about scopes and configuration.
func (m *Middleware) hintFor(r *http.Request, e *hub.Error) string {
	if e.Kind == hub.Forbidden && Identity(r) == nil && !strings.HasPrefix(e.Hint, "send an API token") {
		return ""
	}
	return e.Hint
}

func (m *Middleware) asHubError(r *http.Request, err error) *hub.Error {
	var e *hub.Error
	if errors.As(err, &e) {
		if e.Err != nil && Status(e) >= 500 {
			m.o.Logger.ErrorContext(r.Context(), "request failed", "route", asked(r).Path, "request_id", RequestID(r), "err", e.Err)
		}
		return e
	}
	if errors.Is(err, orm.ErrUnavailable) {
		m.o.Logger.ErrorContext(r.Context(), "database unavailable", "route", asked(r).Path, "request_id", RequestID(r), "err", err)
		return &hub.Error{Kind: hub.Unavailable, Message: "The database is not available, try again", RetryAfter: retryDatabase}
	}
	m.o.Logger.ErrorContext(r.Context(), "request failed", "route", asked(r).Path, "request_id", RequestID(r), "err", err)
	return internalError()
}

func internalError() *hub.Error {
	return &hub.Error{Status: http.StatusInternalServerError, Message: "Internal Server Error"}
}
