package auth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/ianaindex"
)

// ErrPAMUnavailable is wrapped by NewPAM's error in a binary that was built without libpam.
var ErrPAMUnavailable = errors.New("this binary was built without libpam")

// PAMOptions are the traits of PAMAuthenticator. allowed_groups and admin_groups belong to RulesOptions.
type PAMOptions struct {
	Service      string // PAM service; "" is "login"
	Encoding     string // of names and passwords on their way to PAM; "" is "utf8"
	CheckAccount *bool  // run the account phase; nil is true
	// OpenSessions opens a PAM session around each server, and turns itself off at the first error. Choose a Service without
	// pam_loginuid: it fails on every thread but a process's first, here as in JupyterHub, and Debian's "login" has it.
	OpenSessions bool
	Threads      int    // PAM conversations at a time (executor_threads); 0 is 4
	RequestOTP   bool   // ask for a one-time password, which answers PAM's second hidden prompt
	OTPPrompt    string // "" is "OTP:"
	Local        LocalUsersOptions
	Logger       *slog.Logger // nil: silent
}

// PAM checks passwords of this machine's accounts with libpam (PAMAuthenticator). It also ties hub users to accounts as
// LocalUsers does, and opens and closes PAM sessions around servers.
type PAM struct {
	*LocalUsers
	o        PAMOptions
	backend  pamBackend
	encoder  encoding.Encoding // nil: UTF-8
	slots    chan struct{}
	sessions atomic.Bool
}

var (
	_ Authenticator = (*PAM)(nil)
	_ UserHooks     = (*PAM)(nil)
	_ ServerHooks   = (*PAM)(nil)
	_ LoginPage     = (*PAM)(nil)
)

// pamBackend is libpam, or a fake. Strings are in the configured encoding and free of NUL.
type pamBackend interface {
	// authenticate runs one conversation: answers reply to the hidden prompts in turn. With account the account phase follows.
	authenticate(service, user string, answers []string, account bool) error
	openSession(service, user string) error
	closeSession(service, user string) error
}

// pamPhaseError tells which phase of a conversation refused.
type pamPhaseError struct {
	phase string // "authentication", "account"
	err   error
}

func (e *pamPhaseError) Error() string { return "pam " + e.phase + ": " + e.err.Error() }
func (e *pamPhaseError) Unwrap() error { return e.err }

