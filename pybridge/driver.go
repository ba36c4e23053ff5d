package pybridge

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"sync"

	"github.com/minihub/minihub/spawner"
)

// Driver makes spawners whose objects live in the child.
type Driver struct {
	b    *Bridge
	info *ClassInfo
	dir  Directory
	// MapError makes an exception of start something that a person may read; nil leaves it as it is.
	MapError func(id spawner.Identity, err error) error
	// AdoptToken is told when a server goes on with the token of an earlier start (will_resume: a container that was only stopped has it
	// in its environment); nil, or an error, makes the start fail, because the server could ask the hub for nothing.
	AdoptToken func(ctx context.Context, id spawner.Identity, token string) error
}

// NewDriver returns the driver of the class that Setup found.
func NewDriver(b *Bridge, info *ClassInfo, dir Directory) *Driver {
	return &Driver{b: b, info: info, dir: dir}
}

// Name is the class's dotted path.
func (d *Driver) Name() string { return d.info.Name }

// EnvKeep is the class's env_keep.
func (d *Driver) EnvKeep() []string {
	list, _ := d.info.Traits["env_keep"].([]any)
	out := make([]string, 0, len(list))
	for _, v := range list {
		if text, ok := v.(string); ok {
			out = append(out, text)
		}
	}
	return out
}

// New returns the spawner of one server; its object in the child is made when it is first needed.
func (d *Driver) New(id spawner.Identity) spawner.Spawner {
	s := &Spawner{d: d, id: id}
	if d.info.Has("progress") {
		return progressing{s}
	}
	return s
}

// Spawner is one server whose object lives in the child. What the child must know after its own restart is kept here.
type Spawner struct {
	d  *Driver
	id spawner.Identity

	mu    sync.Mutex
	state spawner.State
	url   string
}

// args are those of a call about this server.
func (s *Spawner) args(ctx context.Context) map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]any{"user": User{Name: s.id.UserName}, "server": Server{Name: s.id.ServerName, State: s.state, URL: s.url}}
	if r := RequestFrom(ctx); r != nil {
		out["request"] = r
	}
	return out
}

func (s *Spawner) keep(state map[string]any, url string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state = state
	if url != "" {
		s.url = url
	}
}

// Start runs start of the object. The end of ctx cancels it there.
func (s *Spawner) Start(ctx context.Context, req spawner.Request) (string, error) {
	s.mu.Lock()
	before := s.url
	s.mu.Unlock()
	if before != "" { // asked only then: what poll says of a server that was never started is the class's affair
		if exit, err := s.Poll(ctx); err == nil && exit == nil {
			return "", fmt.Errorf("start server %s: it runs already", s.id)
		}
	}
	args, err := requestArgs(ctx, s.d.dir, &req)
	if err != nil {
		return "", err
	}
	var out struct {
		URL   string         `json:"url"`
		State map[string]any `json:"state"`
		Token string         `json:"token"`
	}
	if err := s.d.b.Call(ctx, "spawner.start", args, &out); err != nil {
		if s.d.MapError != nil && ctx.Err() == nil {
			err = s.d.MapError(s.id, err)
		}
		return "", err
	}
	s.keep(out.State, out.URL)
	if out.Token != "" {
		if s.d.AdoptToken == nil {
			return "", fmt.Errorf("start server %s: it goes on with a token that the hub does not know", s.id)
		}
		if err := s.d.AdoptToken(ctx, s.id, out.Token); err != nil {
			return "", fmt.Errorf("adopt the token of the resumed server %s: %w", s.id, err)
		}
	}
	return out.URL, nil
}

// Poll runs poll of the object.
func (s *Spawner) Poll(ctx context.Context) (*spawner.Exit, error) {
	ctx, cancel := limited(ctx, pollTimeout)
	defer cancel()
	var out struct {
		Running bool           `json:"running"`
		Code    int            `json:"code"`
		Reason  string         `json:"reason"`
		State   map[string]any `json:"state"`
	}
	if err := s.d.b.Call(ctx, "spawner.poll", s.args(ctx), &out); err != nil {
		return nil, err
	}
	s.keep(out.State, "")
	if out.Running {
		return nil, nil
	}
	return &spawner.Exit{Code: out.Code, Reason: out.Reason}, nil
}

// Stop runs stop of the object when poll says that its server runs, as JupyterHub does.
func (s *Spawner) Stop(ctx context.Context, now bool) error {
	args := s.args(ctx)
	args["now"] = now
	var out struct {
		State map[string]any `json:"state"`
	}
	if err := s.d.b.Call(ctx, "spawner.stop", args, &out); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state, s.url = out.State, ""
	return nil
}

// State is what get_state said last.
func (s *Spawner) State() spawner.State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state
}

// LoadState gives the object the state of an earlier hub process.
func (s *Spawner) LoadState(ctx context.Context, state spawner.State) error {
	s.keep(state, "")
	args := s.args(ctx)
	if server, err := s.d.dir.Server(ctx, s.id.UserName, s.id.ServerName); err == nil {
		server.State = state
		s.keep(state, server.URL)
		args["server"] = server
	}
	if user, err := s.d.dir.User(ctx, s.id.UserName); err == nil {
		args["user"] = user
	}
	var out struct {
		URL string `json:"url"`
	}
	return s.d.b.Call(ctx, "spawner.load", args, &out)
}

// DeleteForever runs delete_forever.
func (s *Spawner) DeleteForever(ctx context.Context) error {
	if !s.d.info.Has("delete_forever") {
		return nil
	}
	return s.d.b.Call(ctx, "spawner.delete_forever", s.args(ctx), nil)
}

// Rename runs rename(old, new); an exception keeps the old name.
func (s *Spawner) Rename(ctx context.Context, newName string) error {
	if !s.d.info.Has("rename") {
		return nil
	}
	args := s.args(ctx)
	args["to"] = newName
	return s.d.b.Call(ctx, "spawner.rename", args, nil)
}

// progressing is a Spawner whose class has a progress method of its own.
type progressing struct{ *Spawner }

// Progress yields the events of the class's progress until they end or ctx does.
func (p progressing) Progress(ctx context.Context) iter.Seq[spawner.Event] {
	return func(yield func(spawner.Event) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		last := 0
		err := p.d.b.stream(ctx, "spawner.progress", p.args(ctx), nil, func(raw json.RawMessage) {
			var e struct {
				Progress *float64 `json:"progress"`
				Message  string   `json:"message"`
				HTML     string   `json:"html_message"`
			}
			if ctx.Err() != nil || decodeResult("spawner.progress", raw, &e) != nil {
				return
			}
			if e.Progress != nil {
				last = int(*e.Progress)
			}
			if !yield(spawner.Event{Progress: last, Message: e.Message, HTMLMessage: e.HTML}) {
				cancel()
			}
		})
		_ = err // logged by stream; progress never decides about a start
	}
}

var (
	_ spawner.Driver         = (*Driver)(nil)
	_ spawner.Spawner        = (*Spawner)(nil)
	_ spawner.ForeverDeleter = (*Spawner)(nil)
	_ spawner.Renamer        = (*Spawner)(nil)
	_ spawner.Progresser     = progressing{}
)
