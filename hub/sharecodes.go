package hub

import (
	"context"
	"time"

	"github.com/minihub/minihub/orm"
)

// ShareCodeView is a share code with the server it is about.
type ShareCodeView struct {
	orm.ShareCodeRow
	Server ServerView
}

// CodesOfServer lists the share codes of one server.
func (s *Shares) CodesOfServer(ctx context.Context, owner, server string, offset, limit int) ([]ShareCodeView, int, error) {
	return nil, 0, nil
}

// CodesOfOwner lists the share codes of all servers of an owner.
func (s *Shares) CodesOfOwner(ctx context.Context, owner string, offset, limit int) ([]ShareCodeView, int, error) {
	return nil, 0, nil
}

// CreateCode makes a share code; expiresIn 0 is one day, else 60 s to 365 d.
func (s *Shares) CreateCode(ctx context.Context, by *Identity, owner, server string, scopes []string, expiresIn time.Duration) (view *ShareCodeView, code string, err error) {
	return nil, "", nil
}

// DeleteCodes deletes one code by value or id ("sc_7"), or all codes of a server when both are "".
func (s *Shares) DeleteCodes(ctx context.Context, owner, server, code, id string) error { return nil }

// LookupCode returns the valid code of that value; NotFound when unknown or expired.
func (s *Shares) LookupCode(ctx context.Context, code string) (*ShareCodeView, error) {
	return nil, nil
}

// Accept exchanges a code for a share with the user who calls.
func (s *Shares) Accept(ctx context.Context, by *Identity, code string) (*ShareView, error) {
	return nil, nil
}
