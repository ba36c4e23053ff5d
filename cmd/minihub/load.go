package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/minihub/minihub/app"
	"github.com/minihub/minihub/config"
	"github.com/minihub/minihub/pybridge"
)

// load reads the configuration that a command line names.
func load(ctx context.Context, c *cli, args config.Args) (*config.Config, *config.Report, error) {
	return config.Load(ctx, config.Source{Args: args, Evaluate: func(ctx context.Context, path string) (map[string]map[string]any, error) {
		result, err := pybridge.Evaluate(ctx, pybridge.EvalRequest{Path: path, Env: os.Environ(), Output: c.err})
		if err != nil {
			return nil, err
		}
		return result.WithLines(), nil
	}})
}

// logger makes the log that the configuration asks for.
func logger(w io.Writer, cfg *config.Config) *slog.Logger {
	return app.NewLogger(w, app.LogOptions{JSON: cfg.Minihub.LogFormat == "json", Level: level(int(cfg.JupyterHub.LogLevel))})
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
	cfg, report, err := load(ctx, c, args)
	if report == nil {
		return err
	}
	if cfg != nil {
		app.Check(cfg, report)
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
	cfg, report, err := load(ctx, c, args)
	if err != nil && !errors.As(err, new(*config.InvalidError)) {
		return nil, nil, err
	}
	app.Check(cfg, report)
	if err := report.Err(); err != nil {
		return nil, nil, err
	}
	log := logger(c.err, cfg)
	for _, p := range report.Warnings() {
		log.WarnContext(ctx, p.String())
	}
	a, err := app.New(ctx, cfg, app.Options{Logger: log, Began: c.began})
	return a, log, err
}
