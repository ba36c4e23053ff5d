package app

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/proxy"
)

// prober waits for servers and services to answer HTTP.
type prober struct {
	client *http.Client
}

var _ hub.Prober = (*prober)(nil)

func newProber() *prober {
	return &prober{client: &http.Client{
		Transport:     proxy.NewTransport(proxy.TransportOptions{}),
		Timeout:       10 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// First and longest pause between two tries. Most servers answer within the first second, so tries are close together then.
const firstPause, longestPause = 20 * time.Millisecond, 2 * time.Second

// WaitUp implements hub.Prober.
func (p *prober) WaitUp(ctx context.Context, url string, alive func(context.Context) error) (string, error) {
	pause := firstPause
	var last error
	for {
		version, err := p.try(ctx, url)
		if err == nil {
			return version, nil
		}
		if ctx.Err() == nil {
			last = err
		}
		if err := alive(ctx); err != nil {
			return "", err
		}
		t := time.NewTimer(time.Duration(float64(pause) * (0.8 + 0.4*rand.Float64())))
		select {
		case <-ctx.Done():
			t.Stop()
			return "", fmt.Errorf("no answer from %s: %w", url, errors.Join(context.Cause(ctx), last))
		case <-t.C:
		}
		pause = min(pause*5/4, longestPause)
	}
}

func (p *prober) try(ctx context.Context, url string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	answer, err := p.client.Do(r)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	if answer.StatusCode >= 500 {
		return "", fmt.Errorf("answers %s", answer.Status)
	}
	return answer.Header.Get("X-JupyterHub-Version"), nil
}
