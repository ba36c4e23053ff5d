package harness

import (
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"
)

// Client is a browser without JavaScript: it keeps cookies, follows redirects and submits forms.
type Client struct {
	t    testing.TB
	hub  *Hub
	http *http.Client
	stop string
}

// Page is an answer that a [Client] got, after all redirects.
type Page struct {
	Status int
	URL    *url.URL
	Header http.Header
	Body   string
	Hops   []*url.URL // the addresses that led here, without the last
}

// Form is a form of a page, with the values that it would send now.
type Form struct {
	Action string
	Method string
	Values url.Values
}

// Browse gives a new client without cookies.
func (h *Hub) Browse(t testing.TB) *Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &Client{t: t, hub: h, http: &http.Client{Jar: jar, Timeout: 130 * time.Second}}
}

// StopAt makes the client stop before it follows a redirect to an address with this prefix: the page it then gives has
// that address, and nobody there has seen the request.
func (c *Client) StopAt(prefix string) { c.stop = prefix }

// Get opens a path of the hub, or any URL.
func (c *Client) Get(address string) *Page {
	c.t.Helper()
	return c.send(http.MethodGet, address, nil)
}

// Post sends form values.
func (c *Client) Post(address string, values url.Values) *Page {
	c.t.Helper()
	return c.send(http.MethodPost, address, values)
}

func (c *Client) send(method, address string, values url.Values) *Page {
	c.t.Helper()
	if strings.HasPrefix(address, "/") {
		address = c.hub.URL + address
	}
	var body io.Reader
	if values != nil {
		body = strings.NewReader(values.Encode())
	}
	request, err := http.NewRequestWithContext(context.Background(), method, address, body)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, address, err)
	}
	request.Header.Set("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
	request.Header.Set("Sec-Fetch-Mode", "navigate")
	if values != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return c.Do(request)
}

