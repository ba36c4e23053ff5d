package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/minihub/minihub/app"
	"github.com/minihub/minihub/hubtest"
	"github.com/minihub/minihub/hubtest/idp"
)

// parentCheck is how often test-server looks whether whoever started it is still there.
const parentCheck = 200 * time.Millisecond

// testServerUsage is the help of minihub test-server.
const testServerUsage = `minihub test-server starts a hub for tests: free ports, a database in memory, toy servers, any password.
It prints one line of JSON when it answers, and ends with the process that started it.

Usage: minihub test-server [FLAGS]

`

// testFlags are the flags of test-server.
type testFlags struct {
	users, admins, groups, spawner, spec, log string
	orphan, idp                               bool
}

func parseTestFlags(c *cli, args []string) (*testFlags, error) {
	f := &testFlags{}
	set := flag.NewFlagSet("minihub test-server", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.StringVar(&f.users, "users", "", "`names` of users, separated by commas")
	set.StringVar(&f.admins, "admins", "", "`names` of administrators")
	set.StringVar(&f.groups, "groups", "", "`groups` with members: lab=ann,bob;staff=eve")
	set.StringVar(&f.spawner, "spawner", "", "spawner `class`, for example simple; default: toy servers inside the hub")
	set.StringVar(&f.spec, "spec", "", "`file` with users, groups, services, roles and configuration in YAML or JSON; - is standard input")
	set.StringVar(&f.log, "log", "", "`file` for the hub's log; - is standard error; default: none")
	set.BoolVar(&f.orphan, "keep", false, "go on when the process that started it ends")
	set.BoolVar(&f.idp, "idp", false, "start a mock OpenID Connect provider as well, which knows the users and their groups")
	err := set.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(c.out, testServerUsage)
		set.SetOutput(c.out)
		set.PrintDefaults()
		return nil, nil
	}
	if err == nil && set.NArg() > 0 {
		err = fmt.Errorf("%q is no flag", set.Arg(0))
	}
	if err != nil {
		return nil, &usageError{err}
	}
	return f, nil
}

// testServer runs a hub for tests until a signal, POST /hub/api/shutdown, or the end of the process that started it.
func testServer(ctx context.Context, c *cli, args []string) error {
	parentEnded := parentWatch()
	f, err := parseTestFlags(c, args)
	if f == nil || err != nil {
		return err
	}
	spec, provider, err := f.read(os.Stdin)
	if err != nil {
		return err
	}
	if provider != nil {
		defer provider.Close()
	}
	o := spec.Options()
	logTo, err := f.logger(c)
	if err != nil {
		return err
	}
	settle := hurry()
	o.Log, o.Output = slog.New(slog.DiscardHandler), io.Discard
	if logTo != nil {
		o.Log, o.Output = app.NewLogger(logTo, app.LogOptions{Level: slog.LevelInfo}), logTo
	}
	h, err := hubtest.Start(ctx, o)
	if err != nil {
		return err
	}
	return errors.Join(f.serve(ctx, c, h, spec, provider, parentEnded, settle), h.Close())
}

// serve tells where the hub is and waits until it has to end.
func (f *testFlags) serve(ctx context.Context, c *cli, h *hubtest.Hub, spec hubtest.Spec, provider *idp.Provider, parentEnded func() bool, settle func()) error {
	ready, err := h.Ready(ctx, spec)
	if err != nil {
		return err
	}
	if provider != nil {
		ready.IDP = &hubtest.IDPReady{URL: provider.URL, ClientID: provider.ClientID, ClientSecret: provider.Secret,
			AuthorizeURL: provider.URL + "/authorize", TokenURL: provider.URL + "/token", UserinfoURL: provider.URL + "/userinfo"}
	}
	return announce(ctx, c, h, ready, func(ctx context.Context) {
		settle()
		if !f.orphan {
			waitForEnd(ctx, parentEnded)
			return
		}
		<-ctx.Done()
	})
}

