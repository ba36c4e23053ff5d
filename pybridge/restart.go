package pybridge

import (
	"context"
	"log/slog"
	"time"
)

// Keep makes the bridge permanent: what the child prints and logs goes to log, and a child that dies is replaced.
func (b *Bridge) Keep(log *slog.Logger, dir Directory) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	b.out.use(log)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.log, b.dir = log, dir
	if !b.watched {
		b.watched = true
		b.done.Add(1)
		go b.watch()
	}
}

// Times of restarting: the first one is at once, then the pause doubles; a child that lived long enough starts over.
const (
	firstPause = 500 * time.Millisecond
	maxPause   = 30 * time.Second
	longLife   = time.Minute
)

// watch replaces children that die, until Close.
func (b *Bridge) watch() {
	defer b.done.Done()
	pause := time.Duration(0)
	for {
		b.mu.Lock()
		c, p := b.conn, b.proc
		b.mu.Unlock()
		if c != nil {
			born := time.Now()
			select {
			case <-b.ctx.Done():
				return
			case <-c.ended:
			}
			p.wait()
			b.mu.Lock()
			if b.conn == c {
				b.conn = nil
			}
			b.mu.Unlock()
			if b.ctx.Err() != nil {
				return
			}
			b.logger().ErrorContext(b.ctx, "the python process of the configuration ended and is started again", "state", p.cmd.ProcessState.String())
			if time.Since(born) > longLife {
				pause = 0
			}
		}
		select {
		case <-b.ctx.Done():
			return
		case <-time.After(pause):
		}
		pause = min(max(2*pause, firstPause), maxPause)
		if err := b.relaunch(); err != nil && b.ctx.Err() == nil {
			b.logger().ErrorContext(b.ctx, "the python process of the configuration could not be started", "err", err, "next_try", pause)
		}
	}
}

// relaunch starts a child and brings it to where its predecessor was.
func (b *Bridge) relaunch() error {
	ctx, cancel := context.WithTimeout(b.ctx, time.Minute)
	defer cancel()
	if _, err := b.launch(ctx); err != nil {
		return err
	}
	b.mu.Lock()
	setup := b.setup
	b.mu.Unlock()
	if setup == nil {
		return nil
	}
	_, err := b.Setup(ctx, *setup)
	if err != nil {
		b.mu.Lock()
		p := b.proc
		b.conn = nil
		b.mu.Unlock()
		p.kill()
	}
	return err
}
