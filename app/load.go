package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/minihub/minihub/api"
	"github.com/minihub/minihub/config"
	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/proxy"
	"github.com/minihub/minihub/pybridge"
)

// JupyterHubVersion is the version of JupyterHub that this hub behaves like.
const JupyterHubVersion = api.Version

// Load reads the configuration that a command line names and checks all of it. What a .py file prints goes to output. The report is
// nil when the file cannot be read at all; an error of it is *config.InvalidError otherwise.
func Load(ctx context.Context, args config.Args, output io.Writer) (*config.Config, *config.Report, error) {
	return load(ctx, config.Source{Args: args}, output)
}

// LoadSections is Load for a configuration that is in no file: values by class and trait.
func LoadSections(ctx context.Context, sections map[string]map[string]any, output io.Writer) (*config.Config, *config.Report, error) {
	return load(ctx, config.Source{Sections: sections}, output)
}

func load(ctx context.Context, src config.Source, output io.Writer) (*config.Config, *config.Report, error) {
	var child *pybridge.Bridge
	args := src.Args
	src.AllowPython, src.Evaluate = true, evaluator(args, output, &child)
	cfg, report, err := config.Load(ctx, src)
	if err != nil && !errors.As(err, new(*config.InvalidError)) {
		if child != nil {
			err = errors.Join(err, child.Close())
		}
		return nil, nil, err
	}
	if err := keepChild(ctx, cfg, report, child, args, output); err != nil {
		return nil, nil, err
	}
	Check(cfg, report)
	return cfg, report, report.Err()
}

// UpgradeDB migrates the database of a configuration to the current schema; a SQLite file is copied first.
func UpgradeDB(ctx context.Context, cfg *config.Config, log *slog.Logger) error {
	h := &cfg.JupyterHub
	store, err := orm.Open(ctx, orm.Options{URL: h.DBURL, Upgrade: true, Kwargs: h.DBKwargs, Logger: log})
	if err != nil {
		return databaseError(err)
	}
	return store.Close()
}

// ErrUsage marks errors of the command line.
var ErrUsage = errors.New("wrong usage")

// RunProxy runs the reverse proxy alone, with configurable-http-proxy's flags, until ctx ends.
func RunProxy(ctx context.Context, args []string) error {
	o, err := proxy.ParseStandaloneFlags(args)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUsage, err)
	}
	return proxy.RunStandalone(ctx, o)
}

// databaseError names the trait and the way out of what went wrong with the database.
func databaseError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.As(err, new(*orm.RevisionError)), errors.Is(err, orm.ErrUnsupportedURL):
		return fmt.Errorf("JupyterHub.db_url: %w", err)
	case errors.Is(err, orm.ErrUnfinished):
		return fmt.Errorf("JupyterHub.db_url: %w: start JupyterHub once and stop it", err)
	}
	return fmt.Errorf("JupyterHub.db_url: %w; see that the hub may read and write the file and its directory and that it is a SQLite database, "+
		"or that the server answers and knows user and password", err)
}
