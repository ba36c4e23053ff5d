package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// browser is one visitor: a connection and cookies.
type browser struct {
	*lane
	cookies map[string]string
}

// visit sends a request with the cookies and keeps those of the answer.
func (b *browser) visit(method, path, form string) (*http.Response, string, error) {
	var pairs []string
	for name, value := range b.cookies {
		pairs = append(pairs, name+"="+value)
	}
	var header []string
	if len(pairs) > 0 {
		header = append(header, "Cookie: "+strings.Join(pairs, "; "))
	}
	kind := ""
	if method == http.MethodPost {
		kind = "application/x-www-form-urlencoded"
	}
	answer, body, err := b.ask(request(method, path, "", kind, form, header...))
	if err != nil {
		return nil, "", err
	}
	for _, line := range answer.Header["Set-Cookie"] {
		pair, _, _ := strings.Cut(line, ";")
		name, value, _ := strings.Cut(pair, "=")
		b.cookies[name] = value
	}
	return answer, body, nil
}

// logins measures complete logins, each of another user.
func logins(s *session) error {
	return s.rounds(oauth, load{at: func(l *lane, n int) error { return logIn(l, userName(n%s.stock.users)) }}, 1)
}

// logIn is what a browser and a service with HubOAuth do when somebody without cookies opens the service: authorize, login form,
// authorize again, callback, and the service's own requests for the token and the user.
func logIn(l *lane, user string) error {
	b := &browser{lane: l, cookies: map[string]string{}}
	query := url.Values{"client_id": {appClient}, "redirect_uri": {appPath}, "response_type": {"code"}, "state": {"c3RhdGU"}}
	code, err := b.code("/hub/api/oauth2/authorize?"+query.Encode(), user)
	if err != nil {
		return err
	}
	form := url.Values{"client_id": {appClient}, "client_secret": {appToken}, "grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {appPath}}
	answer, body, err := l.ask(request(http.MethodPost, "/hub/api/oauth2/token", "", "application/x-www-form-urlencoded", form.Encode()))
	if err != nil {
		return err
	}
	_, token, found := strings.Cut(strings.ReplaceAll(body, " ", ""), `"access_token":"`)
	token, _, closed := strings.Cut(token, `"`)
	if answer.StatusCode != http.StatusOK || !found || !closed {
		return fmt.Errorf("%w: token: %s", errOdd, answer.Status)
	}
	answer, body, err = l.ask(request(http.MethodGet, "/hub/api/user", token, "", ""))
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK || !strings.Contains(body, user) {
		return fmt.Errorf("%w: user: %s", errOdd, answer.Status)
	}
	return nil
}

// code follows redirects, fills in the login form on the way, and returns the code of the service's callback.
func (b *browser) code(path, user string) (string, error) {
	for range 8 {
		answer, _, err := b.visit(http.MethodGet, path, "")
		if err != nil {
			return "", err
		}
		if answer.StatusCode == http.StatusOK && strings.HasPrefix(path, "/hub/login") {
			form := url.Values{"username": {user}, "password": {"password"}, "_xsrf": {strings.Trim(b.cookies["_xsrf"], `"`)}}
			if answer, _, err = b.visit(http.MethodPost, path, form.Encode()); err != nil {
				return "", err
			}
		}
		to, err := url.Parse(answer.Header.Get("Location"))
		if answer.StatusCode != http.StatusFound || err != nil {
			return "", fmt.Errorf("%w: %s: %s", errOdd, path, answer.Status)
		}
		if to.Path == appPath {
			if code := to.Query().Get("code"); code != "" {
				return code, nil
			}
			return "", fmt.Errorf("%w: the callback has no code: %s", errOdd, to.Query().Get("error"))
		}
		path = to.RequestURI()
	}
	return "", fmt.Errorf("%w: redirects without end", errOdd)
}
