package local

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/user"
	"strings"

	"github.com/minihub/minihub/internal/supervise"
)

// owner decides whom a server belongs to. It is the whole difference between the two drivers.
type owner interface {
	of(ctx context.Context, userName string) (ownership, error)
}

// ownership is what a start needs to know about the server's user.
type ownership struct {
	account *supervise.Account // nil: the hub's user
	dirs    []string           // candidates for the working directory
	env     map[string]string  // USER, HOME, SHELL
}

// ErrOwner is returned, wrapped, when a server cannot run as the user it belongs to.
var ErrOwner = errors.New("cannot run as that user")

// systemUser takes the system user with the user's name.
type systemUser struct{ allowRoot bool }

func (o systemUser) of(ctx context.Context, name string) (ownership, error) {
	acc, err := supervise.LookupAccount(ctx, name)
	if errors.Is(err, supervise.ErrNoAccount) {
		return ownership{}, fmt.Errorf("start server of %s: %w: there is no system user %q; create it, or use another spawner_class (simple)", name, ErrOwner, name)
	}
	if err != nil {
		return ownership{}, fmt.Errorf("start server of %s: %w", name, err)
	}
	if euid := os.Geteuid(); euid != 0 && int(acc.UID) != euid {
		return ownership{}, fmt.Errorf("start server of %s: %w: the hub runs as %s and may not become system user %q; run the hub as root, or use another spawner_class (simple)",
			name, ErrOwner, hubUserName(euid), name)
	}
	if acc.UID == 0 && !o.allowRoot {
		return ownership{}, fmt.Errorf("start server of %s: %w: system user %q is the superuser; log in as somebody else", name, ErrOwner, name)
	}
	env := map[string]string{"USER": name}
	// JupyterHub sets no empty ones: programs take an empty HOME for the current directory.
	if acc.Home != "" {
		env["HOME"] = acc.Home
	}
	if acc.Shell != "" {
		env["SHELL"] = acc.Shell
	}
	return ownership{account: acc, dirs: supervise.HomeDirs(acc.Home), env: env}, nil
}

func hubUserName(uid int) string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return fmt.Sprintf("user %q", u.Username)
	}
	return fmt.Sprintf("user id %d", uid)
}

// hubUser stays the hub's user and makes a home directory for each user.
type hubUser struct {
	template string
	logger   *slog.Logger
}

func (o hubUser) of(ctx context.Context, name string) (ownership, error) {
	// A name becomes part of a path here, and the hub may be root.
	if strings.Contains(o.template, "{username}") && (name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\\\x00")) {
		return ownership{}, fmt.Errorf("start server of %q: %w: the name cannot be part of the home directory %q (SimpleLocalProcessSpawner.home_dir_template)", name, ErrOwner, o.template)
	}
	home := strings.ReplaceAll(o.template, "{username}", name)
	// As in JupyterHub a home that cannot be made is no error: the server starts in the nearest directory that exists.
	if err := os.MkdirAll(home, 0o755); err != nil {
		o.logger.WarnContext(ctx, "home directory of simple server could not be made", "user", name, "err", err)
	}
	return ownership{
		dirs: supervise.HomeDirs(home),
		env:  map[string]string{"USER": name, "HOME": home, "SHELL": "/bin/bash"},
	}, nil
}
