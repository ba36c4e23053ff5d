package hubapi

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strings"
)

// maxEvent is the longest line of an event stream, in bytes; the log of a failed start is in there.
const maxEvent = 1 << 20

// Event is one report of a start.
type Event struct {
	Progress    int    `json:"progress"` // percent
	Message     string `json:"message"`
	HTMLMessage string `json:"html_message"`
	Ready       bool   `json:"ready"`  // the last event of a start that succeeded
	Failed      bool   `json:"failed"` // the last event of one that did not
	URL         string `json:"url"`    // of the server, with Ready
}

// Progress reports the start of a server while it goes on, and ends after a Ready or Failed event. ErrNotFound: the server
// neither runs nor starts. Scope: read:servers.
func (c *Client) Progress(ctx context.Context, user, server string) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		r := request{method: http.MethodGet, path: serverPath(user, server) + "/progress", accept: "text/event-stream"}
		answer, err := c.send(ctx, r)
		if err != nil {
			yield(Event{}, err)
			return
		}
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			text, _ := io.ReadAll(io.LimitReader(answer.Body, maxAnswer)) // the status alone tells enough
			yield(Event{}, refusal(r, answer, text))
			return
		}
		lines := bufio.NewScanner(answer.Body)
		lines.Buffer(nil, maxEvent)
		for lines.Scan() {
			data, ok := bytes.CutPrefix(lines.Bytes(), []byte("data:"))
			if !ok {
				continue
			}
			var e Event
			if err := json.Unmarshal(data, &e); err != nil {
				yield(Event{}, fmt.Errorf("decode a progress event of %s: %w", strings.TrimSpace(r.path), err))
				return
			}
			if !yield(e, nil) || e.Ready || e.Failed {
				return
			}
		}
		if err := lines.Err(); err != nil {
			yield(Event{}, fmt.Errorf("read the progress of %s: %w", r.path, err))
		}
	}
}
