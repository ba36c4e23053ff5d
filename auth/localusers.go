package auth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os/exec"
	"strconv"
	"strings"
)

// LocalUsersOptions are the traits of LocalAuthenticator that concern accounts.
type LocalUsersOptions struct {
	// CreateSystemUsers makes an account for a hub user who has none; without it such a user is refused.
	CreateSystemUsers bool
	// AddUserCmd is the command that makes one: USERNAME in it is replaced, and the name is appended. Empty: the first of
	// pw, adduser and useradd that this machine has.
	AddUserCmd []string
	// UIDs fixes the uid of an account when it is made (--uid N).
	UIDs map[string]int
	// Unix is SystemUsers when nil.
	Unix   UnixUsers
	Logger *slog.Logger // nil: silent
}

// LocalUsers ties hub users to accounts of this machine (LocalAuthenticator).
type LocalUsers struct {
	o LocalUsersOptions
}

var _ UserHooks = (*LocalUsers)(nil)

// NewLocalUsers checks the options; a bad add_user_cmd shows when it is run.
func NewLocalUsers(o LocalUsersOptions) (*LocalUsers, error) {
	if o.Unix == nil {
		o.Unix = SystemUsers{}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	for name, uid := range o.UIDs {
		if uid < 0 {
			return nil, fmt.Errorf("LocalAuthenticator.uids[%q]: a uid cannot be %d", name, uid)
		}
	}
	if len(o.AddUserCmd) > 0 && o.AddUserCmd[0] == "" {
		return nil, errors.New("LocalAuthenticator.add_user_cmd: the command is empty")
	}
	return &LocalUsers{o: o}, nil
}

// AddUser makes sure that the user has an account, and makes one when create_system_users says so. Without an account the
// error wraps ErrNoSystemUser.
func (l *LocalUsers) AddUser(ctx context.Context, u User) error {
	exists, err := l.o.Unix.Exists(u.Name)
	if err != nil {
		return err
	}
	if exists {
		return nil
	}
	if !l.o.CreateSystemUsers {
		return fmt.Errorf("add user %q: %w: create the account, or set LocalAuthenticator.create_system_users = True",
			u.Name, ErrNoSystemUser)
	}
	return l.create(ctx, u.Name)
}

// DeleteUser leaves the account alone: it may hold a person's files.
func (*LocalUsers) DeleteUser(context.Context, User) error { return nil }

func (l *LocalUsers) create(ctx context.Context, name string) error {
	// The name stands last on the command line, where a leading dash would make it an option.
	if strings.HasPrefix(name, "-") {
		return fmt.Errorf("create system user %q: the name starts with a dash", name)
	}
	command, err := l.command(name)
	if err != nil {
		return err
	}
	l.o.Logger.InfoContext(ctx, "creating system user", "user", name, "command", command)
	out, err := exec.CommandContext(ctx, command[0], command[1:]...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("create system user %q with LocalAuthenticator.add_user_cmd %q: %w: %s",
			name, command[0], err, strings.TrimSpace(string(out)))
	}
	return nil
}

func (l *LocalUsers) command(name string) ([]string, error) {
	base := l.o.AddUserCmd
	if len(base) == 0 {
		if base = defaultAddUser(exec.LookPath); base == nil {
			return nil, fmt.Errorf("create system user %q: this machine has none of pw, adduser, useradd: set LocalAuthenticator.add_user_cmd", name)
		}
	}
	command := make([]string, 0, len(base)+3)
	for _, arg := range base {
		command = append(command, strings.ReplaceAll(arg, "USERNAME", name))
	}
	if uid, ok := l.o.UIDs[name]; ok {
		command = append(command, "--uid", strconv.Itoa(uid))
	}
	return append(command, name), nil
}

// defaultAddUser picks JupyterHub's command for this machine: pw on BSD, Debian's adduser, else useradd.
func defaultAddUser(find func(string) (string, error)) []string {
	for _, command := range [][]string{
		{"pw", "useradd", "-m", "-n"},
		{"adduser", "-q", "--gecos", "", "--disabled-password"},
		{"useradd", "-m"},
	} {
		if _, err := find(command[0]); err == nil {
			return command
		}
	}
	return nil
}
