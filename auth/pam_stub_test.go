//go:build !cgo || !linux

package auth_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/minihub/minihub/auth"
)

func TestPAMOfAStaticBinary(t *testing.T) {
	p, err := auth.NewPAM(auth.PAMOptions{})
	if p != nil || !errors.Is(err, auth.ErrPAMUnavailable) {
		t.Fatalf("got %v, %v", p, err)
	}
	for _, want := range []string{"CGO_ENABLED=1", "libpam0g-dev", "authenticator_class"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q: %v", want, err)
		}
	}
}
