package hub_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/orm"
)

func TestConfiguredServices(t *testing.T) {
	p := newPeople(t)
	ctx := t.Context()
	full := hub.ServiceSpec{Name: "board", URL: "https://board.test:8443/x", APIToken: "board-secret-token", Admin: true, Cwd: "/srv", User: "nobody",
		Environment: map[string]string{"A": "1"}, Info: map[string]any{"url": "x"}, Display: true, Timeout: time.Minute,
		OAuthNoConfirm: true, OAuthClientAllowedScopes: []string{"read:users!user"}, Capabilities: []string{"data-processing"}}
	managed := hub.ServiceSpec{Name: "worker", Command: []string{"worker", "--x"}, Managed: ptr(true)}
	res := p.mustSetup(hub.SetupSpecs{Services: []hub.ServiceSpec{full, managed, {Name: "plain"}}})
	if len(res.Services) != 3 {
		t.Fatalf("%d services", len(res.Services))
	}
	board, worker, plain := res.Services[0], res.Services[1], res.Services[2]
	if board.Addr == nil || board.Addr.Proto != "https" || board.Addr.Port != 8443 || board.Addr.BaseURL != "/services/board/" || board.Addr.CookieName != "service-board" ||
		board.RedirectURI != "/services/board/oauth_callback" || !slices.Equal(board.Capabilities, []string{"data-processing"}) || board.Managed {
		t.Errorf("board %+v, address %+v", board, board.Addr)
	}
	row := need(p.store.ServiceByName(ctx, "board"))
	if *row.URL != full.URL || *row.Cwd != "/srv" || *row.SystemUser != "nobody" || row.Timeout != 60 || !row.FromConfig || row.Display != nil || !*row.OAuthNoConfirm ||
		row.Environment["A"] != "1" || row.Info["url"] != "x" || row.ServerID == nil {
		t.Errorf("row %+v", row)
	}
	client := need(p.store.OAuthClient(ctx, "service-board"))
	if !orm.VerifyToken(client.Secret, full.APIToken) || client.RedirectURI != board.RedirectURI || client.Description != "JupyterHub service board" ||
		!slices.Equal([]string(client.AllowedScopes), []string{"access:services!service=board", "read:users!user"}) {
		t.Errorf("client %+v", client)
	}
	if id := p.byToken(full.APIToken); id == nil || !id.IsAdmin() || !id.Scopes.Has("admin:users") {
		t.Errorf("service with the admin flag is %+v", id)
	}
	if id := p.byToken(worker.Token); id == nil || id.Name() != "worker" || *id.Token.Note != "generated at startup" || !worker.Managed {
		t.Errorf("token of the managed service stands for %+v", id)
	}
	if plain.Token != "" || plain.Addr != nil || plain.RedirectURI != "" || plain.Row.OAuthClientID != nil || plain.Row.Display == nil || *plain.Row.Display {
		t.Errorf("plain %+v", plain)
	}

	// The next start: new token for the managed one (the old one is gone), what left the specification is gone from the rows.
	again := p.mustSetup(hub.SetupSpecs{Services: []hub.ServiceSpec{{Name: "board"}, managed}})
	if again.Services[1].Token == worker.Token || p.byToken(worker.Token) != nil || p.byToken(again.Services[1].Token) == nil {
		t.Error("tokens of managed services pile up")
	}
	row = need(p.store.ServiceByName(ctx, "board"))
	if row.URL != nil || row.ServerID != nil || row.OAuthClientID != nil || row.Admin || len(row.Environment) != 0 || row.Timeout != 30 {
		t.Errorf("row %+v", row)
	}
	if _, err := p.store.OAuthClient(ctx, "service-board"); !errors.Is(err, orm.ErrNotFound) {
		t.Error("the unused client is still there")
	}
	if _, err := p.store.ServiceByName(ctx, "plain"); !errors.Is(err, orm.ErrNotFound) {
		t.Error("service that left the configuration is still there")
	}
}

func TestServiceClients(t *testing.T) {
	p := newPeople(t)
	p.role("viewer", []string{"list:users"}, orm.HolderUser)
	rows := hub.NewServiceRows(hub.ServiceRowsOptions{Store: p.store, Tokens: p.tokens, Catalog: p.catalog, BaseURL: "/base/",
		HostOf: func(name string) string { return "https://" + name + ".test" }})
	ctx := t.Context()
	s := need(rows.Save(ctx, hub.ServiceSpec{Name: "one", URL: "http://[::1]", OAuthRoles: []string{"viewer", "none"}}, true))
	if s.RedirectURI != "https://one.test/base/services/one/oauth_callback" || s.Addr.Port != 80 || s.Addr.IP != "::1" || rows.Prefix("one") != "/base/services/one/" {
		t.Errorf("%+v %+v", s, s.Addr)
	}
	c := need(p.store.OAuthClient(ctx, "service-one"))
	if !slices.Equal([]string(c.AllowedScopes), []string{"access:services!service=one", "list:users"}) || c.Secret != "" {
		t.Errorf("client %+v", c)
	}
	s = need(rows.Save(ctx, hub.ServiceSpec{Name: "one", OAuthClientID: "service-renamed", OAuthRedirectURI: "https://elsewhere/cb"}, true))
	if s.RedirectURI != "https://elsewhere/cb" || *s.Row.OAuthClientID != "service-renamed" {
		t.Errorf("%+v", s)
	}
	if _, err := p.store.OAuthClient(ctx, "service-one"); !errors.Is(err, orm.ErrNotFound) {
		t.Error("the renamed client is still there under its old id")
	}
	_, err := rows.Save(ctx, hub.ServiceSpec{Name: "two", OAuthClientID: "service-renamed", OAuthRedirectURI: "/cb"}, true)
	wantErr(t, err, hub.Invalid, "oauth_client_id service-renamed belongs to service one already")
	if _, err := p.store.ServiceByName(ctx, "two"); !errors.Is(err, orm.ErrNotFound) {
		t.Error("half a service")
	}
}

