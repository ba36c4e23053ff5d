package hub

import (
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
