package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// figures are all measurements of one hub, by the name of the figure, in its unit.
type figures struct {
	order  []string
	values map[string][]float64
}

func (f *figures) add(name string, v float64) {
	if !slices.Contains(f.order, name) {
		f.order = append(f.order, name)
	}
	f.values[name] = append(f.values[name], v)
}

// Names of the figures, with their units.
const (
	startTime  = "start to first answer, empty database (ms)"
	startPy    = "the same, with a jupyterhub_config.py (ms)"
	idleMemory = "memory when idle, hub and proxy (MiB)"
	oneToken   = "GET /hub/api/user, one token (1/s)"
	manyTokens = "GET /hub/api/user, 200 tokens in turn (1/s)"
	loginPage  = "GET /hub/login (1/s)"
	userList   = "GET /hub/api/users?limit=50 of 500 (1/s)"
)

// settle is how long a hub is left alone before its memory is read.
const settle = 2 * time.Second

// measure takes all figures of one hub.
func measure(o options, s subject) (*figures, error) {
	f := &figures{values: map[string][]float64{}}
	for _, start := range []struct {
		name string
		json bool
	}{{startTime, s.json}, {startPy, false}} {
		for range o.rounds {
			r, err := s.start(start.json)
			if err != nil {
				return nil, err
			}
			f.add(start.name, float64(r.took)/float64(time.Millisecond))
			r.stop()
		}
	}
	r, err := s.start(false)
	if err != nil {
		return nil, err
	}
	defer r.stop()
	time.Sleep(settle)
	bytes, err := r.memory()
	if err != nil {
		return nil, err
	}
	f.add(idleMemory, float64(bytes)/(1<<20))
	tokens, err := r.fill()
	if err != nil {
		return nil, err
	}
	loads := []struct {
		name, path string
		tokens     []string
	}{{oneToken, "/hub/api/user", []string{token}}, {manyTokens, "/hub/api/user", tokens}, {loginPage, "/hub/login", nil}, {userList, "/hub/api/users?limit=50", []string{token}}}
	for _, l := range loads {
		for range o.rounds {
			rate, err := r.load(o, l.path, l.tokens)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", l.name, err)
			}
			f.add(l.name, rate)
		}
	}
	return f, nil
}

// fill makes 500 users, and a token for each of the first 200.
func (r *running) fill() ([]string, error) {
	names := make([]string, 500)
	for i := range names {
		names[i] = fmt.Sprintf("user%04d", i)
	}
	if err := r.post("/hub/api/users", map[string]any{"usernames": names}, nil); err != nil {
		return nil, err
	}
	tokens := make([]string, 200)
	for i := range tokens {
		var answer struct{ Token string }
		if err := r.post("/hub/api/users/"+names[i]+"/tokens", map[string]any{"note": "bench"}, &answer); err != nil {
			return nil, err
		}
		tokens[i] = answer.Token
	}
	return tokens, nil
}

func (r *running) post(path string, body, answer any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	q, err := http.NewRequest(http.MethodPost, r.url+path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	q.Header.Set("Authorization", "token "+token)
	got, err := http.DefaultClient.Do(q)
	if err != nil {
		return err
	}
	defer got.Body.Close()
	if got.StatusCode != http.StatusCreated {
		text, _ := io.ReadAll(got.Body)
		return fmt.Errorf("POST %s: %s: %s", path, got.Status, text)
	}
	if answer == nil {
		return nil
	}
	return json.NewDecoder(got.Body).Decode(answer)
}

// load sends requests over the given number of connections for a while and returns how many were answered with 200 per second.
func (r *running) load(o options, path string, tokens []string) (float64, error) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: o.connections}}
	defer client.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(o.seconds*float64(time.Second)))
	defer cancel()
	var good, next atomic.Int64
	var once sync.Once
	var bad error
	var all sync.WaitGroup
	begin := time.Now()
	for range o.connections {
		all.Go(func() {
			for ctx.Err() == nil {
				err := r.get(ctx, client, path, tokens, int(next.Add(1)))
				if err == nil {
					good.Add(1)
				} else if ctx.Err() == nil {
					once.Do(func() { bad = err })
					return
				}
			}
		})
	}
	all.Wait()
	return float64(good.Load()) / time.Since(begin).Seconds(), bad
}

func (r *running) get(ctx context.Context, client *http.Client, path string, tokens []string, n int) error {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url+path, nil)
	if err != nil {
		return err
	}
	if len(tokens) > 0 {
		q.Header.Set("Authorization", "token "+tokens[n%len(tokens)])
	}
	answer, err := client.Do(q)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s", path, answer.Status)
	}
	return nil
}
