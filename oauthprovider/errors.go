package oauthprovider

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/minihub/minihub/orm"
)

// oauthError is an error of RFC 6749 section 4.1.2.1 or 5.2.
type oauthError struct {
	Code        string `json:"error"`
	Description string `json:"error_description,omitempty"`
	status      int    // of the token endpoint; 0: 400
}

func (e *oauthError) Error() string { return e.Code + ": " + e.Description }

func invalidRequest(why string) *oauthError { return newError("invalid_request", why) }
func invalidGrant(why string) *oauthError   { return newError("invalid_grant", why) }
func invalidScope(why string) *oauthError   { return newError("invalid_scope", why) }

// invalidClient never says what was wrong: a guesser must not learn which clients exist.
func invalidClient() *oauthError {
	return &oauthError{Code: "invalid_client", Description: "client authentication failed", status: http.StatusUnauthorized}
}

// serverError is the answer to what is not the client's fault; RFC 6749 has the two codes for the authorization endpoint only, and
// clients know them from there.
func serverError(err error) *oauthError {
	if errors.Is(err, orm.ErrUnavailable) {
		return &oauthError{Code: "temporarily_unavailable", Description: "the database is not available, try again", status: http.StatusServiceUnavailable}
	}
	return &oauthError{Code: "server_error", Description: "internal error", status: http.StatusInternalServerError}
}

// maxDescription is in bytes; descriptions travel in URLs.
const maxDescription = 400

// newError makes an error with a description of the characters that RFC 6749 section 4.1.2.1 allows, whatever the request had in it.
func newError(code, why string) *oauthError {
	clean := strings.Map(func(c rune) rune {
		if c < 0x20 || c > 0x7e || c == '"' || c == '\\' {
			return '\''
		}
		return c
	}, why)
	if len(clean) > maxDescription {
		clean = clean[:maxDescription] + "..."
	}
	return &oauthError{Code: code, Description: clean}
}

// writeTokenError answers the token endpoint (RFC 6749 section 5.2).
func writeTokenError(w http.ResponseWriter, e *oauthError, basic bool) error {
	status := e.status
	if status == 0 {
		status = http.StatusBadRequest
	}
	switch status {
	case http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", "2")
	case http.StatusUnauthorized:
		scheme := `Bearer error="invalid_client"`
		if basic {
			scheme = `Basic realm="jupyterhub"`
		}
		w.Header().Set("WWW-Authenticate", scheme)
	}
	return writeJSON(w, status, e)
}

// writeJSON writes JSON that must not be kept by any cache (RFC 6749 section 5.1).
func writeJSON(w http.ResponseWriter, status int, v any) error {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Pragma", "no-cache")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client is gone when this fails
	return nil
}
