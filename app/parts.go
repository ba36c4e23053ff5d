package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// part is something that is started in order and stopped in reverse.
type part struct {
	name  string
	start func(ctx context.Context) error // nil: nothing to start
	stop  func(ctx context.Context) error // nil: nothing to stop
}

// stopNotice is how long a part may take to stop before the log tells who waits for it.
const stopNotice = 3 * time.Second

// parts is the ordered list; started counts how far starting came.
type parts struct {
	list    []part
	started int
	log     *slog.Logger
}

func (p *parts) add(name string, start, stop func(ctx context.Context) error) {
	p.list = append(p.list, part{name: name, start: start, stop: stop})
}

// start starts all parts; when one fails, those before it are stopped again.
func (p *parts) start(ctx context.Context) error {
	for _, it := range p.list {
		if it.start != nil {
			if err := it.start(ctx); err != nil {
				err = fmt.Errorf("start %s: %w", it.name, err)
				return errors.Join(err, p.stop(context.WithoutCancel(ctx)))
			}
		}
		p.started++
	}
	return nil
}

// stop stops what was started, in reverse. Every part gets its chance, whatever the others say.
func (p *parts) stop(ctx context.Context) error {
	var errs []error
	for ; p.started > 0; p.started-- {
		it := p.list[p.started-1]
		if it.stop == nil {
			continue
		}
		slow := time.AfterFunc(stopNotice, func() {
			p.log.InfoContext(ctx, "still stopping; a second signal ends the hub at once", "part", it.name)
		})
		err := it.stop(ctx)
		slow.Stop()
		if err != nil {
			p.log.ErrorContext(ctx, "part did not stop cleanly", "part", it.name, "err", err)
			errs = append(errs, fmt.Errorf("stop %s: %w", it.name, err))
		}
	}
	return errors.Join(errs...)
}
