package pybridge

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"
)

//go:embed python
var sources embed.FS

// moduleNames are the child's modules in the order in which they need each other.
func moduleNames() []string {
	return []string{"evaluate", "wire", "state", "facade", "authn", "spawners", "pages", "main"}
}

// Options say which configuration a child holds.
type Options struct {
	Path      string                    // Path is the .py file; "" when the configuration is none.
	Sections  map[string]map[string]any // Sections are those of a file that is not Python.
	Overrides []Override                // Overrides are those of the command line.
	Python    string                    // Python is the interpreter; "" means FindPython(Env).
	Env       []string                  // Env is the child's environment; nil is the process's own.
	Dir       string                    // Dir is the child's working directory; "" is the process's own.
	Output    io.Writer                 // Output receives what the child prints until a Logger is set; nil discards it.
}

// Override is a trait of the command line.
type Override struct {
	Class, Trait string
	Texts        []string
}

// MarshalJSON writes the form that the child reads.
func (o Override) MarshalJSON() ([]byte, error) {
	return json.Marshal([]any{o.Class, o.Trait, o.Texts})
}

// Bridge is the Python child that holds what lives in the configuration. Safe for concurrent use.
type Bridge struct {
	o   Options
	out *output

	mu      sync.Mutex
	conn    *conn         // nil while there is no child
	proc    *process      // likewise
	setup   *SetupRequest // what a new child is told
	dir     Directory
	known   map[string]bool // users that add_user was told of: a new child hears of them at once
	log     *slog.Logger
	watched bool
	room    string // folder of the socket of an authenticator's pages, "" until one may be needed

	ctx    context.Context // ends with Close; the child's life is the bridge's
	cancel context.CancelFunc
	done   sync.WaitGroup
}

// Directory is what the child may ask of the hub.
type Directory interface {
	// User tells what hooks see of a user; an unknown one is an error.
	User(ctx context.Context, name string) (User, error)
	// Server tells what hooks see of a server besides its user; an unknown one has just its name.
	Server(ctx context.Context, user, server string) (Server, error)
	// AuthState returns the decrypted auth_state of a user.
	AuthState(ctx context.Context, user string) (any, error)
	// SaveAuthState stores it.
	SaveAuthState(ctx context.Context, user string, state any) error
	// DeleteUser deletes a user of the hub, as the API does.
	DeleteUser(ctx context.Context, user string) error
	// CompleteLogin applies a login that a page of the authenticator made, and returns the user and a ticket: the answer that
	// carries the ticket logs the browser in.
	CompleteLogin(ctx context.Context, m Model) (User, string, error)
}

// Start starts a child and evaluates the configuration in it. The result is Evaluate's; so are the errors. The child goes on: Close
// ends it, as does the end of this process.
func Start(ctx context.Context, o Options) (*Bridge, EvalResult, error) {
	if o.Python == "" {
		var err error
		if o.Python, err = FindPython(o.Env); err != nil {
			return nil, EvalResult{}, err
		}
	}
	if o.Path != "" {
		var err error
		if o.Path, err = filepath.Abs(o.Path); err != nil {
			return nil, EvalResult{}, err
		}
	}
	out, err := newOutput(o.Output)
	if err != nil {
		return nil, EvalResult{}, err
	}
	b := &Bridge{o: o, out: out, known: map[string]bool{}, log: slog.New(slog.DiscardHandler)}
	b.ctx, b.cancel = context.WithCancel(context.WithoutCancel(ctx))
	result, err := b.launch(ctx)
	if err != nil {
		b.cancel()
		b.done.Wait()
		out.close()
		return nil, EvalResult{}, err
	}
	return b, result, nil
}

// launch starts a child, evaluates the file, and makes it the current one.
func (b *Bridge) launch(ctx context.Context) (EvalResult, error) {
	modules := [][2]string{}
	for _, name := range moduleNames() {
		text, err := sources.ReadFile("python/" + name + ".py")
		if err != nil {
			return EvalResult{}, fmt.Errorf("read the bridge's own modules: %w", err)
		}
		modules = append(modules, [2]string{name, string(text)})
	}
	p, sock, err := startProcess(b.o, b.out.file)
	if err != nil {
		return EvalResult{}, err
	}
	c := newConn(sock, b.asked, b.record)
	b.done.Add(1)
	go func() {
		defer b.done.Done()
		c.run(b.ctx)
		p.reap()
	}()
	result, err := b.load(ctx, c, modules, p)
	if err != nil {
		p.kill()
		<-c.ended
		return EvalResult{}, err
	}
	b.mu.Lock()
	b.conn, b.proc = c, p
	b.mu.Unlock()
	return result, nil
}

