package main

import (
	"net/http"
)

// proxied sends requests through the proxy to a running server.
func proxied(key, what string, lanes int) func(*session) error {
	return func(s *session) error {
		return s.rounds(key, load{lanes: lanes, at: want(http.StatusOK, same(backendRequest(what)))}, 1)
	}
}

func backendRequest(what string) []byte {
	return request(http.MethodGet, "/user/"+userName(0)+"/"+what, "", "", "")
}

// barFigures measures the bars: nginx in front of the same backend, and a handler that does nothing.
func barFigures(o options, p *peers) (figures, error) {
	type bar struct {
		key, addr string
		w         load
	}
	api := load{lanes: o.connections, at: want(http.StatusOK, same(request(http.MethodGet, "/hub/api/user", adminToken, "", "")))}
	bars := []bar{{oneToken, p.bar.addr, api}}
	if p.nginx != nil {
		bars = append(bars,
			bar{small, p.nginx.addr, load{lanes: 32, at: want(http.StatusOK, same(backendRequest("small")))}},
			bar{big, p.nginx.addr, load{lanes: 16, at: want(http.StatusOK, same(backendRequest("big")))}},
			bar{wsRate, p.nginx.addr, load{lanes: echoLanes, at: echo}})
	}
	out := figures{}
	for _, b := range bars {
		if !o.wanted(b.key) {
			continue
		}
		b.w.addr, b.w.lasts = b.addr, o.length()
		for range o.rounds {
			r, err := b.w.run()
			if err != nil {
				return nil, err
			}
			out[b.key] = append(out[b.key], r.rate)
		}
	}
	return out, nil
}
