//go:build cgo && linux

package auth

import (
	"errors"
	"runtime"

	"github.com/msteinert/pam/v2"
)

// NewPAM makes the PAM authenticator. In a binary without libpam the error wraps ErrPAMUnavailable and tells how to get one.
func NewPAM(o PAMOptions) (*PAM, error) { return newPAM(o, libpam{}) }

// libpam talks to the C library. Each call is one PAM handle, used and ended on one thread: modules keep thread-local state.
type libpam struct{}

func (libpam) authenticate(service, user string, answers []string, account bool) (err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	// Prompts with echo get an empty answer: they ask for a name, and PAM has it already.
	tx, err := pam.StartFunc(service, user, func(style pam.Style, _ string) (string, error) {
		if style != pam.PromptEchoOff {
			return "", nil
		}
		if len(answers) == 0 {
			return "", errors.New("more hidden prompts than passwords")
		}
		answer := answers[0]
		answers = answers[1:]
		return answer, nil
	})
	if err != nil {
		return &pamPhaseError{phase: "start", err: err}
	}
	defer func() { err = errors.Join(err, tx.End()) }()

	if err := tx.Authenticate(0); err != nil {
		return &pamPhaseError{phase: "authentication", err: err}
	}
	if account {
		if err := tx.AcctMgmt(0); err != nil {
			return &pamPhaseError{phase: "account", err: err}
		}
	}
	// For Kerberos and the like. As with JupyterHub its failure does not matter: the person is known by now.
	_ = tx.SetCred(pam.ReinitializeCred)
	return nil
}

func (libpam) openSession(service, user string) error {
	return withHandle(service, user, func(tx *pam.Transaction) error { return tx.OpenSession(0) })
}

// closeSession works on a handle of its own: the one that opened the session ended with that call, possibly in an earlier
// life of the hub.
func (libpam) closeSession(service, user string) error {
	return withHandle(service, user, func(tx *pam.Transaction) error { return tx.CloseSession(0) })
}

func withHandle(service, user string, run func(*pam.Transaction) error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	tx, err := pam.StartFunc(service, user, func(pam.Style, string) (string, error) { return "", nil })
	if err != nil {
		return err
	}
	return errors.Join(run(tx), tx.End())
}
