package main

import (
	"fmt"
)

// database says what is there and what becomes of it.
func (p *adoption) database() {
	d := p.stock.Database
	name := d.File
	if name == "" {
		name = "the one that JupyterHub.db_url names" // which may hold a password
	}
	p.title("Database: " + name)
	if p.dbErr != nil {
		p.line("  cannot be read: %v", p.dbErr)
		return
	}
	switch d.State {
	case "none":
		p.line("  there is none yet, or it is empty: minihub makes it")
		return
	case "current":
		p.line("  schema %s, that of JupyterHub 6: opens in place", d.Revision)
	case "upgradable":
		p.line("  schema %s, of an older JupyterHub: must be upgraded to %s once (minihub upgrade-db, which copies a SQLite file first)", d.Revision, d.Want)
	default:
		p.line("  schema %s cannot be opened: %s", d.Revision, d.Hint)
		return
	}
	p.line("  %s (%s), %s, %s, %s, %s", number(d.Users, "user"), number(d.Admins, "administrator"), number(d.Groups, "group"),
		number(d.Tokens, "token"), number(d.Services, "service"), number(d.Running, "running server"))
}

// number writes a count with its word in the right form.
func number(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

// people says who can log in, and whether those who are logged in stay so.
func (p *adoption) people() {
	p.title("People")
	p.line("  who can log in: %s", p.stock.LogIn)
	switch {
	case !p.stock.HasSecret:
		p.line("  %s does not exist: everybody has to log in again (name the file in JupyterHub.cookie_secret_file)", p.stock.Secret)
	case p.stock.Secret != "":
		p.line("  browsers stay logged in: the cookie secret is in %s", p.stock.Secret)
	default:
		p.line("  browsers stay logged in: the cookie secret is configured")
	}
	if enabled := p.cfg.AuthenticatorTraits().EnableAuthState; enabled {
		p.line("  auth_state is enabled, with %s", number(p.stock.CryptKeys, "key"))
	}
}

// steps says what to do next; the error says why minihub would not start.
func (p *adoption) steps() error {
	p.title("Next")
	refused, d := len(p.found.Refused), p.stock.Database
	switch {
	case refused > 0:
		p.line("  Change what is listed as not supported, then run minihub adopt again.")
		return fmt.Errorf("the configuration cannot be adopted as it is: %s", number(refused, "setting"))
	case p.dbErr != nil:
		p.line("  See to the database, as told above, then run minihub adopt again.")
		return fmt.Errorf("the database cannot be read: %w", p.dbErr)
	case d.Hint != "" && d.State != "upgradable":
		p.line("  %s", d.Hint)
		return fmt.Errorf("the database cannot be adopted: schema %s is not known", d.Revision)
	}
	with := ""
	if p.cfg.File != "" {
		with = " -f " + p.cfg.File
	}
	steps := []string{}
	if h := &p.cfg.JupyterHub; d.Running > 0 && h.CleanupServers {
		steps = append(steps, fmt.Sprintf("Set JupyterHub.cleanup_servers = False and restart JupyterHub, or the %s end when it stops.", number(d.Running, "running server")))
	}
	stop := "Stop JupyterHub, and see that its configurable-http-proxy has ended, too."
	if !p.cfg.ProxyTraits().ShouldStart {
		stop = "Stop JupyterHub; the proxy, which it does not start itself, stays."
	}
	steps = append(steps, stop)
	if d.State != "none" {
		steps = append(steps, "Copy the database (of PostgreSQL make a dump): the way back to this very moment.")
	}
	if d.State == "upgradable" {
		steps = append(steps, "minihub upgrade-db"+with)
	}
	steps = append(steps, "minihub"+with, "The way back: stop minihub and start JupyterHub 6.1.1 with the same files.")
	p.line("  Nothing was changed; it can be adopted.")
	for i, step := range steps {
		p.line("  %d. %s", i+1, step)
	}
	return nil
}
