package hub

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strconv"
	"strings"

	"github.com/minihub/minihub/auth"
	"github.com/minihub/minihub/internal/urlpath"
	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/rbac"
)

const (
	defaultServiceTimeout = 30 // seconds
	startupNote           = "generated at startup"
	clientPrefix          = "service-"
)

// errOtherOrigin means that a service of that name exists with the other origin: configuration or API.
var errOtherOrigin = errors.New("a service of this name exists that was made elsewhere")

// ServiceRowsOptions configure ServiceRows.
type ServiceRowsOptions struct {
	Store   *orm.Store
	Tokens  *Tokens
	Catalog *rbac.Catalog
	BaseURL string                      // JupyterHub.base_url; "" = "/"
	HostOf  func(service string) string // with subdomains: scheme://host of a service; nil or "" otherwise
	Logger  *slog.Logger
}

// ServiceRows writes services with their addresses and OAuth clients, for configuration and API alike. Safe for concurrent use.
type ServiceRows struct {
	o   ServiceRowsOptions
	log *slog.Logger
}

// NewServiceRows returns a ServiceRows.
func NewServiceRows(o ServiceRowsOptions) *ServiceRows {
	if o.BaseURL == "" {
		o.BaseURL = "/"
	}
	return &ServiceRows{o: o, log: logger(o.Logger)}
}

// Prefix returns the path of a service below which it is routed: "/services/name/".
func (r *ServiceRows) Prefix(name string) string {
	return urlpath.Join(r.o.BaseURL, "services", name+"/")
}

// Check returns what is wrong with a specification, all of it.
func (r *ServiceRows) Check(spec ServiceSpec) error {
	var problems []error
	problem := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if err := auth.ValidateServiceName(spec.Name); err != nil {
		problem("name: %w", err)
	}
	if spec.Managed != nil && *spec.Managed != (len(spec.Command) > 0) {
		problem("managed is %t, but command is %s: a service is managed when it has a command", *spec.Managed, given(len(spec.Command) > 0))
	}
	if _, err := serviceAddress(spec.URL); err != nil {
		problem("url: %w", err)
	}
	if spec.OAuthClientID != "" && !strings.HasPrefix(spec.OAuthClientID, clientPrefix) {
		problem("oauth_client_id %q must start with %q", spec.OAuthClientID, clientPrefix)
	}
	if spec.oauth() && spec.URL == "" && spec.OAuthRedirectURI == "" {
		problem("oauth_redirect_uri is missing: a service with OAuth and without url has to say where users come back to")
	}
	if err := checkRedirect(spec.OAuthRedirectURI); err != nil {
		problem("oauth_redirect_uri: %w", err)
	}
	if err := r.o.Catalog.Check(spec.OAuthClientAllowedScopes); err != nil {
		problem("oauth_client_allowed_scopes: %w", err)
	}
	if spec.Timeout < 0 {
		problem("timeout must not be negative")
	}
	return errors.Join(problems...)
}

