package supervise

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"strings"
)

// Account is a system user, as the password and group databases tell.
type Account struct {
	Name     string
	UID, GID uint32
	Groups   []uint32 // supplementary groups, GID included
	Home     string   // "" when the database has none
	Shell    string   // "" when the database has none
}

// ErrNoAccount is returned, wrapped, when a name is no system user.
var ErrNoAccount = errors.New("no such system user")

const passwdFile = "/etc/passwd"

// LookupAccount finds the system user with exactly this name: in /etc/passwd, then through getent and id, because a
// static binary cannot ask the name service (LDAP, SSSD) itself. It returns ErrNoAccount when there is none.
func LookupAccount(ctx context.Context, name string) (*Account, error) {
	if name == "" || strings.ContainsAny(name, ":\n\x00") || strings.HasPrefix(name, "-") {
		return nil, fmt.Errorf("look up system user %q: %w", name, ErrNoAccount)
	}
	file, err := os.Open(passwdFile)
	if err == nil {
		defer file.Close()
		if acc, err := findPasswd(file, name); err != nil || acc != nil {
			return acc.withFileGroups(err)
		}
	}
	return lookupNameService(ctx, name)
}

// findPasswd returns nil without an error when no line has the name.
func findPasswd(r io.Reader, name string) (*Account, error) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		fields := strings.Split(lines.Text(), ":")
		if len(fields) < 7 || fields[0] != name {
			continue
		}
		uid, uidErr := parseID(fields[2])
		gid, gidErr := parseID(fields[3])
		if err := errors.Join(uidErr, gidErr); err != nil {
			return nil, fmt.Errorf("read password entry of %q: %w", name, err)
		}
		return &Account{Name: name, UID: uid, GID: gid, Home: fields[5], Shell: fields[6]}, nil
	}
	return nil, lines.Err()
}

// parseID refuses 2^32-1, which setuid takes for "leave as it is".
func parseID(text string) (uint32, error) {
	id, err := strconv.ParseUint(text, 10, 32)
	if err != nil || id == 1<<32-1 {
		return 0, fmt.Errorf("%q is no user or group number", text)
	}
	return uint32(id), nil
}

// withFileGroups fills in Groups; it takes the error of the lookup so that a caller can return both at once.
func (a *Account) withFileGroups(err error) (*Account, error) {
	if err != nil {
		return nil, err
	}
	u := &user.User{Username: a.Name, Uid: strconv.Itoa(int(a.UID)), Gid: strconv.Itoa(int(a.GID))}
	ids, err := u.GroupIds()
	if err != nil {
		return nil, fmt.Errorf("read groups of system user %q: %w", a.Name, err)
	}
	return a.withGroups(ids)
}

func (a *Account) withGroups(ids []string) (*Account, error) {
	a.Groups = []uint32{a.GID}
	for _, text := range ids {
		id, err := parseID(text)
		if err != nil {
			return nil, fmt.Errorf("read groups of system user %q: %w", a.Name, err)
		}
		if id != a.GID {
			a.Groups = append(a.Groups, id)
		}
	}
	return a, nil
}

func lookupNameService(ctx context.Context, name string) (*Account, error) {
	entry, err := exec.CommandContext(ctx, "getent", "passwd", name).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) || errors.Is(err, exec.ErrNotFound) {
		return nil, fmt.Errorf("look up system user %q: %w", name, ErrNoAccount)
	}
	if err != nil {
		return nil, fmt.Errorf("look up system user %q with getent: %w", name, err)
	}
	// getent takes a number for a user id; only the line with this very name counts.
	acc, err := findPasswd(strings.NewReader(string(entry)), name)
	if err != nil {
		return nil, err
	}
	if acc == nil {
		return nil, fmt.Errorf("look up system user %q: %w", name, ErrNoAccount)
	}
	ids, err := exec.CommandContext(ctx, "id", "-G", "--", name).Output()
	if err != nil {
		return nil, fmt.Errorf("read groups of system user %q with id: %w", name, err)
	}
	return acc.withGroups(strings.Fields(string(ids)))
}
