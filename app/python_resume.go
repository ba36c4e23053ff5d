package app

import (
	"context"
	"fmt"
	"time"

	"github.com/minihub/minihub/internal/urlpath"
	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/spawner"
)

// resumedTokenRounds is how often JupyterHub hashes tokens that it did not make itself: they may be weak.
const resumedTokenRounds = 16384

// adoptToken makes the token of a resumed server the one of this start: Spawner.will_resume keeps what runs a server, with the token in
// its environment, over a stop. The token of somebody else is refused.
func (d *directory) adoptToken(ctx context.Context, id spawner.Identity, token string) error {
	u, err := d.user(ctx, id.UserName)
	if err != nil {
		return err
	}
	row, err := d.a.store.SpawnerByName(ctx, u.ID, id.ServerName)
	if err != nil {
		return fmt.Errorf("look up server: %w", err)
	}
	known, err := d.a.store.TokensByPrefix(ctx, orm.TokenPrefix(token), time.Now().UTC())
	if err != nil {
		return fmt.Errorf("look up token: %w", err)
	}
	var same *orm.APIToken
	for i := range known {
		if !orm.VerifyToken(known[i].Hashed, token) {
			continue
		}
		if known[i].UserID == nil || *known[i].UserID != u.ID {
			return fmt.Errorf("the token belongs to somebody else")
		}
		same = &known[i]
	}
	return d.a.store.Tx(ctx, func(tx *orm.Store) error { return d.replaceToken(ctx, tx, row, id, token, same) })
}

func (d *directory) replaceToken(ctx context.Context, tx *orm.Store, row *orm.Spawner, id spawner.Identity, token string, same *orm.APIToken) error {
	extra, err := tx.ServerExtra(ctx, row.ID)
	if err != nil {
		return fmt.Errorf("look up the token of this start: %w", err)
	}
	if same == nil {
		fresh, err := tx.Token(ctx, extra.TokenID)
		if err != nil {
			return fmt.Errorf("look up the token of this start: %w", err)
		}
		same = &orm.APIToken{UserID: fresh.UserID, ClientID: fresh.ClientID, Note: fresh.Note, Scopes: fresh.Scopes, Created: fresh.Created,
			Hashed: orm.HashToken(token, resumedTokenRounds), Prefix: orm.TokenPrefix(token)}
		if err := tx.CreateToken(ctx, same); err != nil {
			return fmt.Errorf("save token: %w", err)
		}
	}
	if same.ID != extra.TokenID {
		if err := tx.DeleteTokens(ctx, []int64{extra.TokenID}); err != nil {
			return fmt.Errorf("delete the token of this start: %w", err)
		}
	}
	if err := tx.SaveServerExtra(ctx, &orm.ServerExtra{SpawnerID: row.ID, TokenID: same.ID, Marker: extra.Marker}); err != nil {
		return fmt.Errorf("save token: %w", err)
	}
	client, err := tx.OAuthClient(ctx, urlpath.ClientID(id.UserName, id.ServerName))
	if err != nil {
		return fmt.Errorf("look up oauth client: %w", err)
	}
	client.Secret = orm.HashToken(token, resumedTokenRounds) // the server shows its token when it exchanges codes
	return tx.SaveOAuthClient(ctx, client)
}
