package hub

import (
	"fmt"

	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/rbac"
)

// Identity is who makes a request and what they may do. It is immutable: requests share it through the cache of Access.
type Identity struct {
	User      *orm.User     // exactly one of User and Service is set
	Service   *orm.Service  // see User
	Token     *orm.APIToken // nil for a browser session (cookie)
	SessionID string        // browser login of the cookie or of the token; "" = none
	Groups    []string      // of the user, sorted
	Scopes    rbac.Scopes   // effective, parsed
	Expanded  []string      // effective, sorted, unparsed; without the identify scopes added for GET /user

	roles []string // names of the user's own roles, sorted

	// identify is Scopes with the identify scopes added, computed once because GET /user is the busiest route of a hub.
	identify     rbac.Scopes
	identifyList []string
	memo         *memo // nil while the identity is incomplete
}

// IdentifyScopes returns Scopes with the right to read one's own name and groups added: what GET /user filters by.
func (i *Identity) IdentifyScopes() rbac.Scopes { return i.identify }

// complete computes what follows from Scopes; the last step of making an Identity.
func (i *Identity) complete() (*Identity, error) {
	own, err := rbac.Parse(rbac.IdentifyScopes(i.Owner()))
	if err != nil {
		return nil, fmt.Errorf("parse identify scopes of %s %q: %w", i.Kind(), i.Name(), err)
	}
	i.identify = i.Scopes.Union(own)
	i.identifyList = i.identify.List()
	i.memo = &memo{}
	return i, nil
}

// Name returns the name of the user or service.
func (i *Identity) Name() string {
	if i.User != nil {
		return i.User.Name
	}
	return i.Service.Name
}

// Kind returns "user" or "service".
func (i *Identity) Kind() string {
	if i.User != nil {
		return "user"
	}
	return "service"
}

// IsAdmin reports the admin flag of the user or service. Scopes decide nearly everything; the flag decides only
// who may touch admins (GHSA-9x4q-3gxw-849f).
func (i *Identity) IsAdmin() bool {
	if i.User != nil {
		return i.User.Admin
	}
	return i.Service.Admin
}

// Owner returns the owner against which rbac expands scopes, without a client context.
func (i *Identity) Owner() rbac.Owner {
	if i.User != nil {
		return rbac.Owner{User: i.User.Name}
	}
	return rbac.Owner{Service: i.Service.Name}
}
