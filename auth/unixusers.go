package auth

import (
	"errors"
	"fmt"
	"os/user"
)

// UnixUsers looks up the machine's accounts. Implementations are called by many requests at once.
type UnixUsers interface {
	// Exists reports whether there is an account of this name.
	Exists(name string) (bool, error)
	// GroupIDs lists the ids of all groups of an account; an unknown account is an error that wraps ErrNoSystemUser.
	GroupIDs(name string) ([]string, error)
	// GroupID returns the id of a group; an unknown group is an error that wraps ErrNoSystemGroup.
	GroupID(group string) (string, error)
	// Canonical returns the name that the account's uid leads back to.
	Canonical(name string) (string, error)
}

// ErrNoSystemUser is wrapped by errors about a name without an account on this machine.
var ErrNoSystemUser = errors.New("no such system user")

// ErrNoSystemGroup is wrapped by errors about a UNIX group that this machine does not know.
var ErrNoSystemGroup = errors.New("no such system group")

// SystemUsers is this machine's account database. A cgo build asks the C library, and so also LDAP and SSSD; a static
// build reads /etc/passwd and /etc/group alone.
type SystemUsers struct{}

var _ UnixUsers = SystemUsers{}

// Exists implements UnixUsers.
func (SystemUsers) Exists(name string) (bool, error) {
	_, err := lookupUser(name)
	if errors.Is(err, ErrNoSystemUser) {
		return false, nil
	}
	return err == nil, err
}

// GroupIDs implements UnixUsers.
func (SystemUsers) GroupIDs(name string) ([]string, error) {
	u, err := lookupUser(name)
	if err != nil {
		return nil, err
	}
	ids, err := u.GroupIds()
	if err != nil {
		return nil, fmt.Errorf("list the groups of system user %q: %w", ShortName(name), err)
	}
	return ids, nil
}

// GroupID implements UnixUsers.
func (SystemUsers) GroupID(group string) (string, error) {
	g, err := user.LookupGroup(group)
	var unknown user.UnknownGroupError
	switch {
	case errors.As(err, &unknown):
		return "", fmt.Errorf("look up group %q: %w", group, ErrNoSystemGroup)
	case err != nil:
		return "", fmt.Errorf("look up group %q: %w", group, err)
	}
	return g.Gid, nil
}

// Canonical implements UnixUsers.
func (SystemUsers) Canonical(name string) (string, error) {
	u, err := lookupUser(name)
	if err != nil {
		return "", err
	}
	if u, err = user.LookupId(u.Uid); err != nil {
		return "", fmt.Errorf("look up the uid of system user %q: %w", ShortName(name), err)
	}
	return u.Username, nil
}

func lookupUser(name string) (*user.User, error) {
	u, err := user.Lookup(name)
	var unknown user.UnknownUserError
	switch {
	case errors.As(err, &unknown):
		return nil, fmt.Errorf("look up system user %q: %w", ShortName(name), ErrNoSystemUser)
	case err != nil:
		return nil, fmt.Errorf("look up system user %q: %w", ShortName(name), err)
	}
	return u, nil
}
