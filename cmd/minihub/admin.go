package main

import (
	"context"
	"errors"
	"fmt"
	"os/user"

	"github.com/minihub/minihub/app"
	"github.com/minihub/minihub/config"
)

// token prints a new API token of a user of the database; without a name, of the system user who asks.
func token(ctx context.Context, c *cli, argv []string) error {
	name := ""
	if len(argv) > 0 && argv[0] != "" && argv[0][0] != '-' {
		name, argv = argv[0], argv[1:]
	}
	args, err := config.ParseArgs(argv)
	if err != nil {
		return &usageError{err}
	}
	if done, err := help(c, args); done {
		return err
	}
	if name == "" {
		me, err := user.Current()
		if err != nil {
			return fmt.Errorf("find out who is asking: %w; name the user", err)
		}
		name = me.Username
	}
	a, _, err := open(ctx, c, args)
	if err != nil {
		return err
	}
	text, err := a.NewToken(ctx, name)
	if err := errors.Join(err, a.Close()); err != nil {
		return err
	}
	fmt.Fprintln(c.out, text)
	return nil
}

// upgradeDB migrates the database; a SQLite file is copied first.
func upgradeDB(ctx context.Context, c *cli, argv []string) error {
	args, err := config.ParseArgs(argv)
	if err != nil {
		return &usageError{err}
	}
	if done, err := help(c, args); done {
		return err
	}
	cfg, _, err := app.Load(ctx, args, c.err)
	if err != nil {
		return err
	}
	if err := app.UpgradeDB(ctx, cfg, logger(c.err, cfg)); err != nil {
		return err
	}
	fmt.Fprintln(c.out, "The database has the current schema.")
	return nil
}
