package app

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/minihub/minihub/internal/httpmw"
)

// LogOptions decide how log lines look.
type LogOptions struct {
	JSON    bool
	Level   slog.Level
	DateFmt string // Go layout; "" = 2006-01-02 15:04:05
}

// NewLogger returns the hub's logger: JupyterHub's line format, or one JSON object per line.
func NewLogger(w io.Writer, o LogOptions) *slog.Logger {
	if o.JSON {
		return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: o.Level, ReplaceAttr: durationInSeconds}))
	}
	if o.DateFmt == "" {
		o.DateFmt = "2006-01-02 15:04:05"
	}
	return slog.New(&textHandler{o: o, out: &lockedWriter{w: w}})
}

type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}

// textHandler writes lines as JupyterHub does: [I 2026-11-22 17:33:56.123 JupyterHub] message key=value.
type textHandler struct {
	o     LogOptions
	out   *lockedWriter
	attrs []slog.Attr
}

// Enabled implements slog.Handler.
func (h *textHandler) Enabled(_ context.Context, l slog.Level) bool { return l >= h.o.Level }

// WithAttrs implements slog.Handler.
func (h *textHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	c := *h
	c.attrs = append(append([]slog.Attr(nil), h.attrs...), attrs...)
	return &c
}

// WithGroup implements slog.Handler; groups have no place in this format.
func (h *textHandler) WithGroup(string) slog.Handler { return h }

// Handle implements slog.Handler.
func (h *textHandler) Handle(_ context.Context, r slog.Record) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "[%c %s.%03d JupyterHub] ", levelLetter(r.Level), r.Time.Format(h.o.DateFmt), r.Time.Nanosecond()/int(time.Millisecond))
	if r.Message == httpmw.RequestMessage {
		requestLine(&b, r)
	} else {
		b.WriteString(r.Message)
		for _, a := range h.attrs {
			writeAttr(&b, a)
		}
		r.Attrs(func(a slog.Attr) bool { writeAttr(&b, a); return true })
	}
	b.WriteByte('\n')
	_, err := h.out.Write(b.Bytes())
	return err
}

func levelLetter(l slog.Level) byte {
	switch {
	case l >= slog.LevelError+4:
		return 'C'
	case l >= slog.LevelError:
		return 'E'
	case l >= slog.LevelWarn:
		return 'W'
	case l >= slog.LevelInfo:
		return 'I'
	}
	return 'D'
}

// writeAttr writes key=value; values with spaces are quoted, empty ones left out.
func writeAttr(b *bytes.Buffer, a slog.Attr) {
	v := a.Value.Resolve()
	text := v.String()
	if v.Kind() == slog.KindAny && v.Any() == nil || text == "" {
		return
	}
	if d, ok := v.Any().(time.Duration); ok {
		text = milliseconds(d)
	}
	if strings.ContainsAny(text, " \t\n\"=") {
		text = fmt.Sprintf("%q", text)
	}
	fmt.Fprintf(b, " %s=%s", a.Key, text)
}

// requestLine writes: 200 GET /hub/home (alice@127.0.0.1) 3.21ms
func requestLine(b *bytes.Buffer, r slog.Record) {
	f := map[string]slog.Value{}
	r.Attrs(func(a slog.Attr) bool { f[a.Key] = a.Value; return true })
	fmt.Fprintf(b, "%d %s %s", f["status"].Int64(), f["method"].String(), f["uri"].String())
	if loc, ok := f["location"]; ok {
		fmt.Fprintf(b, " -> %s", loc.String())
	}
	fmt.Fprintf(b, " (%s@%s) %s", f["user"].String(), f["ip"].String(), milliseconds(f["duration"].Duration()))
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.2fms", float64(d)/float64(time.Millisecond))
}

// durationInSeconds writes durations as JSON numbers of seconds, the unit of JupyterHub's settings and metrics, where slog writes nanoseconds.
func durationInSeconds(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		a.Value = slog.Float64Value(a.Value.Duration().Seconds())
	}
	return a
}
