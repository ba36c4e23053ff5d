package harness

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// API sends requests to the hub's REST API, and to servers and services, with a token.
type API struct {
	t     testing.TB
	hub   *Hub
	Token string
	// Scheme is the word before the token in the Authorization header: token, or Bearer.
	Scheme string
}

// Answer is the answer to one request of an [API].
type Answer struct {
	t      testing.TB
	what   string
	Status int
	Header http.Header
	Body   string
}

// API gives a client with a token; "" sends none.
func (h *Hub) API(t testing.TB, token string) *API {
	return &API{t: t, hub: h, Token: token, Scheme: "token"}
}

// Bearer gives a client that sends its token as RFC 6750 has it.
func (h *Hub) Bearer(t testing.TB, token string) *API {
	return &API{t: t, hub: h, Token: token, Scheme: "Bearer"}
}

// Admin is the API client of the service that may do everything.
func (h *Hub) Admin(t testing.TB) *API { return h.API(t, h.AdminToken) }

// Do sends a request. A path is below /hub/api unless it starts with /services/, /user/ or /hub/; a URL stays as it
// is. A body that is a string or bytes is sent as it is, any other as JSON. Redirects are not followed.
func (a *API) Do(method, path string, body any) *Answer {
	a.t.Helper()
	request, err := http.NewRequestWithContext(context.Background(), method, a.hub.address(path), encode(a.t, body))
	if err != nil {
		a.t.Fatalf("%s %s: %v", method, path, err)
	}
	if a.Token != "" {
		request.Header.Set("Authorization", a.Scheme+" "+a.Token)
	}
	if _, raw := body.(string); body != nil && !raw {
		request.Header.Set("Content-Type", "application/json")
	}
	answer := Send(a.t, request)
	var model struct {
		Token string `json:"token"`
	}
	if json.Unmarshal([]byte(answer.Body), &model) == nil {
		a.hub.Secret(model.Token)
	}
	return answer
}

// Send sends any request, follows no redirect, and reads the whole answer.
func Send(t testing.TB, request *http.Request) *Answer {
	t.Helper()
	client := http.Client{
		Timeout:       130 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	what := request.Method + " " + request.URL.Path
	response, err := client.Do(request)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("%s: read the answer: %v", what, err)
	}
	return &Answer{t: t, what: what, Status: response.StatusCode, Header: response.Header, Body: string(data)}
}

func (h *Hub) address(path string) string {
	switch {
	case strings.HasPrefix(path, "http://"), strings.HasPrefix(path, "https://"):
		return path
	case strings.HasPrefix(path, "/services/"), strings.HasPrefix(path, "/user/"), strings.HasPrefix(path, "/hub/"):
		// "/user" alone is the API's, "/user/NAME/" is a server's
		return h.URL + path
	}
	return h.URL + "/hub/api" + path
}

func encode(t testing.TB, body any) io.Reader {
	t.Helper()
	switch body := body.(type) {
	case nil:
		return nil
	case string:
		return strings.NewReader(body)
	case []byte:
		return bytes.NewReader(body)
	}
	data, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.NewReader(data)
}

// Get sends a GET.
func (a *API) Get(path string) *Answer { a.t.Helper(); return a.Do(http.MethodGet, path, nil) }

// Post sends a POST.
func (a *API) Post(path string, body any) *Answer {
	a.t.Helper()
	return a.Do(http.MethodPost, path, body)
}

// Delete sends a DELETE.
func (a *API) Delete(path string, body any) *Answer {
	a.t.Helper()
	return a.Do(http.MethodDelete, path, body)
}

// Want fails the test when the status is none of these.
func (a *Answer) Want(statuses ...int) *Answer {
	a.t.Helper()
	for _, status := range statuses {
		if a.Status == status {
			return a
		}
	}
	a.t.Fatalf("%s: status %d, want %v; the answer:\n%s", a.what, a.Status, statuses, a.Body)
	return nil
}

// JSON decodes the answer.
func (a *Answer) JSON(into any) {
	a.t.Helper()
	if err := json.Unmarshal([]byte(a.Body), into); err != nil {
		a.t.Fatalf("%s: status %d, not JSON: %v\n%s", a.what, a.Status, err, a.Body)
	}
}

// Map decodes the answer as an object.
func (a *Answer) Map() map[string]any {
	a.t.Helper()
	var m map[string]any
	a.JSON(&m)
	return m
}

// NewToken makes a token for a user; body is the request (note, scopes, roles, expires_in), nil for none.
func (a *API) NewToken(user string, body map[string]any) string {
	a.t.Helper()
	if body == nil {
		body = map[string]any{}
	}
	token, _ := a.Post("/users/"+url.PathEscape(user)+"/tokens", body).Want(http.StatusOK, http.StatusCreated).Map()["token"].(string)
	if token == "" {
		a.t.Fatalf("new token for %s: the answer has none", user)
	}
	return token
}

// StartServer starts a server ("" is the default one) and waits until it is ready. It creates the user when needed.
func (a *API) StartServer(user, server string) {
	a.t.Helper()
	a.Post("/users/"+url.PathEscape(user), nil).Want(http.StatusCreated, http.StatusConflict)
	a.StartServerOf(user, server)
}

// StartServerOf starts a server of a user who exists, and waits until it is ready.
func (a *API) StartServerOf(user, server string) {
	a.t.Helper()
	path := "/users/" + url.PathEscape(user) + "/servers/" + url.PathEscape(server)
	if server == "" {
		path = "/users/" + url.PathEscape(user) + "/server"
	}
	a.Post(path, map[string]any{}).Want(http.StatusCreated, http.StatusAccepted)
	Poll(a.t, 120*time.Second, fmt.Sprintf("server %s/%s to be ready", user, server), func() bool {
		return a.Server(user, server)["ready"] == true
	})
}

// Server gives the model of a server, nil when there is none.
func (a *API) Server(user, server string) map[string]any {
	a.t.Helper()
	model := a.Get("/users/" + url.PathEscape(user)).Want(http.StatusOK).Map()
	servers, _ := model["servers"].(map[string]any)
	found, _ := servers[server].(map[string]any)
	return found
}
