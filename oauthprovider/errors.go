package oauthprovider

import (
	"encoding/json"
	"net/http"
)

// oauthError is an error of RFC 6749 section 4.1.2.1 or 5.2.
type oauthError struct {
	Code        string `json:"error"`
	Description string `json:"error_description,omitempty"`
	status      int    // of the token endpoint; 0: 400
}

func (e *oauthError) Error() string { return e.Code + ": " + e.Description }

func invalidRequest(why string) *oauthError {
	return &oauthError{Code: "invalid_request", Description: why}
}

func invalidGrant(why string) *oauthError {
	return &oauthError{Code: "invalid_grant", Description: why}
}

func invalidScope(why string) *oauthError {
	return &oauthError{Code: "invalid_scope", Description: why}
}

func invalidClient() *oauthError {
	return &oauthError{Code: "invalid_client", Description: "client authentication failed", status: http.StatusUnauthorized}
}

// writeTokenError answers the token endpoint (RFC 6749 section 5.2).
func writeTokenError(w http.ResponseWriter, e *oauthError, basic bool) error {
	status := e.status
	if status == 0 {
		status = http.StatusBadRequest
	}
	if status == http.StatusUnauthorized {
		scheme := `Bearer error="invalid_client"`
		if basic {
			scheme = `Basic realm="jupyterhub"`
		}
		w.Header().Set("WWW-Authenticate", scheme)
	}
	return writeToken(w, status, e)
}

// writeToken writes JSON that must not be kept by any cache (RFC 6749 section 5.1).
func writeToken(w http.ResponseWriter, status int, v any) error {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Pragma", "no-cache")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client is gone when this fails
	return nil
}