func newPAM(o PAMOptions, backend pamBackend) (*PAM, error) {
	if o.Service == "" {
		o.Service = "login"
	}
	if strings.ContainsAny(o.Service, "/\x00") {
		return nil, fmt.Errorf("PAMAuthenticator.service %q: must be the name of a file in /etc/pam.d", o.Service)
	}
	if o.Threads < 0 {
		return nil, fmt.Errorf("PAMAuthenticator.executor_threads: must be at least 1, not %d", o.Threads)
	}
	if o.Threads == 0 {
		o.Threads = 4
	}
	if o.OTPPrompt == "" {
		o.OTPPrompt = "OTP:"
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	encoder, err := pamEncoding(o.Encoding)
	if err != nil {
		return nil, err
	}
	local, err := NewLocalUsers(o.Local)
	if err != nil {
		return nil, err
	}
	p := &PAM{LocalUsers: local, o: o, backend: backend, encoder: encoder, slots: make(chan struct{}, o.Threads)}
	p.sessions.Store(o.OpenSessions)
	return p, nil
}

// pamEncoding finds an encoding by Python's or IANA's name; nil is UTF-8.
func pamEncoding(name string) (encoding.Encoding, error) {
	switch strings.ReplaceAll(strings.ToLower(name), "_", "-") {
	case "", "utf8", "utf-8":
		return nil, nil
	case "latin-1", "iso8859-1":
		name = "ISO-8859-1"
	}
	e, err := ianaindex.IANA.Encoding(name)
	if err != nil || e == nil {
		return nil, fmt.Errorf("PAMAuthenticator.encoding: the encoding %q is not known, try utf8", name)
	}
	return e, nil
}

// Name implements Authenticator.
func (*PAM) Name() string { return "jupyterhub.auth.PAMAuthenticator" }

// LoginPage implements LoginPage.
func (p *PAM) LoginPage() Page { return Page{RequestOTP: p.o.RequestOTP, OTPPrompt: p.o.OTPPrompt} }

// NormalizeUser is pam_normalize_username, for RulesOptions.NormalizeUser: the name that the account's uid leads back to,
// because PAM modules may accept several names for one account ("DOMAIN\user").
func (p *PAM) NormalizeUser(name string) (string, error) {
	return p.LocalUsers.o.Unix.Canonical(name)
}

// Authenticate implements Authenticator. It cannot be interrupted while libpam works; at most Threads conversations run at
// a time, and waiting for a free one ends with ctx.
func (p *PAM) Authenticate(ctx context.Context, req Request) (*Model, error) {
	given := []string{req.Username, req.Password}
	if p.o.RequestOTP || req.OTP != "" {
		given = append(given, req.OTP)
	}
	given, err := p.encode(given)
	if err != nil {
		return nil, &Refusal{Rule: RuleCredentials, Trait: "PAMAuthenticator.encoding", Reason: err.Error()}
	}
	if err := p.acquire(ctx); err != nil {
		return nil, err
	}
	defer p.release()
	account := p.o.CheckAccount == nil || *p.o.CheckAccount
	if err := p.backend.authenticate(p.o.Service, given[0], given[1:], account); err != nil {
		return nil, p.refusal(err)
	}
	return &Model{Name: req.Username}, nil
}

func (p *PAM) refusal(err error) *Refusal {
	refusal := &Refusal{Rule: RuleCredentials, Trait: "PAMAuthenticator.service", Reason: fmt.Sprintf("%v (service %q)", err, p.o.Service)}
	var phase *pamPhaseError
	if errors.As(err, &phase) && phase.phase == "account" {
		refusal.Trait = "PAMAuthenticator.check_account"
		refusal.Hint = "the password was right; look at the account's expiry, and at the account lines of /etc/pam.d/" + p.o.Service
	}
	return refusal
}

// encode converts to the configured encoding, and refuses NUL: C would see a shorter string than the hub.
func (p *PAM) encode(texts []string) ([]string, error) {
	out := make([]string, len(texts))
	for i, text := range texts {
		if strings.ContainsRune(text, 0) {
			return nil, errors.New("the name or a password contains a NUL byte")
		}
		if p.encoder == nil {
			out[i] = text
			continue
		}
		encoded, err := p.encoder.NewEncoder().String(text)
		if err != nil {
			return nil, fmt.Errorf("the name or a password has characters outside of %s", p.o.Encoding)
		}
		out[i] = encoded
	}
	return out, nil
}

func (p *PAM) acquire(ctx context.Context) error {
	select {
	case p.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for one of %d PAM conversations: %w", p.o.Threads, context.Cause(ctx))
	}
}

func (p *PAM) release() { <-p.slots }

// PreSpawnStart opens a PAM session when open_sessions is on. As in JupyterHub a failure does not keep the server from
// starting; it is logged, and no session is opened from then on.
func (p *PAM) PreSpawnStart(ctx context.Context, user, server string) error {
	return p.session(ctx, user, server, "open", p.backend.openSession)
}

// PostSpawnStop closes the session that PreSpawnStart opened.
func (p *PAM) PostSpawnStop(ctx context.Context, user, server string) error {
	return p.session(ctx, user, server, "close", p.backend.closeSession)
}

func (p *PAM) session(ctx context.Context, user, server, verb string, run func(service, user string) error) error {
	if !p.sessions.Load() {
		return nil
	}
	given, err := p.encode([]string{user})
	if err != nil {
		return fmt.Errorf("%s PAM session: %w", verb, err)
	}
	if err := p.acquire(ctx); err != nil {
		return err
	}
	defer p.release()
	if err := run(p.o.Service, given[0]); err != nil {
		p.sessions.Store(false)
		p.o.Logger.WarnContext(ctx, "pam session failed, PAMAuthenticator.open_sessions is off from now on",
			"verb", verb, "user", user, "server", server, "err", err)
	}
	return nil
}