// Do sends a request with the client's cookies.
func (c *Client) Do(request *http.Request) *Page {
	c.t.Helper()
	page := &Page{}
	var stopped *url.URL
	follow := *c.http
	follow.CheckRedirect = func(r *http.Request, via []*http.Request) error {
		if len(via) > 20 {
			return http.ErrUseLastResponse
		}
		if c.stop != "" && strings.HasPrefix(r.URL.String(), c.stop) {
			stopped = r.URL
			return http.ErrUseLastResponse
		}
		return nil
	}
	response, err := follow.Do(request)
	if stopped != nil && err == nil {
		defer response.Body.Close()
		return &Page{Status: response.StatusCode, URL: stopped, Header: response.Header}
	}
	if err != nil {
		c.t.Fatalf("%s %s: %v", request.Method, request.URL.Redacted(), err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Fatalf("%s %s: read the answer: %v", request.Method, request.URL.Redacted(), err)
	}
	page.Status, page.Header, page.Body, page.URL = response.StatusCode, response.Header, string(data), response.Request.URL
	for r := response.Request.Response; r != nil; r = r.Request.Response {
		page.Hops = append([]*url.URL{r.Request.URL}, page.Hops...)
	}
	return page
}

// Cookie gives the value of a cookie that would be sent to the path, or "".
func (c *Client) Cookie(path, name string) string {
	u, _ := url.Parse(c.hub.URL + path)
	for _, cookie := range c.http.Jar.Cookies(u) {
		if cookie.Name == name {
			return cookie.Value
		}
	}
	return ""
}

// Login logs in on the login page with [Password] and fails the test when that does not work.
func (c *Client) Login(user string) *Page {
	c.t.Helper()
	page := c.TryLogin(user, Password)
	if page.URL.Path == "/hub/login" || page.Status >= 400 {
		c.t.Fatalf("log in as %s: status %d at %s\n%s", user, page.Status, page.URL, page.Text())
	}
	return page
}

// TryLogin sends the login form and gives the page that comes of it. It goes to the home page, so that no
// server is started.
func (c *Client) TryLogin(user, password string) *Page {
	c.t.Helper()
	return c.fillLogin(c.Get("/hub/login?next=%2Fhub%2Fhome"), user, password)
}

func (c *Client) fillLogin(page *Page, user, password string) *Page {
	c.t.Helper()
	form := page.Form(c.t, "username")
	form.Values.Set("username", user)
	form.Values.Set("password", password)
	c.hub.Secret(password)
	return c.Submit(page, form)
}

// Submit sends a form of a page.
func (c *Client) Submit(page *Page, form *Form) *Page {
	c.t.Helper()
	action, err := page.URL.Parse(form.Action)
	if err != nil {
		c.t.Fatalf("form action %q: %v", form.Action, err)
	}
	if form.Method == http.MethodGet {
		action.RawQuery = form.Values.Encode()
		return c.Get(action.String())
	}
	return c.Post(action.String(), form.Values)
}

// Visit opens an address as a person does: it logs in where the hub asks for it, and says yes on the consent
// page. The page that finally comes is returned, whatever its status.
func (c *Client) Visit(address, user string) *Page {
	c.t.Helper()
	page := c.Get(address)
	for range 4 {
		switch {
		case page.Status == http.StatusOK && strings.HasSuffix(page.URL.Path, "/hub/login"):
			page = c.fillLogin(page, user, Password)
		case page.Status == http.StatusOK && strings.HasSuffix(page.URL.Path, "/hub/api/oauth2/authorize"):
			page = c.Submit(page, page.Form(c.t, "scopes"))
		default:
			return page
		}
	}
	return page
}

// Form finds the form with a field of this name and fails the test when there is none.
func (p *Page) Form(t testing.TB, field string) *Form {
	t.Helper()
	root, err := html.Parse(strings.NewReader(p.Body))
	if err != nil {
		t.Fatal(err)
	}
	var found *Form
	walk(root, func(n *html.Node) {
		if found != nil || n.Type != html.ElementNode || n.Data != "form" {
			return
		}
		if form := readForm(n); form.Values.Has(field) {
			found = form
		}
	})
	if found == nil {
		t.Fatalf("no form with a field %q at %s (status %d):\n%s", field, p.URL, p.Status, p.Text())
	}
	return found
}

// readForm collects the fields of a form: unchecked boxes, disabled fields and buttons are not sent.
func readForm(n *html.Node) *Form {
	form := &Form{Action: attr(n, "action"), Method: strings.ToUpper(attr(n, "method")), Values: url.Values{}}
	if form.Method == "" {
		form.Method = http.MethodGet
	}
	walk(n, func(field *html.Node) {
		name := attr(field, "name")
		if field.Type != html.ElementNode || name == "" || hasAttr(field, "disabled") {
			return
		}
		kind := attr(field, "type")
		switch {
		case field.Data == "input" && kind != "submit" && kind != "button":
			if (kind != "checkbox" && kind != "radio") || hasAttr(field, "checked") {
				form.Values.Add(name, attr(field, "value"))
			}
		case field.Data == "textarea", field.Data == "select":
			form.Values.Add(name, "")
		}
	})
	return form
}

func walk(n *html.Node, f func(*html.Node)) {
	f(n)
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		walk(c, f)
	}
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func hasAttr(n *html.Node, key string) bool {
	for _, a := range n.Attr {
		if a.Key == key {
			return true
		}
	}
	return false
}

// Text is the readable text of the page, for messages of failed tests.
func (p *Page) Text() string {
	root, err := html.Parse(strings.NewReader(p.Body))
	if err != nil {
		return p.Body
	}
	var b strings.Builder
	walk(root, func(n *html.Node) {
		if n.Type == html.TextNode && n.Parent.Data != "script" && n.Parent.Data != "style" {
			if text := strings.TrimSpace(n.Data); text != "" {
				b.WriteString(text + "\n")
			}
		}
	})
	return b.String()
}