func TestServicesOfTheAPI(t *testing.T) {
	p := newPeople(t)
	p.admin("root")
	p.mustSetup(hub.SetupSpecs{Services: []hub.ServiceSpec{{Name: "configured"}}})
	root := p.as("root")
	manager := p.holding("manager", "admin:services", "list:users")
	ctx := t.Context()
	tests := []struct {
		name    string
		by      *hub.Identity
		spec    hub.ServiceSpec
		kind    hub.Kind
		message string
	}{
		{"plain", manager, hub.ServiceSpec{Name: "a"}, 0, ""},
		{"exists", manager, hub.ServiceSpec{Name: "a"}, hub.Conflict, "Service a already exists"},
		{"configured", manager, hub.ServiceSpec{Name: "configured"}, hub.Conflict, "Service configured already exists"},
		{"managed", root, hub.ServiceSpec{Name: "b", Command: []string{"x"}}, hub.Invalid, "Can not create managed service b at runtime"},
		{"bad url", root, hub.ServiceSpec{Name: "b", URL: "file:///x"}, hub.Invalid, ""},
		{"bad host", root, hub.ServiceSpec{Name: "b", URL: "http://"}, hub.Invalid, ""},
		{"bad port", root, hub.ServiceSpec{Name: "b", URL: "http://x:99999"}, hub.Invalid, ""},
		{"unknown scope", root, hub.ServiceSpec{Name: "b", OAuthClientAllowedScopes: []string{"nonsense"}}, hub.Invalid, ""},
		{"admin by a non-admin", manager, hub.ServiceSpec{Name: "b", Admin: true}, hub.Invalid, ""},
		{"scopes not held", manager, hub.ServiceSpec{Name: "b", OAuthClientAllowedScopes: []string{"admin:users"}}, hub.Invalid, "Not assigning requested scopes " +
			"admin:auth_state,admin:users,delete:users,read:roles:users,read:users,read:users:activity,read:users:groups,users,users:activity not held by User manager"},
		{"roles are no way around", manager, hub.ServiceSpec{Name: "b", OAuthRoles: []string{"admin"}}, hub.Invalid, ""},
		{"scopes held", manager, hub.ServiceSpec{Name: "b", URL: "http://b.test", OAuthClientAllowedScopes: []string{"list:users"}}, 0, ""},
		{"short token", root, hub.ServiceSpec{Name: "c", APIToken: "short"}, hub.Invalid, "tokens must have 8 to 64 characters, this one has 5"},
		{"admin and token", root, hub.ServiceSpec{Name: "c", Admin: true, APIToken: "token-of-service-c"}, 0, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			made, err := p.services.Create(ctx, tt.by, tt.spec)
			if tt.kind != 0 {
				wantErr(t, err, tt.kind, tt.message)
				return
			}
			noErr(t, err)
			if made.Row.FromConfig || made.Row.ID == 0 {
				t.Errorf("%+v", made)
			}
		})
	}
	if id := p.byToken("token-of-service-c"); id == nil || id.Name() != "c" || !id.Scopes.Has("admin:users") {
		t.Errorf("token stands for %+v", id)
	}
	// They survive a start; the configuration cannot take over their names.
	res := p.mustSetup(hub.SetupSpecs{Services: []hub.ServiceSpec{{Name: "a", Admin: true}}})
	var found []string
	for _, s := range res.Services {
		found = append(found, s.Row.Name)
		if s.Row.Name == "b" && (s.Addr == nil || s.RedirectURI != "/services/b/oauth_callback") {
			t.Errorf("service from its row: %+v", s)
		}
	}
	if !slices.Equal(found, []string{"a", "b", "c"}) || p.log.count("service of the configuration ignored") != 1 {
		t.Errorf("services %v", found)
	}
	if a := need(p.store.ServiceByName(ctx, "a")); a.Admin || a.FromConfig {
		t.Errorf("service a %+v", a)
	}
	noErr(t, p.services.Delete(ctx, "c"))
	if p.byToken("token-of-service-c") != nil {
		t.Error("token outlives the service")
	}
	wantErr(t, p.services.Delete(ctx, "c"), hub.NotFound, "No such service: c")
	p.mustSetup(hub.SetupSpecs{Services: []hub.ServiceSpec{{Name: "configured"}}})
	err := p.services.Delete(ctx, "configured")
	wantErr(t, err, hub.Invalid, "Service configured is not modifiable at runtime")
	var e *hub.Error
	if errors.As(err, &e); e.Status != 405 || !strings.Contains(e.Hint, "JupyterHub.services") {
		t.Errorf("%+v", e)
	}
}
