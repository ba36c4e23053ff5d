package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/minihub/minihub/app"
	"github.com/minihub/minihub/config"
)

// logger makes the log that the configuration asks for.
func logger(w io.Writer, cfg *config.Config) *slog.Logger {
	return app.NewLogger(w, app.LogOptions{JSON: cfg.Minihub.LogFormat == "json", Level: level(int(cfg.JupyterHub.LogLevel))})
}

// logWriter adds the file of extra_log_file, which stays open as long as the process.
func logWriter(w io.Writer, path string) (io.Writer, error) {
	if path == "" {
		return w, nil
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
	if err != nil {
		return nil, fmt.Errorf("JupyterHub.extra_log_file: %w; choose a path that the hub may write to", err)
	}
	return io.MultiWriter(w, f), nil
}

// level turns Python's numbers into slog's: 10 is DEBUG, 20 INFO, 30 WARNING, 40 ERROR, 50 CRITICAL.
func level(python int) slog.Level {
	switch {
	case python <= 10:
		return slog.LevelDebug
	case python <= 20:
		return slog.LevelInfo
	case python <= 30:
		return slog.LevelWarn
	}
	return slog.LevelError
}

// check prints every problem of the configuration and starts nothing.
func check(ctx context.Context, c *cli, argv []string) error {
	args, err := config.ParseArgs(argv)
	if err != nil {
		return &usageError{err}
	}
	if done, err := help(c, args); done {
		return err
	}
	_, report, err := app.Load(ctx, args, c.err)
	if report == nil {
		return err
	}
	if _, werr := report.WriteTo(c.out); werr != nil {
		return werr
	}
	if n := len(report.Errors()); n > 0 {
		return fmt.Errorf("the configuration cannot be used: %d errors", n)
	}
	return nil
}

// open builds the hub that a command line describes, without starting it.
func open(ctx context.Context, c *cli, args config.Args) (*app.App, *slog.Logger, error) {
	cfg, report, err := app.Load(ctx, args, c.err)
	if err != nil {
		return nil, nil, err
	}
	w, err := logWriter(c.err, cfg.JupyterHub.ExtraLogFile)
	if err != nil {
		return nil, nil, err
	}
	log := logger(w, cfg)
	for _, p := range report.Warnings() {
		log.WarnContext(ctx, strings.TrimPrefix(p.String(), "warning: "))
	}
	a, err := app.New(ctx, cfg, app.Options{Logger: log, Began: c.began})
	return a, log, err
}
