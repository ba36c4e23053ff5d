package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/minihub/minihub/app"
	"github.com/minihub/minihub/config"
)

// stopTime is how long the hub has to end: services and servers get INT, TERM and KILL within their own time-outs.
const stopTime = 75 * time.Second

// sameSignal is how long another signal counts as the first one: wrappers like timeout, make and npm pass on what the process group got, too.
const sameSignal = 500 * time.Millisecond

// serve runs the hub until a signal or POST /hub/api/shutdown.
func serve(ctx context.Context, c *cli, argv []string) error {
	args, err := config.ParseArgs(argv)
	if err != nil {
		return &usageError{err}
	}
	if done, err := information(c, args, func() (*config.Config, error) { cfg, _, err := app.Load(ctx, args, c.err); return cfg, err }); done {
		return err
	}
	ignoreHangup()
	settle := hurry()
	a, log, err := open(ctx, c, args)
	if err != nil {
		return err
	}
	if err := a.Start(ctx); err != nil {
		if ctx.Err() != nil && errors.Is(err, context.Canceled) {
			log.InfoContext(ctx, "received a signal while starting, stopped again")
			return nil
		}
		return err
	}
	settle()
	url, who := a.Summary()
	log.InfoContext(ctx, "who can log in: "+who)
	log.InfoContext(ctx, "JupyterHub is now running at "+url, "duration", time.Since(c.began))
	debug.FreeOSMemory() // what only the start has needed
	select {
	case <-ctx.Done():
		log.InfoContext(ctx, "received a signal, shutting down")
	case <-a.Done():
		log.InfoContext(ctx, "shutting down")
	}
	return stop(a, log)
}

// stop ends the hub; a second signal ends the process at once.
func stop(a *app.App, log *slog.Logger) error {
	again := make(chan os.Signal, 1)
	signal.Notify(again, syscall.SIGINT, syscall.SIGTERM)
	ctx, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	begin := time.Now()
	done := make(chan error, 1)
	go func() { done <- a.Stop(ctx) }()
	for {
		select {
		case err := <-done:
			if why := a.Err(); why != nil {
				return why
			}
			return err
		case <-again:
			if time.Since(begin) < sameSignal {
				continue
			}
			log.WarnContext(ctx, "received another signal, ending at once")
			os.Exit(1)
		}
	}
}

// ignoreHangup keeps the hub alive when its terminal goes away: a hub serves more people than the one who started it.
func ignoreHangup() { signal.Ignore(syscall.SIGHUP) }
