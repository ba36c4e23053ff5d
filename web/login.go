package web

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/minihub/minihub/auth"
	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/internal/httpmw"
	"github.com/minihub/minihub/orm"
)

// loginForm shows the login page, or sends on who is logged in already.
func (s *Site) loginForm(w http.ResponseWriter, r *http.Request) error {
	if user := pageUser(r); user != nil {
		// Set again: a server on the same host may have cleared or replaced it.
		s.o.Sessions.Cookies.SetLogin(w.Header(), s.scheme(r) == "https", user.CookieID)
		return redirect(w, http.StatusFound, s.nextURL(r, user, ""))
	}
	if s.o.Traits.Logins.AutoLogin {
		return s.autoLogin(w, r)
	}
	// Always set again, so that the hour of its life begins when the page is shown.
	if navigates(r) {
		s.o.Sessions.Cookies.SetXSRF(w.Header(), httpmw.PageToken(r), false)
	}
	return s.showLogin(w, r, http.StatusOK, auth.ShortName(arg(r, "username")), "")
}

// autoLogin (Authenticator.auto_login) does without a form: the authenticator has a page of its own, or the request itself, by a
// header of a proxy in front of the hub, says who it is.
func (s *Site) autoLogin(w http.ResponseWriter, r *http.Request) error {
	page := s.authenticatorURL()
	if page != s.hub+"login" {
		if arg(r, "next") != "" {
			page = withArg(page, "next", s.nextURL(r, nil, ""))
		}
		return redirect(w, http.StatusFound, page)
	}
	user, err := s.authenticate(w, r, url.Values{})
	var refusal *auth.Refusal
	if errors.As(err, &refusal) && refusal.Public != "" {
		return err // the authenticator says itself what to do
	}
	if hub.KindOf(err) == hub.Forbidden {
		return &hub.Error{Kind: hub.Forbidden, Err: err, Hint: "Authenticator.auto_login is on, and the request does not say who makes it"}
	}
	if err != nil {
		return err
	}
	return redirect(w, http.StatusFound, s.nextURL(r, user, ""))
}

// login takes the login form.
func (s *Site) login(w http.ResponseWriter, r *http.Request) error {
	form, _, err := readForm(r)
	if err != nil {
		return err
	}
	user, err := s.authenticate(w, r, form)
	if err != nil {
		return err // errorPage shows the form again
	}
	return redirect(w, http.StatusFound, s.nextURL(r, user, ""))
}

// authenticate checks credentials and, when they are right, logs the browser in.
func (s *Site) authenticate(w http.ResponseWriter, r *http.Request, form url.Values) (*orm.User, error) {
	begin := time.Now()
	delete(form, "_xsrf")
	req := auth.Request{Username: strings.TrimSpace(last(form["username"])), Password: last(form["password"]), OTP: last(form["otp"]),
		Form: form, RemoteIP: httpmw.RemoteIP(r), Header: r.Header}
	if _, given := form["username"]; given {
		form["username"] = []string{req.Username}
	}
	res, err := s.o.Hub.Logins.Login(r.Context(), req)
	if s.o.Traits.Logins.Observed != nil {
		s.o.Traits.Logins.Observed(time.Since(begin), err == nil)
	}
	if err != nil {
		return nil, err
	}
	return res.User, s.openSession(w, r, res.User)
}

// openSession gives the browser its cookies. The session id is a new one, so that an id which somebody planted before the login is
// worth nothing; what was issued to this user in the old session ends with it. The same user logging in once more stays in the session.
func (s *Site) openSession(w http.ResponseWriter, r *http.Request, user *orm.User) error {
	cookies, h, https := s.o.Sessions.Cookies, w.Header(), s.scheme(r) == "https"
	session := httpmw.SessionID(r)
	if was := pageUser(r); session == "" || was == nil || was.ID != user.ID {
		if session != "" { // ends with the login of whoever had it: of another person, or an earlier one of this person
			if err := s.o.Hub.Logins.Logout(r.Context(), cmp.Or(was, user), session); err != nil {
				return err
			}
		}
		session = httpmw.NewSessionID()
		cookies.SetSession(h, https, session)
		cookies.SetLogin(h, https, user.CookieID)
	}
	xsrf := s.o.Sessions.XSRF
	cookies.SetXSRF(h, xsrf.New(xsrf.UserTokenID(session, user.CookieID)), true)
	return nil
}

