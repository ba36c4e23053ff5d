package hubtest

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"

	"golang.org/x/net/html"
)

// maxPage is how much of a page is read, in bytes.
const maxPage = 16 << 20

// Browser is a browser without a screen: it keeps cookies, follows redirects, and sends back XSRF tokens.
type Browser struct {
	// Client has the cookies; use it for requests of your own.
	Client *http.Client
	base   *url.URL
}

// Page is what a browser sees: the answer after all redirects.
type Page struct {
	Status int
	URL    *url.URL // where the redirects ended
	Header http.Header
	Body   string
}

// Browser logs a user in and returns the browser. The error tells what the hub answered.
func (h *Hub) Browser(user string) (*Browser, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	base, err := url.Parse(h.URL)
	if err != nil {
		return nil, err
	}
	b := &Browser{Client: &http.Client{Jar: jar, Timeout: callTime}, base: base}
	if _, err := b.Get("hub/login"); err != nil {
		return nil, err
	}
	p, err := b.Post("hub/login?next="+url.QueryEscape(base.Path+"hub/home"), url.Values{"username": {user}, "password": {"any"}})
	if err != nil {
		return nil, err
	}
	if p.Status != http.StatusOK {
		return nil, fmt.Errorf("hubtest: log %s in: the hub answers %d on %s", user, p.Status, p.URL.Path)
	}
	return b, nil
}

// Get opens a page. path is relative to the hub's base_url ("hub/home"), or absolute ("/services/x/").
func (b *Browser) Get(path string) (*Page, error) {
	return b.send(http.MethodGet, path, nil)
}

// Post sends a form with the XSRF token of that path.
func (b *Browser) Post(path string, form url.Values) (*Page, error) {
	target, err := b.base.Parse(path)
	if err != nil {
		return nil, err
	}
	sent := url.Values{"_xsrf": {b.XSRF(target.Path)}}
	for k, v := range form {
		sent[k] = v
	}
	return b.send(http.MethodPost, path, sent)
}

// XSRF is the token that the page at a path has to send back.
func (b *Browser) XSRF(path string) string {
	for _, c := range b.Client.Jar.Cookies(b.base.ResolveReference(&url.URL{Path: path})) {
		if c.Name == "_xsrf" {
			return c.Value
		}
	}
	return ""
}

// Open opens a page of a server or a service and agrees when the hub asks whether it may know who the user is.
func (b *Browser) Open(path string) (*Page, error) {
	p, err := b.Get(path)
	if err != nil || !strings.HasSuffix(p.URL.Path, "/hub/api/oauth2/authorize") {
		return p, err
	}
	return b.Post(p.URL.String(), url.Values{"scopes": inputs(p.Body, "scopes")})
}

// inputs are the values of all input elements of one name.
func inputs(page, name string) (values []string) {
	for z := html.NewTokenizer(strings.NewReader(page)); z.Next() != html.ErrorToken; {
		t, attributes := z.Token(), map[string]string{}
		for _, a := range t.Attr {
			attributes[a.Key] = a.Val
		}
		if t.Data == "input" && attributes["name"] == name {
			values = append(values, attributes["value"])
		}
	}
	return values
}

func (b *Browser) send(method, path string, form url.Values) (*Page, error) {
	target, err := b.base.Parse(path)
	if err != nil {
		return nil, err
	}
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	q, err := http.NewRequest(method, target.String(), body)
	if err != nil {
		return nil, err
	}
	q.Header.Set("Accept", "text/html,*/*")
	if form != nil {
		q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	answer, err := b.Client.Do(q)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxPage))
	if err != nil {
		return nil, err
	}
	return &Page{Status: answer.StatusCode, URL: answer.Request.URL, Header: answer.Header, Body: string(text)}, nil
}
