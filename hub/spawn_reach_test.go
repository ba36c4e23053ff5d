package hub_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/spawner"
)

// What a spawner returns becomes the row, the route's target and the address that is probed.
func TestAddresses(t *testing.T) {
	r := newRig(t)
	u := r.user("alice")
	for url, want := range map[string]string{
		"http://10.0.0.7:8888":         "http://10.0.0.7:8888",
		"http://[fd00::7]:8888":        "http://[fd00::7]:8888",
		"http://0.0.0.0:8888":          "http://127.0.0.1:8888",
		"http://[::]:8888":             "http://127.0.0.1:8888",
		"http://pod":                   "http://pod:80",
		"https://pod.ns":               "https://pod.ns:443",
		"http+unix://%2Frun%2Fa.sock":  "http+unix://%2Frun%2Fa.sock",
		"http+unix://":                 "!",
		"http://:8888":                 "!",
		"pod:8888":                     "!",
		"http://pod:port":              "!",
		"ftp://pod":                    "!",
		"http://pod:8888%zz":           "!",
		"http://10.0.0.7:99999999999x": "!",
	} {
		r.driver.badURL = url
		_, err := r.start(u, "")
		if want == "!" {
			var e *hub.Error
			if wantErr(t, err, hub.Failed, ""); !errors.As(err, &e) || !strings.Contains(e.Message, "bad URL") {
				t.Errorf("%s: %v", url, err)
			}
			r.wantNothingLeft(u, "")
			continue
		}
		noErr(t, err)
		if got := r.router.routes["/user/alice/"]; got != want || r.prober.urls[len(r.prober.urls)-1] != want+"/user/alice/api" {
			t.Errorf("%s became %s, probed %v", url, got, r.prober.urls)
		}
		r.mustStop(u, "", hub.StopOptions{})
	}
}

func TestVersionsOfServers(t *testing.T) {
	r := newRig(t)
	u := r.user("alice")
	for version, warnings := range map[string]int{"6.0.0": 0, "5.4.2": 0, "4.1.6": 0, "": 0, "3.1.1": 1} {
		before := r.log.count("another major version")
		r.prober.wait = func(context.Context, string, func(context.Context) error) (string, error) { return version, nil }
		r.mustStart(u, "")
		r.mustStop(u, "", hub.StopOptions{})
		if got := r.log.count("another major version") - before; got != warnings {
			t.Errorf("%q: %d warnings", version, got)
		}
	}
}

func TestThrottleTexts(t *testing.T) {
	for wait, text := range map[[2]time.Duration]string{
		{35 * time.Second, 35 * time.Second}:   "40 seconds",
		{30 * time.Second, 30 * time.Second}:   "30 seconds",
		{90 * time.Second, 90 * time.Second}:   "90 seconds",
		{150 * time.Second, 150 * time.Second}: "3 minutes",
	} {
		r := newRig(t, func(o *rigOptions) { o.traits.ConcurrentSpawnLimit, o.traits.ThrottleRetry = 1, wait })
		u := r.user("alice")
		gate := make(chan struct{})
		r.driver.onStart = func(context.Context, spawner.Request) error { <-gate; return nil }
		need(r.live.Start(t.Context(), u, "", hub.StartOptions{Wait: -1}))
		_, err := r.start(u, "b")
		close(gate)
		wantErr(t, err, hub.TooMany, "Too many users trying to log in right now. Try again in "+text+".")
		var e *hub.Error
		if errors.As(err, &e); e.RetryAfter != wait[0] {
			t.Errorf("Retry-After %v, want %v", e.RetryAfter, wait[0])
		}
	}
}