// checkRedirect refuses redirect URIs that no browser could be sent to (RFC 6749 section 3.1.2); a path on the hub's host is fine.
func checkRedirect(text string) error {
	if text == "" {
		return nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme == "" && !strings.HasPrefix(text, "/") {
		return errors.New("write https://host/path, or /path on the hub's own host")
	}
	if strings.Contains(text, "#") {
		return errors.New("it must not have a fragment")
	}
	return nil
}

func given(is bool) string {
	if is {
		return "given"
	}
	return "not given"
}

// oauth reports whether the service is an OAuth client: it has a page of its own, or says something about OAuth.
func (s ServiceSpec) oauth() bool {
	return s.URL != "" || s.OAuthClientID != "" || s.OAuthRedirectURI != "" || s.OAuthNoConfirm
}

func (s ServiceSpec) clientID() string {
	if s.OAuthClientID != "" {
		return s.OAuthClientID
	}
	return clientPrefix + s.Name
}

// serviceAddress reads the URL of a service; nil, nil without one.
func serviceAddress(text string) (*orm.Server, error) {
	if text == "" {
		return nil, nil
	}
	u, err := url.Parse(text)
	if err != nil {
		return nil, errors.New("not a URL: write http://host:port")
	}
	ports := map[string]int{"http": 80, "https": 443}
	port, ok := ports[u.Scheme]
	if !ok {
		return nil, fmt.Errorf("unsupported scheme %q: write http:// or https://", cut(u.Scheme, 32))
	}
	if u.Hostname() == "" {
		return nil, errors.New("host is missing: write http://host:port")
	}
	if p := u.Port(); p != "" {
		if port, err = strconv.Atoi(p); err != nil || port < 1 || port > 65535 {
			return nil, fmt.Errorf("port %q is not a number from 1 to 65535", cut(p, 32))
		}
	}
	return &orm.Server{Proto: u.Scheme, IP: u.Hostname(), Port: port}, nil
}

// Save creates or updates a service with its address and OAuth client, all or nothing. Invalid (from the API) or a plain error (from the
// configuration) tells what is wrong with the specification; Conflict that the name belongs to the other origin. A managed service
// without api_token gets a new token each time; the one of the last time is deleted, because nobody has it any more.
func (r *ServiceRows) Save(ctx context.Context, spec ServiceSpec, fromConfig bool) (*ConfiguredService, error) {
	if err := r.Check(spec); err != nil {
		if fromConfig {
			return nil, err
		}
		return nil, errorf(Invalid, "%s", err).because(err)
	}
	out := &ConfiguredService{Token: spec.APIToken, Managed: len(spec.Command) > 0, Capabilities: spec.Capabilities}
	if spec.APIToken == "" && out.Managed {
		out.Token = orm.NewToken()
	}
	err := r.o.Store.Tx(ctx, func(tx *orm.Store) error { return r.save(ctx, tx, spec, fromConfig, out) })
	if errors.Is(err, errOtherOrigin) {
		return nil, errorf(Conflict, "A service named %s exists already", spec.Name).because(err)
	}
	if err != nil {
		return nil, domainErr(err, "save service %q", spec.Name)
	}
	return out, nil
}

func (r *ServiceRows) save(ctx context.Context, tx *orm.Store, spec ServiceSpec, fromConfig bool, out *ConfiguredService) error {
	row, err := tx.ServiceByName(ctx, spec.Name)
	if errors.Is(err, orm.ErrNotFound) {
		row, err = &orm.Service{Name: spec.Name, FromConfig: fromConfig}, nil
	}
	if err != nil {
		return err
	}
	if row.FromConfig != fromConfig {
		return errOtherOrigin
	}
	fillService(row, spec)
	if out.Addr, err = r.saveAddress(ctx, tx, row, spec); err != nil {
		return err
	}
	if out.RedirectURI, err = r.saveClient(ctx, tx, row, spec, out.Token); err != nil {
		return err
	}
	if err := tx.SaveService(ctx, row); err != nil {
		return err
	}
	// The role follows the flag in both directions: JupyterHub leaves a service that is no longer admin in the role, which then sets the
	// flag again. A load_roles entry that lists the service is applied later and wins.
	if err := syncDefaultRoles(ctx, tx, orm.HolderService, row.ID, row.Admin); err != nil {
		return err
	}
	out.Row = *row
	if spec.APIToken == "" && out.Managed {
		return r.renewToken(ctx, tx, row.ID, out.Token)
	}
	return nil
}

// renewToken replaces the token that the last start gave to a managed service.
func (r *ServiceRows) renewToken(ctx context.Context, tx *orm.Store, serviceID int64, token string) error {
	rows, err := tx.TokensOfService(ctx, serviceID)
	if err != nil {
		return err
	}
	var old []int64
	for _, row := range rows {
		if row.Note != nil && *row.Note == startupNote {
			old = append(old, row.ID)
		}
	}
	if err := tx.DeleteTokens(ctx, old); err != nil {
		return err
	}
	role, err := tx.RoleByName(ctx, rbac.RoleToken)
	scopes := orm.JSONList{"inherit"}
	switch {
	case err == nil:
		scopes = role.Scopes
	case !errors.Is(err, orm.ErrNotFound):
		return err
	}
	client, note := hubClient, startupNote
	return tx.CreateToken(ctx, &orm.APIToken{ServiceID: &serviceID, ClientID: &client, Note: &note, Scopes: scopes,
		Hashed: orm.HashToken(token, orm.GeneratedRounds), Prefix: orm.TokenPrefix(token)})
}

// fillService writes every column that a specification decides, so that a key that was removed from it is gone from the row as well.
func fillService(row *orm.Service, spec ServiceSpec) {
	row.Admin = spec.Admin
	row.URL, row.Cwd, row.SystemUser = textOrNil(spec.URL), textOrNil(spec.Cwd), textOrNil(spec.User)
	row.OAuthClientAllowedScopes = append(orm.JSONList{}, spec.OAuthClientAllowedScopes...)
	row.Info = spec.Info
	row.Display, row.OAuthNoConfirm = nil, &spec.OAuthNoConfirm
	if !spec.Display { // shown is the default, which JupyterHub leaves out and would otherwise answer to the service that asks for itself
		row.Display = &spec.Display
	}
	row.Command = append(orm.JSONList{}, spec.Command...)
	row.Environment = nil
	if len(spec.Environment) > 0 {
		row.Environment = orm.JSONDict{}
		for key, value := range spec.Environment {
			row.Environment[key] = value
		}
	}
	row.Timeout = int(spec.Timeout.Seconds())
	if row.Timeout == 0 {
		row.Timeout = defaultServiceTimeout
	}
}

func textOrNil(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func (r *ServiceRows) saveAddress(ctx context.Context, tx *orm.Store, row *orm.Service, spec ServiceSpec) (*orm.Server, error) {
	addr, err := serviceAddress(spec.URL)
	if err != nil {
		return nil, err
	}
	old := row.ServerID
	if addr == nil {
		row.ServerID = nil
		if old == nil {
			return nil, nil
		}
		return nil, ignoreMissing(tx.DeleteServer(ctx, *old))
	}
	addr.BaseURL, addr.CookieName = r.Prefix(spec.Name), spec.clientID()
	if old != nil {
		addr.ID = *old
		err := tx.UpdateServer(ctx, addr)
		if err == nil || !errors.Is(err, orm.ErrNotFound) {
			return addr, err
		}
		addr.ID = 0
	}
	if err := tx.CreateServer(ctx, addr); err != nil {
		return nil, err
	}
	row.ServerID = &addr.ID
	return addr, nil
}

func ignoreMissing(err error) error {
	if errors.Is(err, orm.ErrNotFound) {
		return nil
	}
	return err
}

// FromRow returns a service that was created through the API, as its row says.
func (r *ServiceRows) FromRow(ctx context.Context, row orm.Service) (*ConfiguredService, error) {
	out := &ConfiguredService{Row: row, Managed: len(row.Command) > 0}
	if row.ServerID != nil {
		servers, err := r.o.Store.ServersByID(ctx, []int64{*row.ServerID})
		if err != nil {
			return nil, storeErr(err, "load address of service %q", row.Name)
		}
		out.Addr = servers[*row.ServerID]
	}
	if row.OAuthClientID != nil {
		client, err := r.o.Store.OAuthClient(ctx, *row.OAuthClientID)
		if err != nil && !errors.Is(err, orm.ErrNotFound) {
			return nil, storeErr(err, "load oauth client of service %q", row.Name)
		}
		if client != nil {
			out.RedirectURI = client.RedirectURI
		}
	}
	return out, nil
}

// Delete deletes a service that was created through the API, with its tokens, address and OAuth client. NotFound; Invalid with status
// 405 for those of the configuration.
func (r *ServiceRows) Delete(ctx context.Context, name string) error {
	row, err := r.o.Store.ServiceByName(ctx, name)
	if err != nil {
		return notFound(err, "No such service: %s", name)
	}
	if row.FromConfig {
		return &Error{Kind: Invalid, Status: 405, Message: fmt.Sprintf("Service %s is not modifiable at runtime", name),
			Hint: "it comes from JupyterHub.services: remove it there and restart"}
	}
	return notFound(r.o.Store.DeleteService(ctx, row.ID), "No such service: %s", name)
}