// loginFailed shows the form again with the reason.
func (s *Site) loginFailed(w http.ResponseWriter, r *http.Request, status int, e *hub.Error) error {
	message, words := e.Message, s.words(r)
	stale := strings.Contains(strings.ToLower(message), "xsrf")
	if user := pageUser(r); user != nil && stale { // logged in from another tab since this form was shown
		return redirect(w, http.StatusFound, s.nextURL(r, user, ""))
	}
	switch {
	case stale:
		message = words.say("Login form invalid or expired. Try again.")
	case status >= 500 && e.Kind == 0:
		message = words.say("The login could not be checked. Try again, and tell an administrator if it happens again (request id %(id)s).", "id", httpmw.RequestID(r))
	case message == "":
		message = words.sayError(statusText(status))
	default:
		message = words.sayError(message)
	}
	var refusal *auth.Refusal
	if !errors.As(e, &refusal) && e.Hint != "" && status < 500 && e.Message != "" && !stale {
		message += ": " + words.sayError(e.Hint)
	}
	return s.showLogin(w, r, status, auth.ShortName(arg(r, "username")), message)
}

func (s *Site) showLogin(w http.ResponseWriter, r *http.Request, status int, username, message string) error {
	page, next := s.loginPage(), arg(r, "next")
	if username == "" && message == "" && status == http.StatusOK {
		if done, err := s.quickLogin(w, r, page, next); done || err != nil {
			return err
		}
	}
	vars := s.loginVars(r, page, next, username, message)
	if page.CustomHTML != "" {
		text, err := s.engine.renderSource(page.CustomHTML, vars)
		if err != nil {
			return err
		}
		vars["custom_html"] = text
	}
	return s.render(w, r, view{template: "login.html", status: status, vars: vars})
}

func (s *Site) loginVars(r *http.Request, page auth.Page, next, username, message string) map[string]any {
	vars := map[string]any{
		"next": url.QueryEscape(next), "username": username, "login_error": nil,
		"login_service": page.Service, "login_url": s.loginURL(), "authenticator_login_url": withArg(s.authenticatorURL(), "next", next),
		"authenticator": object{"request_otp": page.RequestOTP || s.o.Traits.Logins.RequestOTP,
			"otp_prompt":    cmp.Or(page.OTPPrompt, s.o.Traits.Logins.OTPPrompt, "OTP:"),
			"login_service": page.Service, "auto_login": s.o.Traits.Logins.AutoLogin},
		"xsrf": httpmw.PageToken(r), "no_login_form": page.NoForm, "custom_html": "",
	}
	if message != "" {
		vars["login_error"] = message
	}
	return vars
}

// logout ends the session: its tokens, so that servers and services are logged out too, and the cookies. It is a GET without a check
// of its origin, as in JupyterHub: another site can log people out, and nothing else.
func (s *Site) logout(w http.ResponseWriter, r *http.Request) error {
	begin := time.Now()
	if hiddenRequest(r) {
		return &hub.Error{Kind: hub.Forbidden, Message: "Another site's page cannot log you out", Hint: "open " + s.hub + "logout yourself"}
	}
	if user := pageUser(r); user != nil {
		if s.o.Traits.Logins.ShutdownOnLogout {
			if err := s.stopAll(r, user); err != nil {
				return err
			}
		}
		session := httpmw.SessionID(r)
		if err := s.o.Hub.Logins.Logout(r.Context(), user, session); err != nil {
			return err
		}
		s.o.Sessions.Cookies.ClearLogin(w.Header(), session != "")
	}
	if s.o.Traits.Logins.LoggedOut != nil {
		s.o.Traits.Logins.LoggedOut(time.Since(begin))
	}
	if s.o.Traits.Logins.AutoLogin {
		x := s.o.Sessions.XSRF // the browser is anonymous now
		s.o.Sessions.Cookies.SetXSRF(w.Header(), x.New(x.AnonymousTokenID("", httpmw.RemoteIP(r), r.Header)), false)
		return s.write(w, r, view{template: "logout.html"})
	}
	return redirect(w, http.StatusFound, s.loginURL())
}

// hiddenRequest tells whether another site made the browser ask, and not by going there in sight of the person: an image, a frame, a
// script. Browsers that do not say so get the benefit of the doubt.
func hiddenRequest(r *http.Request) bool {
	site, mode, dest := r.Header.Get("Sec-Fetch-Site"), r.Header.Get("Sec-Fetch-Mode"), r.Header.Get("Sec-Fetch-Dest")
	if site == "" || site == "none" || site == "same-origin" {
		return false
	}
	return mode != "navigate" || dest != "" && dest != "document"
}

// stopAll stops a person's servers that are running, all at once.
func (s *Site) stopAll(r *http.Request, user *orm.User) error {
	view, err := s.o.Hub.Users.View(r.Context(), user)
	if err != nil {
		return err
	}
	results := make(chan error)
	n := 0
	for _, server := range view.Servers {
		if server.Ready {
			n++
			go func() {
				_, err := s.o.Hub.Servers.Stop(r.Context(), user, server.Name, hub.StopOptions{})
				results <- err
			}()
		}
	}
	for range n {
		if err := <-results; err != nil {
			s.log.ErrorContext(r.Context(), "server could not be stopped at logout", "user", user.Name, "err", err)
		}
	}
	return nil
}