// startIDP starts an identity provider at which the users of a hub can log in. Their groups are in the claim "groups".
func startIDP(spec hubtest.Spec) (*idp.Provider, error) {
	var people []idp.Person
	for _, u := range spec.Users {
		p := idp.Person{Name: u.Name, Email: u.Name + "@example.org", Groups: []string{}, Claims: map[string]any{"admin": u.Admin}}
		for group, members := range spec.Groups {
			if slices.Contains(members, u.Name) {
				p.Groups = append(p.Groups, group)
			}
		}
		slices.Sort(p.Groups)
		people = append(people, p)
	}
	return idp.New(people...)
}

// announce opens the control port, prints the line, and waits until the hub has to end.
func announce(ctx context.Context, c *cli, h *hubtest.Hub, ready hubtest.Ready, wait func(context.Context)) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("open the control port: %w", err)
	}
	srv := &http.Server{Handler: h.Control(), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = srv.Serve(l) }() // ends with Close
	defer srv.Close()
	ready.ControlURL, ready.PID = "http://"+l.Addr().String(), os.Getpid()
	if err := json.NewEncoder(c.out).Encode(ready); err != nil {
		return fmt.Errorf("print where the hub is: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		defer cancel()
		select {
		case <-h.Done():
		case <-ctx.Done():
		}
	}()
	wait(ctx)
	return nil
}

// waitForEnd returns when ctx ends or the process that started this one does.
func waitForEnd(ctx context.Context, parentEnded func() bool) {
	tick := time.NewTicker(parentCheck)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if parentEnded() {
				return
			}
		}
	}
}

// read makes the description of the hub from the file and the flags. With --idp the provider is started for the users of the
// description, in which ${IDP_URL}, ${IDP_CLIENT_ID} and ${IDP_CLIENT_SECRET} then stand for what an authenticator has to know.
func (f *testFlags) read(stdin io.Reader) (spec hubtest.Spec, provider *idp.Provider, err error) {
	var text []byte
	switch f.spec {
	case "":
	case "-":
		text, err = io.ReadAll(stdin)
	default:
		text, err = os.ReadFile(f.spec)
	}
	if err != nil {
		return spec, nil, fmt.Errorf("--spec: %w", err)
	}
	if spec, err = f.parse(string(text)); err != nil || !f.idp {
		return spec, nil, err
	}
	if provider, err = startIDP(spec); err != nil {
		return spec, nil, err
	}
	known := strings.NewReplacer("${IDP_URL}", provider.URL, "${IDP_CLIENT_ID}", provider.ClientID, "${IDP_CLIENT_SECRET}", provider.Secret)
	spec, err = f.parse(known.Replace(string(text)))
	return spec, provider, err
}

// parse reads a description and adds what the flags say.
func (f *testFlags) parse(text string) (spec hubtest.Spec, err error) {
	if spec, err = hubtest.ParseSpec([]byte(text)); err != nil {
		return spec, err
	}
	for _, name := range split(f.users, ",") {
		spec.Users = append(spec.Users, hubtest.UserSpec{Name: name})
	}
	for _, name := range split(f.admins, ",") {
		spec.Users = append(spec.Users, hubtest.UserSpec{Name: name, Admin: true})
	}
	for _, g := range split(f.groups, ";") {
		name, members, ok := strings.Cut(g, "=")
		if !ok {
			return spec, &usageError{fmt.Errorf("--groups: %q is not of the form name=user,user", g)}
		}
		if spec.Groups == nil {
			spec.Groups = map[string][]string{}
		}
		spec.Groups[name] = append(spec.Groups[name], split(members, ",")...)
	}
	if f.spawner != "" {
		spec.Set("JupyterHub", "spawner_class", f.spawner)
	}
	return spec, nil
}

func (f *testFlags) logger(c *cli) (io.Writer, error) {
	switch f.log {
	case "":
		return nil, nil
	case "-":
		return c.err, nil
	}
	return os.OpenFile(f.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
}

// split is strings.Split without empty parts.
func split(text, by string) (out []string) {
	for part := range strings.SplitSeq(text, by) {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}
