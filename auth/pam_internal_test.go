package auth

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// fakePAM is a machine whose only account is alice.
type fakePAM struct {
	answers  []string
	user     string
	account  bool // the account phase was asked for
	expired  bool
	delay    time.Duration
	sessions []string
	broken   error
	running  atomic.Int32
	most     atomic.Int32
}

func (f *fakePAM) authenticate(service, user string, answers []string, account bool) error {
	f.most.Store(max(f.most.Load(), f.running.Add(1)))
	defer f.running.Add(-1)
	time.Sleep(f.delay)
	if f.delay == 0 {
		f.user, f.answers, f.account = user, answers, account
	}
	if user != "alice" && user != "\xfc" || answers[0] != "secret" {
		return &pamPhaseError{phase: "authentication", err: errors.New("Authentication failure")}
	}
	if account && f.expired {
		return &pamPhaseError{phase: "account", err: errors.New("account has expired")}
	}
	return nil
}

func (f *fakePAM) openSession(service, user string) error {
	f.sessions = append(f.sessions, "open "+service+" "+user)
	return f.broken
}

func (f *fakePAM) closeSession(service, user string) error {
	f.sessions = append(f.sessions, "close "+service+" "+user)
	return f.broken
}

func fakedPAM(t *testing.T, o PAMOptions, f *fakePAM) *PAM {
	t.Helper()
	p, err := newPAM(o, f)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPAMAuthenticate(t *testing.T) {
	for _, tc := range []struct {
		title   string
		o       PAMOptions
		expired bool
		req     Request
		trait   string // of the refusal; "" let in
		reason  string
		answers []string
	}{
		{title: "in", req: Request{Username: "alice", Password: "secret"}, answers: []string{"secret"}},
		{title: "one-time password", o: PAMOptions{RequestOTP: true}, req: Request{Username: "alice", Password: "secret", OTP: "123"}, answers: []string{"secret", "123"}},
		{title: "empty one-time password", o: PAMOptions{RequestOTP: true}, req: Request{Username: "alice", Password: "secret"}, answers: []string{"secret", ""}},
		{title: "wrong", req: Request{Username: "alice", Password: "no"}, trait: "PAMAuthenticator.service", reason: `(service "login")`},
		{title: "expired", expired: true, req: Request{Username: "alice", Password: "secret"}, trait: "PAMAuthenticator.check_account", reason: "account has expired"},
		{title: "expired, unchecked", o: PAMOptions{CheckAccount: new(false)}, expired: true, req: Request{Username: "alice", Password: "secret"}},
		{title: "NUL in the name", req: Request{Username: "alice\x00evil", Password: "secret"}, trait: "PAMAuthenticator.encoding", reason: "NUL"},
		{title: "NUL in the password", req: Request{Username: "alice", Password: "secret\x00junk"}, trait: "PAMAuthenticator.encoding", reason: "NUL"},
		{title: "latin-1", o: PAMOptions{Encoding: "latin1"}, req: Request{Username: "ü", Password: "secret"}},
		{title: "outside of latin-1", o: PAMOptions{Encoding: "latin-1"}, req: Request{Username: "日", Password: "secret"}, trait: "PAMAuthenticator.encoding", reason: "outside of latin-1"},
	} {
		t.Run(tc.title, func(t *testing.T) {
			f := &fakePAM{expired: tc.expired}
			m, err := fakedPAM(t, tc.o, f).Authenticate(t.Context(), tc.req)
			if tc.trait == "" {
				if err != nil || m == nil || m.Name != tc.req.Username {
					t.Fatalf("got %+v, %v", m, err)
				}
				if tc.answers != nil && !slices.Equal(f.answers, tc.answers) {
					t.Errorf("answers %q, want %q", f.answers, tc.answers)
				}
				return
			}
			var refusal *Refusal
			if m != nil || !errors.As(err, &refusal) || refusal.Trait != tc.trait || !strings.Contains(refusal.Reason, tc.reason) {
				t.Fatalf("got %+v, %v; want a refusal by %s with %q", m, err, tc.trait, tc.reason)
			}
		})
	}
}

func TestPAMOptions(t *testing.T) {
	for _, o := range []PAMOptions{{Encoding: "klingon"}, {Service: "../shadow"}, {Threads: -1}, {Local: LocalUsersOptions{UIDs: map[string]int{"a": -1}}}} {
		if _, err := newPAM(o, &fakePAM{}); err == nil {
			t.Errorf("accepted %+v", o)
		}
	}
	page := fakedPAM(t, PAMOptions{RequestOTP: true}, &fakePAM{}).LoginPage()
	if page != (Page{RequestOTP: true, OTPPrompt: "OTP:"}) {
		t.Errorf("page %+v", page)
	}
	if _, err := fakedPAM(t, PAMOptions{}, &fakePAM{}).NormalizeUser("no-such-user-here"); !errors.Is(err, ErrNoSystemUser) {
		t.Errorf("got %v", err)
	}
}

func TestPAMThreads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakePAM{delay: time.Second}
		p := fakedPAM(t, PAMOptions{Threads: 2}, f)
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		var in, late atomic.Int32
		for range 6 {
			go func() {
				if _, err := p.Authenticate(ctx, Request{Username: "alice", Password: "secret"}); err == nil {
					in.Add(1)
				} else if errors.Is(err, context.DeadlineExceeded) {
					late.Add(1)
				}
			}()
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if f.most.Load() != 2 || in.Load() != 4 || late.Load() != 2 {
			t.Errorf("%d at a time, %d in, %d gave up; want 2, 4, 2", f.most.Load(), in.Load(), late.Load())
		}
	})
}

func TestPAMSessions(t *testing.T) {
	f := &fakePAM{}
	p := fakedPAM(t, PAMOptions{}, f)
	if err := p.PreSpawnStart(t.Context(), "alice", ""); err != nil || f.sessions != nil {
		t.Errorf("sessions are opened without open_sessions: %v, %v", f.sessions, err)
	}

	var log strings.Builder
	p = fakedPAM(t, PAMOptions{OpenSessions: true, Service: "jupyter", Logger: slog.New(slog.NewTextHandler(&log, nil))}, f)
	run := func() {
		t.Helper()
		if err := errors.Join(p.PreSpawnStart(t.Context(), "alice", "s"), p.PostSpawnStop(t.Context(), "alice", "s")); err != nil {
			t.Error(err)
		}
	}
	run()
	if want := []string{"open jupyter alice", "close jupyter alice"}; !slices.Equal(f.sessions, want) {
		t.Errorf("got %q, want %q", f.sessions, want)
	}
	f.broken = errors.New("no session for you")
	run() // the failed opening turns sessions off, so nothing is closed
	run()
	if len(f.sessions) != 3 || strings.Count(log.String(), "open_sessions is off") != 1 {
		t.Errorf("sessions %q, log %q", f.sessions, &log)
	}
}
