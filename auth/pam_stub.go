//go:build !cgo || !linux

package auth

import "fmt"

// NewPAM makes the PAM authenticator. In a binary without libpam, like this one, the error wraps ErrPAMUnavailable and
// tells how to get one.
func NewPAM(PAMOptions) (*PAM, error) {
	return nil, fmt.Errorf("PAMAuthenticator: %w: build minihub on Linux with CGO_ENABLED=1, a C compiler and libpam's headers "+
		"(Debian and Ubuntu: libpam0g-dev; Fedora: pam-devel; Alpine: linux-pam-dev), or choose another JupyterHub.authenticator_class",
		ErrPAMUnavailable)
}
