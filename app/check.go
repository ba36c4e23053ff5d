package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/minihub/minihub/auth"
	"github.com/minihub/minihub/config"
	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/rbac"
)

// Check adds to report what only the parts themselves can find wrong with a configuration: scopes and roles that do not exist, names and
// patterns that are not valid, addresses, cookie settings, a missing PAM. It opens and starts nothing.
//
// A configuration that names no authenticator gets PAM, as in JupyterHub; a build without PAM then lets nobody in, with a warning, instead of
// refusing to start.
func Check(c *config.Config, report *config.Report) {
	h := &c.JupyterHub
	catalog, err := catalogOf(c)
	if err != nil {
		if !wrong(report, "JupyterHub.custom_scopes") {
			report.Errorf("JupyterHub.custom_scopes", "", "%s", err)
		}
		catalog, _ = rbac.NewCatalog(nil)
	}
	if _, warnings, err := catalog.MergeRoles(rolesOf(h.LoadRoles), h.ExtraUserScopes); err != nil {
		if !wrong(report, "JupyterHub.load_roles") {
			report.Errorf("JupyterHub.load_roles", "", "%s", err)
		}
	} else {
		for _, w := range warnings {
			report.Warnf("JupyterHub.load_roles", "", "%s", w)
		}
	}
	if _, err := config.ComputeURLs(c, "localhost"); err != nil {
		report.Errorf("JupyterHub.bind_url", "", "%s", err)
	}
	if _, err := trusted(h.TrustedDownstreamIPs); err != nil {
		report.Errorf("JupyterHub.trusted_downstream_ips", "write addresses like 10.0.0.1 or networks like 10.0.0.0/8", "%s",
			strings.TrimPrefix(err.Error(), "JupyterHub.trusted_downstream_ips: "))
	}
	checkAuthenticator(c, report)
	checkFiles(c, report)
	checkUnused(c, report)
	checkProfiles(c, report)
}

// checkFiles looks at what the configuration points to: the certificate, the folders of templates and the database's URL.
func checkFiles(c *config.Config, report *config.Report) {
	h := &c.JupyterHub
	if h.SSLCert != "" && h.SSLKey != "" {
		if _, err := tls.LoadX509KeyPair(h.SSLCert, h.SSLKey); err != nil {
			report.Errorf("JupyterHub.ssl_cert", "both files must be PEM, belong together and be readable for the hub", "cannot be used with ssl_key: %s", err)
		}
	}
	for _, dir := range h.TemplatePaths {
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			report.Warnf("JupyterHub.template_paths", "", "%q is not a folder that the hub can read, so its templates are not used", dir)
		}
	}
	if address := c.Minihub.Pprof; address != "" {
		if err := loopbackOnly(address); err != nil {
			report.Errorf("Minihub.pprof", "", "%s", err)
		}
	}
	if err := orm.CheckURL(h.DBURL, h.DBKwargs); err != nil {
		report.Errorf("JupyterHub.db_url", "", "%s", err)
	}
}

// wrong reports whether an error of a trait is known already.
func wrong(report *config.Report, trait string) bool {
	return slices.ContainsFunc(report.Errors(), func(p config.Problem) bool { return strings.HasPrefix(p.Trait, trait) })
}

func checkAuthenticator(c *config.Config, report *config.Report) {
	class := &c.JupyterHub.AuthenticatorClass
	rules, err := auth.NewRules(ruleOptions(c))
	if err != nil {
		report.Errorf(class.Class, "", "%s", err)
		return
	}
	if class.Native == "" {
		return // keepChild has looked at it
	}
	_, err = authenticatorOf(c, rules, Options{})
	switch {
	case err == nil:
	case errors.Is(err, auth.ErrPAMUnavailable) && !c.Given("JupyterHub", "authenticator_class"):
		report.Warnf("JupyterHub.authenticator_class", "set it to dummy, shared-password or null, or use a build with PAM",
			"nobody can log in: the default authenticator is PAM, and %s", err)
		class.Native, class.Class = "null", "NullAuthenticator"
	default:
		report.Errorf("JupyterHub.authenticator_class", "", "%s", err)
	}
}

// NewToken makes an API token for a user of the database, as the token sub-command does: roles and users of the configuration are applied first.
func (a *App) NewToken(ctx context.Context, user string) (string, error) {
	if _, err := a.core.setup.Run(ctx); err != nil {
		return "", err
	}
	if _, err := a.store.UserByName(ctx, user); errors.Is(err, orm.ErrNotFound) {
		return "", fmt.Errorf("make a token: the database has no user %q; users get there by logging in, by Authenticator.allowed_users and admin_users, "+
			"by load_roles and load_groups, or by POST /hub/api/users/NAME", user)
	}
	_, text, err := a.core.tokens.Create(ctx, nil, user, hub.NewToken{Note: "command-line generated"})
	return text, err
}

// Close ends a hub that was never started.
func (a *App) Close() error {
	a.core.activity.Close()
	return errors.Join(a.store.Close(), a.py.close())
}
