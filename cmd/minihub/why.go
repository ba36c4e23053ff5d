package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/minihub/minihub/app"
	"github.com/minihub/minihub/config"
)

// names takes the words before the first flag off a command line.
func names(argv []string) (words, rest []string) {
	for len(argv) > 0 && !strings.HasPrefix(argv[0], "-") {
		words, argv = append(words, argv[0]), argv[1:]
	}
	return words, argv
}

// asked opens the hub that a command line describes, for a question that changes nothing.
func asked(ctx context.Context, c *cli, argv []string, usage string, words int, answer func(a *app.App, words []string) error) error {
	given, argv := names(argv)
	args, err := config.ParseArgs(argv)
	if err != nil {
		return &usageError{err}
	}
	if done, err := help(c, args); done {
		return err
	}
	if len(given) != words {
		return &usageError{errors.New(usage)}
	}
	a, _, err := open(ctx, c, args)
	if err != nil {
		return err
	}
	return errors.Join(answer(a, given), a.Close())
}

// errNo makes the exit code of a "no" 1, for scripts.
var errNo = errors.New("no")

// can tells whether a user holds a scope, and by which roles, groups and shares.
func can(ctx context.Context, c *cli, argv []string) error {
	return asked(ctx, c, argv, "say who and what: minihub can USER SCOPE, for example minihub can ann 'start:servers!user=bob'", 2, func(a *app.App, w []string) error {
		p, err := a.Can(ctx, w[0], w[1])
		if err != nil {
			return err
		}
		if p.Granted {
			fmt.Fprintf(c.out, "Yes: %s holds %s.\n", p.User, p.Scope)
		} else {
			fmt.Fprintf(c.out, "No: %s does not hold %s.\n", p.User, p.Scope)
		}
		for _, s := range p.By {
			fmt.Fprintf(c.out, "  by %s: %s\n", s.What, strings.Join(s.Scopes, ", "))
		}
		for _, s := range p.Others {
			fmt.Fprintf(c.out, "  not by %s: %s\n", s.What, orNothing(strings.Join(s.Scopes, ", ")))
		}
		if p.Hint != "" {
			fmt.Fprintf(c.out, "  %s\n", p.Hint)
		}
		if !p.Granted {
			return errNo
		}
		return nil
	})
}

func orNothing(s string) string {
	if s == "" {
		return "it has no scopes"
	}
	return s
}

// whyLogin tells which rule of the configuration lets a user in or keeps one out.
func whyLogin(ctx context.Context, c *cli, argv []string) error {
	return asked(ctx, c, argv, "say who: minihub why-login USER", 1, func(a *app.App, w []string) error {
		rules, authenticator := a.LoginRules()
		name, refusal := rules.Check(w[0])
		if refusal != nil {
			fmt.Fprintf(c.out, "No: %s would not get in.\n  rule %s", w[0], refusal.Rule)
			if refusal.Trait != "" {
				fmt.Fprintf(c.out, ", decided by %s", refusal.Trait)
			}
			fmt.Fprintf(c.out, ": %s\n", refusal.Reason)
			if refusal.Hint != "" {
				fmt.Fprintf(c.out, "  way out: %s\n", refusal.Hint)
			}
			return errNo
		}
		_, by := rules.Allowed(name, nil)
		fmt.Fprintf(c.out, "Yes: %s gets in as %q with credentials that %s accepts.\n  decided by %s\n", w[0], name, authenticator.Name(), by)
		if rules.IsAdmin(name) {
			fmt.Fprintln(c.out, "  as an administrator: Authenticator.admin_users")
		}
		return nil
	})
}
