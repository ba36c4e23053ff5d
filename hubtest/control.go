package hubtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// maxOrder is how much of a request's body is read, in bytes.
const maxOrder = 1 << 20

// Control is the small HTTP API with which tests in other languages use what only a hub in a test can do. All requests are
// POST with a JSON object, answers are JSON objects; durations are seconds, or texts such as "2h". Whoever reaches it may do
// everything, so it belongs on a loopback port.
//
//	POST /snapshot                              {"snapshot": "1"}
//	POST /restore  {"snapshot": "1"}            back to it
//	POST /advance  {"by": "2h"}                 Hub.Advance
//	POST /faults   {"spawn": {"fail": "no", "slow": 2, "never_ready": true, "die_after": 1, "user": "ann", "times": 1}}
//	               {"api": {"status": 503, "retry_after": 5, "delay": 1, "method": "GET", "path": "/hub/api/users", "times": 1}}
//	               {"proxy": "down"} or {"proxy": "up"}
//	POST /clear                                 Hub.ClearFaults
//	POST /token    {"user": "ann", "scopes": []}  {"token": …}: Hub.Token
func (h *Hub) Control() http.Handler {
	c := &control{hub: h, snapshots: map[string]*Snapshot{}}
	mux := http.NewServeMux()
	for path, order := range map[string]func(context.Context, []byte) (any, error){
		"/snapshot": c.snapshot, "/restore": c.restore, "/advance": c.advance, "/faults": c.fault, "/clear": c.clear, "/token": c.token,
	} {
		mux.HandleFunc("POST "+path, func(w http.ResponseWriter, r *http.Request) { c.answer(w, r, order) })
	}
	return mux
}

type control struct {
	hub       *Hub
	mu        sync.Mutex
	snapshots map[string]*Snapshot
}

// errOrder is a request that cannot be understood.
var errOrder = errors.New("the order cannot be understood")

func (c *control) answer(w http.ResponseWriter, r *http.Request, order func(context.Context, []byte) (any, error)) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxOrder))
	if err != nil {
		refuse(w, http.StatusBadRequest, 0, err.Error())
		return
	}
	if len(body) == 0 {
		body = []byte("{}")
	}
	out, err := order(r.Context(), body)
	switch {
	case errors.Is(err, errOrder):
		refuse(w, http.StatusBadRequest, 0, err.Error())
		return
	case err != nil:
		refuse(w, http.StatusInternalServerError, 0, err.Error())
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(out) // the test may be gone
}

// decode reads an order and refuses keys that do not exist, since a misspelt fault would be a test that tests nothing.
func decode(body []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("%w: %w", errOrder, err)
	}
	return nil
}

func (c *control) snapshot(ctx context.Context, _ []byte) (any, error) {
	s, err := c.hub.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.snapshots[s.name] = s
	return map[string]string{"snapshot": s.name}, nil
}

func (c *control) restore(ctx context.Context, body []byte) (any, error) {
	var order struct{ Snapshot string }
	if err := decode(body, &order); err != nil {
		return nil, err
	}
	c.mu.Lock()
	s := c.snapshots[order.Snapshot]
	c.mu.Unlock()
	if s == nil {
		return nil, fmt.Errorf("%w: there is no snapshot %q: POST /snapshot makes one and tells its name", errOrder, order.Snapshot)
	}
	return struct{}{}, c.hub.Restore(ctx, s)
}

func (c *control) advance(ctx context.Context, body []byte) (any, error) {
	var order struct{ By duration }
	if err := decode(body, &order); err != nil {
		return nil, err
	}
	if order.By <= 0 {
		return nil, fmt.Errorf("%w: by must be a positive number of seconds, or a text such as \"2h\"", errOrder)
	}
	return struct{}{}, c.hub.Advance(ctx, time.Duration(order.By))
}

func (c *control) clear(context.Context, []byte) (any, error) {
	c.hub.ClearFaults()
	return struct{}{}, nil
}

func (c *control) token(ctx context.Context, body []byte) (any, error) {
	var order struct {
		User   string
		Scopes []string
	}
	if err := decode(body, &order); err != nil {
		return nil, err
	}
	token, err := c.hub.token(ctx, order.User, order.Scopes)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errOrder, err)
	}
	return map[string]string{"token": token}, nil
}

// faultOrder is the body of POST /faults.
type faultOrder struct {
	Spawn *struct {
		Slow       duration `json:"slow"`
		Fail       string   `json:"fail"`
		NeverReady bool     `json:"never_ready"`
		DieAfter   duration `json:"die_after"`
		User       string   `json:"user"`
		Times      int      `json:"times"`
	} `json:"spawn"`
	API *struct {
		Status     int      `json:"status"`
		RetryAfter int      `json:"retry_after"`
		Delay      duration `json:"delay"`
		Method     string   `json:"method"`
		Path       string   `json:"path"`
		Times      int      `json:"times"`
	} `json:"api"`
	Proxy string `json:"proxy"`
}

func (c *control) fault(_ context.Context, body []byte) (any, error) {
	var o faultOrder
	if err := decode(body, &o); err != nil {
		return nil, err
	}
	if o.Proxy != "" && o.Proxy != "up" && o.Proxy != "down" {
		return nil, fmt.Errorf("%w: proxy must be \"up\" or \"down\", not %q", errOrder, o.Proxy)
	}
	if o.Spawn == nil && o.API == nil && o.Proxy == "" {
		return nil, fmt.Errorf("%w: give spawn, api or proxy", errOrder)
	}
	if s := o.Spawn; s != nil {
		if s.Slow <= 0 && s.Fail == "" && !s.NeverReady && s.DieAfter <= 0 {
			return nil, fmt.Errorf("%w: spawn needs slow, fail, never_ready or die_after", errOrder)
		}
		c.hub.FailSpawns(SpawnFault{Slow: time.Duration(s.Slow), Fail: s.Fail, NeverReady: s.NeverReady, DieAfter: time.Duration(s.DieAfter), User: s.User, Times: s.Times})
	}
	if a := o.API; a != nil {
		if a.Delay <= 0 && (a.Status < 200 || a.Status > 599) {
			return nil, fmt.Errorf("%w: api needs a delay, or a status from 200 to 599", errOrder)
		}
		c.hub.FailAPI(APIFault{Status: a.Status, RetryAfter: a.RetryAfter, Delay: time.Duration(a.Delay), Method: a.Method, Path: a.Path, Times: a.Times})
	}
	if o.Proxy != "" {
		c.hub.ProxyDown(o.Proxy == "down")
	}
	return struct{}{}, nil
}

// duration is a number of seconds or a text that time.ParseDuration takes.
type duration time.Duration

// UnmarshalJSON implements json.Unmarshaler.
func (d *duration) UnmarshalJSON(text []byte) error {
	if n, err := strconv.ParseFloat(string(text), 64); err == nil {
		*d = duration(n * float64(time.Second))
		return nil
	}
	var s string
	if err := json.Unmarshal(text, &s); err != nil {
		return fmt.Errorf("a duration is a number of seconds or a text such as \"2h\", not %s", text)
	}
	p, err := time.ParseDuration(s)
	*d = duration(p)
	return err
}

// refuse answers with the hub's form of errors.
func refuse(w http.ResponseWriter, status, retryAfter int, message string) {
	w.Header().Set("Content-Type", "application/json")
	if retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"status": status, "message": message}) // the client may be gone
}
