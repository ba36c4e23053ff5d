package api

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/internal/httpmw"
)

// keepAlive is how often an idle event stream gets a blank line, so that nothing in between closes it.
const keepAlive = 8 * time.Second

// progress answers with server-sent events until the server is ready or its start failed.
func (a *API) progress(w http.ResponseWriter, r *http.Request) error {
	u, name, err := a.target(r)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	seq, err := a.o.Hub.Servers.Progress(ctx, u, name)
	if err != nil {
		return bare(err)
	}
	events := make(chan hub.ProgressEvent)
	go func() {
		defer close(events)
		for e := range seq {
			select {
			case events <- e:
			case <-ctx.Done():
				return
			}
		}
	}()
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-cache")
	h.Set("X-Accel-Buffering", "no")
	w.WriteHeader(http.StatusOK)
	return stream(w, events)
}

func stream(w http.ResponseWriter, events <-chan hub.ProgressEvent) error {
	flush := http.NewResponseController(w)
	t := time.NewTicker(keepAlive)
	defer t.Stop()
	if _, err := w.Write([]byte("\n\n")); err != nil {
		return nil
	}
	for {
		if err := flush.Flush(); err != nil {
			return nil // nobody listens any more
		}
		select {
		case e, ok := <-events:
			if !ok {
				return nil
			}
			if _, err := w.Write(frame(e)); err != nil {
				return nil
			}
		case <-t.C:
			if _, err := w.Write([]byte("\n\n")); err != nil {
				return nil
			}
		}
	}
}

func frame(e hub.ProgressEvent) []byte {
	m := object{"message": e.Message, "progress": e.Progress}
	if e.HTMLMessage != "" {
		m["html_message"] = e.HTMLMessage
	}
	if e.Ready {
		m["ready"], m["url"] = true, e.URL
	}
	if e.Failed {
		m["failed"] = true
	}
	var b bytes.Buffer
	b.WriteString("data: ")
	_ = json.NewEncoder(&b).Encode(m) // strings, bools and ints always encode
	b.WriteByte('\n')
	return b.Bytes()
}

var _ httpmw.Handler = (*API)(nil).progress
