package orm

import (
	"context"
	"database/sql"

	"gorm.io/gorm"
)

// Authority is everything in the database that decides what a user may do.
type Authority struct {
	User        User
	Groups      []string // sorted names
	Roles       []Role   // own, by id
	GroupRoles  []Role   // of all groups, each once, by id
	Shares      []ShareScope
	GroupShares []ShareScope
}

// AuthorityOfUser reads the authority of a user in five statements that see one state of the database. Expired shares do not count.
func (s *Store) AuthorityOfUser(ctx context.Context, userID int64) (*Authority, error) {
	a := &Authority{Groups: []string{}}
	err := s.view(ctx, "find authority of user", func(db *gorm.DB) error {
		if err := a.readUser(db, s.c.dialect, userID); err != nil {
			return err
		}
		err := each(db, func(rows *sql.Rows) error {
			var name sql.NullString
			err := rows.Scan(&name)
			a.Groups = append(a.Groups, name.String)
			return err
		}, `SELECT g.name FROM user_group_map m JOIN "groups" g ON g.id = m.group_id WHERE m.user_id = ? ORDER BY g.name`, userID)
		if err != nil {
			return err
		}
		if err := a.readRoles(db, userID); err != nil {
			return err
		}
		return a.readShares(db, userID)
	})
	if err != nil {
		return nil, err
	}
	return a, nil
}

func (a *Authority) readUser(db *gorm.DB, d dialect, userID int64) error {
	found := false
	err := each(db, func(rows *sql.Rows) error {
		found = true
		u := &a.User
		var name, cookie sql.NullString
		var admin sql.NullBool
		var created, active nullTime
		err := rows.Scan(&u.ID, &name, &u.UserInfo, &admin, &created, &active, &cookie, &u.State, &u.EncryptedAuthState)
		u.Name, u.Admin, u.Created, u.LastActivity, u.CookieID = name.String, admin.Bool, created.at, active.at, cookie.String
		return err
	}, `SELECT id, name, user_info, admin, `+d.rawTime("created")+`, `+d.rawTime("last_activity")+`, cookie_id, state, encrypted_auth_state
		FROM users WHERE id = ?`, userID)
	if err == nil && !found {
		err = fail("find user", ErrNotFound)
	}
	return err
}

func (a *Authority) readRoles(db *gorm.DB, userID int64) error {
	const columns = `r.id, r.name, r.description, r.scopes, r.managed_by_auth`
	return each(db, func(rows *sql.Rows) error {
		var role Role
		var name, description sql.NullString
		var viaGroup bool
		if err := rows.Scan(&role.ID, &name, &description, &role.Scopes, &role.ManagedByAuth, &viaGroup); err != nil {
			return err
		}
		role.Name, role.Description = name.String, description.String
		if viaGroup {
			a.GroupRoles = append(a.GroupRoles, role)
		} else {
			a.Roles = append(a.Roles, role)
		}
		return nil
	}, `SELECT `+columns+`, false AS via_group FROM roles r JOIN user_role_map m ON m.role_id = r.id WHERE m.user_id = ?
		UNION ALL SELECT `+columns+`, true FROM roles r WHERE r.id IN (SELECT gr.role_id FROM group_role_map gr
			JOIN user_group_map m ON m.group_id = gr.group_id WHERE m.user_id = ?)
		ORDER BY 1`, userID, userID)
}

func (a *Authority) readShares(db *gorm.DB, userID int64) error {
	return each(db, func(rows *sql.Rows) error {
		var holder sql.NullInt64
		var scopes JSONList
		var owner, server sql.NullString
		if err := rows.Scan(&holder, &scopes, &owner, &server); err != nil {
			return err
		}
		share := ShareScope{Scopes: currentScopes(scopes, owner.String, server.String)}
		if holder.Valid && holder.Int64 == userID {
			a.Shares = append(a.Shares, share)
		} else {
			a.GroupShares = append(a.GroupShares, share)
		}
		return nil
	}, `SELECT x.user_id, x.scopes, o.name AS owner_name, sp.name AS server_name FROM shares x
		JOIN spawners sp ON sp.id = x.spawner_id JOIN users o ON o.id = sp.user_id
		WHERE (x.user_id = ? OR x.group_id IN (SELECT group_id FROM user_group_map WHERE user_id = ?))
			AND (x.expires_at IS NULL OR x.expires_at >= ?) ORDER BY x.id`, userID, userID, now())
}
