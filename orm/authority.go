package orm

import (
	"context"

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
		user, err := first[User](db, "find user", "id = ?", userID)
		if err != nil {
			return err
		}
		a.User = *user
		err = db.Raw(`SELECT g.name FROM user_group_map m JOIN "groups" g ON g.id = m.group_id WHERE m.user_id = ? ORDER BY g.name`, userID).
			Scan(&a.Groups).Error
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

// heldRole is a role with how it is held.
type heldRole struct {
	Role
	ViaGroup bool
}

func (a *Authority) readRoles(db *gorm.DB, userID int64) error {
	var rows []heldRole
	err := db.Raw(`SELECT r.*, false AS via_group FROM roles r JOIN user_role_map m ON m.role_id = r.id WHERE m.user_id = ?
		UNION ALL SELECT r.*, true FROM roles r WHERE r.id IN (SELECT gr.role_id FROM group_role_map gr
			JOIN user_group_map m ON m.group_id = gr.group_id WHERE m.user_id = ?)
		ORDER BY 1`, userID, userID).Scan(&rows).Error
	for _, row := range rows {
		if row.ViaGroup {
			a.GroupRoles = append(a.GroupRoles, row.Role)
		} else {
			a.Roles = append(a.Roles, row.Role)
		}
	}
	return err
}

// heldShare is a share with the current names that its filter needs.
type heldShare struct {
	UserID     *int64
	Scopes     JSONList
	OwnerName  string
	ServerName string
}

func (a *Authority) readShares(db *gorm.DB, userID int64) error {
	var rows []heldShare
	err := db.Raw(`SELECT x.user_id, x.scopes, o.name AS owner_name, sp.name AS server_name FROM shares x
		JOIN spawners sp ON sp.id = x.spawner_id JOIN users o ON o.id = sp.user_id
		WHERE (x.user_id = ? OR x.group_id IN (SELECT group_id FROM user_group_map WHERE user_id = ?))
			AND (x.expires_at IS NULL OR x.expires_at >= ?) ORDER BY x.id`, userID, userID, now()).Scan(&rows).Error
	for _, row := range rows {
		scope := ShareScope{Scopes: currentScopes(row.Scopes, row.OwnerName, row.ServerName)}
		if row.UserID != nil && *row.UserID == userID {
			a.Shares = append(a.Shares, scope)
		} else {
			a.GroupShares = append(a.GroupShares, scope)
		}
	}
	return err
}
