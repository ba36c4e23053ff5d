package hubauth

import (
	"fmt"
	"net"
	"net/url"
)

// Listen opens the address at which the hub expects the service (JUPYTERHUB_SERVICE_URL).
func (a *Auth) Listen() (net.Listener, error) {
	u, err := url.Parse(a.o.ServiceURL)
	if err != nil || u.Port() == "" {
		return nil, fmt.Errorf("hubauth: ServiceURL (JUPYTERHUB_SERVICE_URL) must be a URL with a port, not %q", a.o.ServiceURL)
	}
	l, err := net.Listen("tcp", u.Host)
	if err != nil {
		return nil, fmt.Errorf("hubauth: listen at ServiceURL (JUPYTERHUB_SERVICE_URL): %w", err)
	}
	return l, nil
}
