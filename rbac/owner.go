package rbac

// Owner tells whose scopes are expanded: bare filters and metascopes resolve against it. At most one of User and
// Service is set; a share to a group has neither.
type Owner struct {
	User    string // set when the owner is a user
	Service string // set when the owner is a service

	// Client context of a token issued by OAuth (empty for the hub's own tokens, whose client is "jupyterhub").

	ClientServer  string // "owner/server" when the client belongs to a user server: resolves !server
	ClientService string // service name when the client belongs to a service: resolves !service
}

// resolve gives the kind=value form of a bare filter (!user, !server, !service), or false when the owner has no such
// target. The service behind an OAuth client wins over a service that is itself the owner, as in JupyterHub.
func (o Owner) resolve(bare Kind) (filter string, ok bool) {
	var value string
	switch bare {
	case KindUser:
		value = o.User
	case KindServer:
		value = o.ClientServer
	case KindService:
		value = o.ClientService
		if value == "" {
			value = o.Service
		}
	}
	if value == "" {
		return "", false
	}
	return bare + "=" + value, true
}

// IdentifyRaw returns the raw scopes by which an OAuth client learns who its user is. They are added to every OAuth
// request, and are what the legacy request value "identify" means.
func IdentifyRaw() []string {
	return []string{"read:users:groups!user", "read:users:name!user"}
}

// IdentifyScopes returns the expanded scopes by which the owner reads its own model: name and groups of a user, the
// name of a service, nothing for others.
func IdentifyScopes(o Owner) []string {
	switch {
	case o.User != "":
		return []string{"read:users:groups!user=" + o.User, "read:users:name!user=" + o.User}
	case o.Service != "":
		return []string{"read:services:name!service=" + o.Service}
	}
	return nil
}

// AccessScopes returns the expanded scope needed to open what the owner's OAuth client belongs to: a server or a
// service. Tokens of the hub itself have no such target, so the answer is nil.
func AccessScopes(o Owner) []string {
	switch {
	case o.ClientServer != "":
		return []string{"access:servers!server=" + o.ClientServer}
	case o.ClientService != "":
		return []string{"access:services!service=" + o.ClientService}
	}
	return nil
}