func (b *Bridge) load(ctx context.Context, c *conn, modules [][2]string, p *process) (EvalResult, error) {
	if err := c.hello(map[string]any{"modules": modules, "path": b.o.Path}); err != nil {
		return EvalResult{}, fmt.Errorf("start %s: %w%s", b.o.Python, err, b.out.hint())
	}
	answer, err := c.call(ctx, "load", map[string]any{"path": b.o.Path, "sections": encodeSections(b.o.Sections), "overrides": b.o.Overrides}, nil)
	switch {
	case errors.Is(err, ErrUnavailable):
		p.wait()
		b.out.drain()
		return EvalResult{}, fmt.Errorf("evaluate %s: %s ended early (%s)%s", b.o.Path, b.o.Python, p.cmd.ProcessState, b.out.hint())
	case err != nil && ctx.Err() != nil:
		return EvalResult{}, fmt.Errorf("evaluate %s: %w", b.o.Path, ctx.Err())
	case err != nil:
		return EvalResult{}, fmt.Errorf("evaluate %s: %w", b.o.Path, err)
	}
	return decodeAnswer(answer, b.o.Python)
}

// Close ends the child and waits for everything that belongs to it.
func (b *Bridge) Close() error {
	b.cancel()
	b.mu.Lock()
	c, p := b.conn, b.proc
	b.conn = nil
	b.mu.Unlock()
	if c != nil {
		_ = c.sock.Close() // the child ends when its socket does
		p.endWithin(2 * time.Second)
	}
	b.done.Wait()
	b.out.close()
	if b.room != "" {
		return os.RemoveAll(b.room)
	}
	return nil
}

// Python is the interpreter that runs.
func (b *Bridge) Python() string { return b.o.Python }

// PID is the child's process id, 0 while there is none.
func (b *Bridge) PID() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.conn == nil {
		return 0
	}
	return b.proc.cmd.Process.Pid
}

// callTimeout is the deadline of calls that bring none.
const callTimeout = 5 * time.Minute

// Call runs an operation of the child and decodes its result. Errors: *Error for an exception, ErrUnavailable, the context's.
func (b *Bridge) Call(ctx context.Context, op string, args map[string]any, result any) error {
	return b.stream(ctx, op, args, result, nil)
}

func (b *Bridge) stream(ctx context.Context, op string, args map[string]any, result any, event func(json.RawMessage)) error {
	if _, limited := ctx.Deadline(); !limited {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, callTimeout, fmt.Errorf("no answer within %s: %w", callTimeout, context.DeadlineExceeded))
		defer cancel()
	}
	b.mu.Lock()
	c := b.conn
	b.mu.Unlock()
	if c == nil {
		return fmt.Errorf("%s: %w", op, ErrUnavailable)
	}
	answer, err := c.call(ctx, op, args, event)
	if err != nil {
		b.note(ctx, op, err)
		return err
	}
	if result == nil || len(answer) == 0 {
		return nil
	}
	return decodeResult(op, answer, result)
}

// note logs an exception with its traceback, once, where it arrives.
func (b *Bridge) note(ctx context.Context, op string, err error) {
	e, is := errors.AsType[*Error](err)
	log := b.logger()
	switch {
	case !is:
		log.WarnContext(ctx, "python call failed", "call", op, "err", err)
	case e.Expected() || e.Type == "Cancelled":
		log.DebugContext(ctx, "python call refused", "call", op, "err", e)
	default:
		log.ErrorContext(ctx, "exception in python code of the configuration", "call", op, "err", e, "traceback", e.Traceback)
	}
}

func (b *Bridge) logger() *slog.Logger {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.log
}

// record puts a log record of the child into the hub's log.
func (b *Bridge) record(r logRecord) {
	level := slog.LevelInfo
	switch {
	case r.Level >= 40:
		level = slog.LevelError
	case r.Level >= 30:
		level = slog.LevelWarn
	case r.Level < 20:
		level = slog.LevelDebug
	}
	args := []any{"source", "python"}
	if r.Name != "JupyterHub" && r.Name != "" {
		args = append(args, "logger", r.Name)
	}
	if len(r.Traceback) > 0 {
		args = append(args, "traceback", r.Traceback)
	}
	b.logger().Log(b.ctx, level, r.Message, args...)
}
