package pybridge

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
)

// maxFrame bounds what either side sends at once.
const maxFrame = 64 << 20

// frame is one message in either direction: a call (Op), an answer (Result or Error), an event of a call, a cancellation, a
// call of the child's (Call), or a log record.
type frame struct {
	ID     uint64          `json:"id,omitempty"`
	Op     string          `json:"op,omitempty"`
	Args   any             `json:"args,omitempty"`
	Cancel uint64          `json:"cancel,omitempty"`
	Result json.RawMessage `json:"result,omitempty"`
	Event  json.RawMessage `json:"event,omitempty"`
	Error  json.RawMessage `json:"error,omitempty"`
	Call   uint64          `json:"call,omitempty"`
	Log    *logRecord      `json:"log,omitempty"`
}

// incoming is frame as it is read: arguments stay bytes.
type incoming struct {
	frame
	Args json.RawMessage `json:"args,omitempty"`
}

type logRecord struct {
	Level     int      `json:"level"`
	Name      string   `json:"name"`
	Message   string   `json:"message"`
	Traceback []string `json:"traceback"`
}

// conn is the connection to one child. It ends when the child does.
type conn struct {
	sock  net.Conn
	asked func(ctx context.Context, op string, args json.RawMessage) (any, error) // calls of the child's
	log   func(logRecord)

	write sync.Mutex // one frame at a time
	mu    sync.Mutex
	next  uint64
	calls map[uint64]chan incoming // nil once the connection has ended
	ended chan struct{}
	serve sync.WaitGroup
}

func newConn(sock net.Conn, asked func(context.Context, string, json.RawMessage) (any, error), log func(logRecord)) *conn {
	return &conn{sock: sock, asked: asked, log: log, calls: map[uint64]chan incoming{}, ended: make(chan struct{})}
}

// run reads until the child ends the connection, and waits for the calls that the child made.
func (c *conn) run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	r := bufio.NewReaderSize(c.sock, 64<<10)
	for {
		in, err := readFrame(r)
		if err != nil {
			break
		}
		switch {
		case in.Log != nil:
			c.log(*in.Log)
		case in.Call != 0:
			c.serve.Add(1)
			go c.answer(ctx, in)
		default:
			c.deliver(in)
		}
	}
	cancel()
	_ = c.sock.Close()
	c.mu.Lock()
	c.calls = nil
	c.mu.Unlock()
	close(c.ended)
	c.serve.Wait()
}

func readFrame(r io.Reader) (in incoming, err error) {
	var size [4]byte
	if _, err = io.ReadFull(r, size[:]); err != nil {
		return in, err
	}
	n := binary.BigEndian.Uint32(size[:])
	if n > maxFrame {
		return in, fmt.Errorf("a frame of %d bytes is too large", n)
	}
	data := make([]byte, n)
	if _, err = io.ReadFull(r, data); err != nil {
		return in, err
	}
	return in, json.Unmarshal(data, &in)
}

func (c *conn) send(f frame) error {
	data, err := json.Marshal(f)
	if err != nil {
		return fmt.Errorf("encode call: %w", err)
	}
	if len(data) > maxFrame {
		return errors.New("encode call: the arguments are too large")
	}
	out := make([]byte, 4, 4+len(data))
	binary.BigEndian.PutUint32(out, uint32(len(data)))
	c.write.Lock()
	defer c.write.Unlock()
	if _, err := c.sock.Write(append(out, data...)); err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return nil
}

// deliver hands an answer or event to the call that waits for it; late ones are dropped.
func (c *conn) deliver(in incoming) {
	c.mu.Lock()
	ch := c.calls[in.ID]
	if in.Event == nil {
		delete(c.calls, in.ID)
	}
	c.mu.Unlock()
	if ch == nil {
		return
	}
	select {
	case ch <- in:
	default: // only events can be too many: nobody reads that slowly
	}
}

// begin sends a call and returns where its answer arrives.
func (c *conn) begin(op string, args any) (uint64, <-chan incoming, error) {
	c.mu.Lock()
	if c.calls == nil {
		c.mu.Unlock()
		return 0, nil, ErrUnavailable
	}
	c.next++
	id, ch := c.next, make(chan incoming, 64)
	c.calls[id] = ch
	c.mu.Unlock()
	if err := c.send(frame{ID: id, Op: op, Args: args}); err != nil {
		c.abandon(id)
		return 0, nil, err
	}
	return id, ch, nil
}

func (c *conn) abandon(id uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.calls, id)
}

// call makes one call. event is called for each event before the answer; nil drops them.
func (c *conn) call(ctx context.Context, op string, args any, event func(json.RawMessage)) (json.RawMessage, error) {
	id, ch, err := c.begin(op, args)
	if err != nil {
		return nil, err
	}
	for {
		select {
		case in := <-ch:
			switch {
			case in.Event != nil:
				if event != nil {
					event(in.Event)
				}
				continue
			case in.Error != nil:
				e := &Error{Op: op}
				if err := json.Unmarshal(in.Error, e); err != nil {
					return nil, fmt.Errorf("%s: the child gave an answer that cannot be read: %w", op, err)
				}
				return nil, e
			}
			return in.Result, nil
		case <-ctx.Done():
			c.abandon(id)
			_ = c.send(frame{Cancel: id}) // a dead child needs no telling
			return nil, fmt.Errorf("%s: %w", op, context.Cause(ctx))
		case <-c.ended:
			return nil, fmt.Errorf("%s: %w", op, ErrUnavailable)
		}
	}
}

// answer serves a call that the child makes.
func (c *conn) answer(ctx context.Context, in incoming) {
	defer c.serve.Done()
	out := frame{ID: in.Call}
	result, err := c.asked(ctx, in.Op, in.Args)
	if err == nil {
		out.Result, err = json.Marshal(result)
	}
	if err != nil {
		out.Error, _ = json.Marshal(err.Error()) // strings always encode
	}
	_ = c.send(out)
}
