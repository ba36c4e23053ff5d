package hub

import (
	"context"
	"fmt"
	"slices"

	"github.com/minihub/minihub/internal/urlpath"
	"github.com/minihub/minihub/orm"
)

// CheckNames looks for named servers whose names JupyterHub 6 no longer allows (behaviours.md section 2 step 17). With
// allow_existing_invalid_named_servers = "autorename" those that do not run get a valid name, and keep the old one as their display name;
// else there is one warning. An error, which must end the start-up, says that such a server has a display name: it was changed by
// something that should have renamed it. Call it before Restore.
func (s *Servers) CheckNames(ctx context.Context) error {
	found, err := s.invalidNames(ctx)
	if err != nil || len(found) == 0 {
		return err
	}
	for _, f := range found {
		if text(f.row.DisplayName) != "" {
			return fmt.Errorf("inconsistent named server %s: its name is not valid since JupyterHub 6, but it has the display_name %q; rename it in table spawners, or set display_name to NULL",
				logName(f.user.Name, f.row.Name), *f.row.DisplayName)
		}
	}
	if s.o.Traits.AllowInvalidNames != "autorename" {
		s.o.Logger.WarnContext(ctx, "named servers have names that are not valid since JupyterHub 6; see JupyterHub.allow_existing_invalid_named_servers",
			"servers", len(found), "first", logName(found[0].user.Name, found[0].row.Name))
		return nil
	}
	err = s.o.Store.Tx(ctx, func(tx *orm.Store) error {
		for _, f := range found {
			if err := s.autorename(ctx, tx, f); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("rename servers with invalid names: %w", err)
	}
	return nil
}

// namedServer is a named server and the names of all servers of its user.
type namedServer struct {
	user  orm.User
	row   orm.Spawner
	taken map[string]bool
}

func (s *Servers) invalidNames(ctx context.Context) ([]namedServer, error) {
	var ids []int64
	err := s.o.Store.NamedSpawners(ctx, func(userID int64, name string) error {
		if urlpath.ValidServerName(name) != nil {
			ids = append(ids, userID)
		}
		return nil
	})
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	users, err := s.o.Store.UsersByID(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("look up users: %w", err)
	}
	rows, err := s.o.Store.SpawnersOfUsers(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("look up named servers: %w", err)
	}
	var found []namedServer
	for _, id := range ids {
		if u := users[id]; u != nil {
			found = append(found, invalidOf(*u, rows[id])...)
		}
	}
	return found, nil
}

func invalidOf(user orm.User, rows []orm.Spawner) (found []namedServer) {
	taken := map[string]bool{}
	for _, row := range rows {
		taken[row.Name] = true
		if row.Name != "" && urlpath.ValidServerName(row.Name) != nil {
			found = append(found, namedServer{user, row, taken})
		}
	}
	return found
}

func (s *Servers) autorename(ctx context.Context, tx *orm.Store, f namedServer) error {
	if f.row.Started != nil || f.row.ServerID != nil {
		s.o.Logger.ErrorContext(ctx, "named server has an invalid name but runs, it is not renamed", "user", f.user.Name, "server", f.row.Name)
		return nil
	}
	old, name := f.row.Name, urlpath.ServerSlug(f.row.Name)
	if f.taken[name] {
		name = urlpath.HashedServerSlug(old)
	}
	f.taken[name] = true
	f.row.Name, f.row.DisplayName = name, &old
	s.o.Logger.InfoContext(ctx, "renaming server with an invalid name", "user", f.user.Name, "server", old, "name", name)
	return tx.UpdateSpawner(ctx, &f.row, "name", "display_name")
}
