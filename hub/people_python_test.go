package hub_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/minihub/minihub/auth"
	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/rbac"
)

// pythonVariable names a Python in which jupyterhub 6.1.1 is installed.
const pythonVariable = "MINIHUB_TEST_JUPYTERHUB"

// realHub runs testdata/people.py and decodes its answer.
func realHub(t *testing.T, answer any, args ...string) {
	t.Helper()
	bin := os.Getenv(pythonVariable)
	if bin == "" {
		t.Skip("set " + pythonVariable + " to a python with jupyterhub==6.1.1 to compare with the real one")
	}
	cmd := exec.CommandContext(t.Context(), bin, append([]string{need(filepath.Abs("testdata/people.py"))}, args...)...)
	cmd.Dir = t.TempDir()
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("people.py: %v\n%s", err, stderr.String())
	}
	noErr(t, json.Unmarshal(out, answer))
}

// The effective scopes of users and tokens are JupyterHub's, computed by JupyterHub from the same database.
func TestEffectiveScopesAsJupyterHub(t *testing.T) {
	p := newPeople(t)
	ctx := t.Context()
	root := p.admin("root")
	for _, name := range []string{"alice", "bob", "carol", "ünï@x"} {
		p.user(name)
	}
	lab := p.group("lab", "alice", "bob")
	p.group("empty")
	p.role("lab-role", []string{"read:users!group=lab", "servers!server=carol/x", "list:groups"}, orm.HolderGroup, lab.ID)
	bob := need(p.users.Find(ctx, "bob"))
	p.role("odd", []string{"admin:users!user=alice", "users!group=lab", "access:services", "read:servers!server=alice/", "tokens!user=carol", "groups!group=lab"},
		orm.HolderUser, bob.ID)
	p.service("svc", "admin:users!group=lab", "list:services", "access:services!service", "read:services!service=svc")
	svc := need(p.store.ServiceByName(ctx, "svc"))
	for _, s := range [][2]string{{"alice", ""}, {"alice", "x"}, {"carol", "x"}} {
		p.server(s[0], s[1])
	}
	server := need(p.store.SpawnerByName(ctx, need(p.users.Find(ctx, "alice")).ID, "x"))
	client := func(id string) *string {
		noErr(t, p.store.SaveOAuthClient(ctx, &orm.OAuthClient{Identifier: id}))
		return &id
	}
	server.OAuthClientID = client("jupyterhub-user-alice-x")
	noErr(t, p.store.UpdateSpawner(ctx, server, "oauth_client_id"))
	svc.OAuthClientID = client("service-svc")
	noErr(t, p.store.SaveService(ctx, svc))
	need(p.shares.Grant(ctx, root, "alice", "x", hub.Grantee{User: "carol"}, []string{"access:servers", "servers"}))

	raws := [][]string{{"inherit"}, {}, {"self"}, {"self", "inherit"}, {"read:users!user", "servers!server"}, {"access:servers!server=alice/x"}, {"servers!server=alice/x"},
		{"admin:users"}, {"read:users"}, {"users!user=alice", "users!user=bob"}, {"read:users!group=lab"}, {"access:services!service"}, {"access:servers"},
		{"read:servers!user=carol"}, {"list:users", "list:groups"}, {"tokens!user"}, {"groups"}, {"users:activity!user", "access:servers!server"}, {"read:shares"}}
	n := 0
	tokens := map[string]string{}
	for _, owner := range []string{"root", "alice", "bob", "carol", "ünï@x", "svc"} {
		for _, id := range []string{"jupyterhub", "jupyterhub-user-alice-x", "service-svc"} {
			for _, raw := range raws {
				n++
				row := orm.APIToken{ClientID: &id, Note: ptr(fmt.Sprintf("%d %s %s %v", n, owner, id, raw))}
				if owner == "svc" {
					row.ServiceID = &svc.ID
				} else {
					row.UserID = &need(p.users.Find(ctx, owner)).ID
				}
				token, _, err := p.tokens.Issue(ctx, row, raw)
				noErr(t, err)
				tokens["token "+*row.Note] = token
			}
		}
	}
	var want map[string][]string
	realHub(t, &want, "scopes", p.path)
	if len(want) != n+5 {
		t.Fatalf("%d answers for %d questions", len(want), n+5)
	}
	for key, scopes := range want {
		var got []string
		if token, ok := tokens[key]; ok {
			got = p.byToken(token).Expanded
		} else {
			got = p.as(strings.TrimPrefix(key, "user ")).Expanded
		}
		// A share's scopes are expanded for sessions only; minihub does it for tokens as well (behaviours.md §17).
		if strings.Contains(key, " carol ") {
			continue
		}
		if !slices.Equal(got, scopes) {
			t.Errorf("%s:\n%s", key, cmp.Diff(scopes, got))
		}
	}
}

// scenario is a series of starts with one database.
type scenario []map[string]map[string]any

func list(v ...any) []any { return append([]any{}, v...) }

type dict = map[string]any

// Start-up leaves in the database what JupyterHub leaves there.
func TestSetupAsJupyterHub(t *testing.T) {
	viewer := func(keys dict) dict {
		role := dict{"name": "viewer", "scopes": list("list:users")}
		for k, v := range keys {
			role[k] = v
		}
		return dict{"load_roles": list(role), "services": list(dict{"name": "svc"})}
	}
	hubs := func(hubs ...dict) scenario {
		var out scenario
		for _, h := range hubs {
			out = append(out, map[string]map[string]any{"JupyterHub": h})
		}
		return out
	}
	scenarios := map[string]scenario{
		"defaults": hubs(dict{}),
		"roles": hubs(
			dict{"load_roles": list(dict{"name": "viewer", "description": "d", "scopes": list("list:users")}, dict{"name": "server", "scopes": list("users:activity!user")}), "extra_user_scopes": list("read:hub")},
			dict{"load_roles": list(dict{"name": "viewer", "scopes": list("read:hub")}, dict{"name": "user", "scopes": list("self", "read:hub")})},
			dict{}),
		"members": hubs(
			viewer(dict{"users": list("Alice", "bob"), "groups": list("lab"), "services": list("svc")}),
			viewer(dict{"users": list("bob"), "groups": list()}),
			viewer(dict{"services": list("svc")}), dict{}),
		"user role":    hubs(viewer(dict{"users": list("alice", "bob")}), dict{"load_roles": list(dict{"name": "user", "users": list("alice")})}),
		"admin listed": hubs(dict{"load_roles": list(dict{"name": "admin", "users": list("root")})}, dict{"load_roles": list(dict{"name": "admin", "users": list("boss")})}, dict{"load_roles": list(dict{"name": "admin"})}, dict{}),
		"admin_users": {
			{"JupyterHub": {}, "Authenticator": {"admin_users": list("Root")}},
			{"JupyterHub": {"load_roles": list(dict{"name": "admin", "users": list("boss")})}, "Authenticator": {"admin_users": list("root")}},
			{"JupyterHub": {"load_roles": list(dict{"name": "admin", "services": list()})}, "Authenticator": {"admin_users": list("other")}},
		},
		"allowed": {
			{"JupyterHub": viewer(dict{"users": list("carol")}), "Authenticator": {"allowed_users": list("Alice", "bob")}},
			{"JupyterHub": {}, "Authenticator": {"allowed_users": list("bob"), "blocked_users": list("alice"), "admin_users": list("alice")}},
		},
		"groups": hubs(
			dict{"load_groups": dict{"lab": dict{"users": list("Alice", "bob"), "properties": dict{"a": "b"}}, "empty": dict{}}},
			dict{"load_groups": dict{"lab": dict{"users": list("carol")}}},
			dict{"load_groups": dict{"lab": dict{"properties": dict{"c": "d"}}}}),
		"services": hubs(
			dict{"services": list(dict{"name": "a", "url": "http://127.0.0.1:99", "api_token": "token-of-service-a", "oauth_client_allowed_scopes": list("read:users!user")},
				dict{"name": "b", "url": "https://b.test", "oauth_redirect_uri": "https://b.test/cb", "oauth_client_id": "service-other", "api_token": "token-of-service-b"},
				dict{"name": "c", "admin": true, "api_token": "token-of-service-c"}, dict{"name": "d", "oauth_no_confirm": true, "oauth_redirect_uri": "/d", "api_token": "token-of-service-d"},
				dict{"name": "m", "command": list("true")})},
			dict{"services": list(dict{"name": "a", "api_token": "token-of-service-a"}, dict{"name": "c", "admin": true, "api_token": "token-of-service-c"})}),
		// The users exist before: JupyterHub makes those of api_tokens without any role, minihub with the role "user".
		"tokens": hubs(
			dict{"load_groups": dict{"g": dict{"users": list("alice", "bob")}}, "api_tokens": dict{"a-token-of-alice": "Alice"}, "service_tokens": dict{"a-token-of-svc": "svc"}},
			dict{"api_tokens": dict{"a-token-of-alice": "bob", "another-of-bob": "bob"}, "service_tokens": dict{"a-token-of-svc": "svc"}},
			dict{}),
		"bad role":    hubs(dict{"load_roles": list(dict{"name": "Bad"})}),
		"bad scope":   hubs(dict{"load_roles": list(dict{"name": "viewer", "scopes": list("nonsense")})}),
		"bad admin":   hubs(dict{"load_roles": list(dict{"name": "admin", "scopes": list("read:hub")})}),
		"bad service": hubs(dict{"services": list(dict{"name": "a", "oauth_no_confirm": true})}),
		"bad member":  hubs(viewer(dict{"services": list("none")})),
		"bad token":   hubs(dict{"api_tokens": dict{"short": "alice"}}),
		"bad user":    hubs(viewer(dict{"users": list("a/b")})),
	}
	file := filepath.Join(t.TempDir(), "scenarios.json")
	noErr(t, os.WriteFile(file, need(json.Marshal(scenarios)), 0o600))
	var want map[string][]json.RawMessage
	realHub(t, &want, "setup", file)
	for name, starts := range scenarios {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "hub.sqlite")
			for i, config := range starts {
				var real, ours any
				noErr(t, json.Unmarshal(want[name][i], &real))
				noErr(t, json.Unmarshal(need(json.Marshal(startAs(t, path, config))), &ours))
				if _, refused := real.(dict)["error"]; refused {
					real = dict{"error": true}
				}
				if diff := cmp.Diff(real, ours); diff != "" {
					t.Errorf("start %d (-jupyterhub +minihub):\n%s", i+1, diff)
				}
			}
		})
	}
}

// startAs runs start-up with a configuration of the scenarios and returns what people.py calls a snapshot.
func startAs(t *testing.T, path string, config map[string]map[string]any) any {
	t.Helper()
	texts := func(v any) []string {
		var out []string
		if v, ok := v.([]any); ok {
			for _, s := range v {
				out = append(out, s.(string))
			}
		}
		return out
	}
	rules := config["Authenticator"]
	p := newPeople(t, func(o *peopleOptions) {
		o.path, o.noSetup = path, true
		o.rules = auth.RulesOptions{AdminUsers: texts(rules["admin_users"]), AllowedUsers: texts(rules["allowed_users"]), BlockedUsers: texts(rules["blocked_users"])}
	})
	defer p.store.Close()
	if _, err := p.setup(specsOf(config["JupyterHub"], texts)); err != nil {
		return dict{"error": true}
	}
	return p.snapshot()
}

func specsOf(h dict, texts func(any) []string) hub.SetupSpecs {
	specs := hub.SetupSpecs{ExtraUserScopes: texts(h["extra_user_scopes"]), LoadGroups: map[string]hub.GroupSpec{}, APITokens: map[string]string{}, ServiceTokens: map[string]string{}}
	members := func(role dict, key string) *[]string {
		if v, ok := role[key]; ok {
			return ptr(texts(v))
		}
		return nil
	}
	each := func(key string, f func(dict)) {
		if v, ok := h[key].([]any); ok {
			for _, item := range v {
				f(item.(dict))
			}
		}
	}
	text := func(d dict, key string) string { s, _ := d[key].(string); return s }
	each("load_roles", func(r dict) {
		specs.LoadRoles = append(specs.LoadRoles, rbac.Role{Name: text(r, "name"), Description: text(r, "description"), Scopes: texts(r["scopes"]),
			Users: members(r, "users"), Groups: members(r, "groups"), Services: members(r, "services")})
	})
	each("services", func(s dict) {
		admin, _ := s["admin"].(bool)
		noConfirm, _ := s["oauth_no_confirm"].(bool)
		specs.Services = append(specs.Services, hub.ServiceSpec{Name: text(s, "name"), URL: text(s, "url"), APIToken: text(s, "api_token"), Admin: admin,
			Command: texts(s["command"]), OAuthClientID: text(s, "oauth_client_id"), OAuthRedirectURI: text(s, "oauth_redirect_uri"), OAuthNoConfirm: noConfirm,
			OAuthClientAllowedScopes: texts(s["oauth_client_allowed_scopes"])})
	})
	if groups, ok := h["load_groups"].(dict); ok {
		for name, g := range groups {
			props, _ := g.(dict)["properties"].(dict)
			specs.LoadGroups[name] = hub.GroupSpec{Users: texts(g.(dict)["users"]), Properties: props}
		}
	}
	for key, into := range map[string]map[string]string{"api_tokens": specs.APITokens, "service_tokens": specs.ServiceTokens} {
		if tokens, ok := h[key].(dict); ok {
			for token, name := range tokens {
				into[token] = name.(string)
			}
		}
	}
	return specs
}

// snapshot is what people.py's function of that name returns.
func (p *people) snapshot() any {
	ctx := p.t.Context()
	sorted := func(s []string) []string { return append([]string{}, slices.Sorted(slices.Values(s))...) }
	out := map[string][]any{"users": {}, "roles": {}, "groups": {}, "services": {}, "tokens": {}}
	for _, u := range need(p.users.List(ctx, orm.UserQuery{Sort: "name"})).Users {
		out["users"] = append(out["users"], list(u.Name, u.Admin, sorted(u.Roles), sorted(u.Groups)))
	}
	roles := need(p.store.Roles(ctx))
	slices.SortFunc(roles, func(a, b orm.Role) int { return strings.Compare(a.Name, b.Name) })
	for _, r := range roles {
		out["roles"] = append(out["roles"], list(r.Name, r.Description, sorted(r.Scopes), r.ManagedByAuth))
	}
	groups := first(p.groups.List(ctx, orm.GroupQuery{}))
	slices.SortFunc(groups, func(a, b hub.GroupView) int { return strings.Compare(a.Name, b.Name) })
	for _, g := range groups {
		out["groups"] = append(out["groups"], list(g.Name, g.Properties, sorted(g.Roles)))
	}
	services := need(p.store.Services(ctx))
	slices.SortFunc(services, func(a, b orm.Service) int { return strings.Compare(a.Name, b.Name) })
	var tokens [][]any
	add := func(owner string, rows []orm.APIToken) {
		for _, row := range rows {
			tokens = append(tokens, list(owner, *row.Note, sorted(row.Scopes), strings.Split(row.Hashed, ":")[1], *row.ClientID))
		}
	}
	for _, s := range services {
		made := need(p.services.FromRow(ctx, s))
		client, scopes, addr := "", []string{}, []any{}
		if s.OAuthClientID != nil {
			client = *s.OAuthClientID
			scopes = sorted(need(p.store.OAuthClient(ctx, client)).AllowedScopes)
		}
		if a := made.Addr; a != nil {
			addr = list(a.Proto, a.IP, a.Port, a.BaseURL, a.CookieName)
		}
		own := need(p.store.RoleNamesOfServices(ctx, []int64{s.ID}))[s.ID]
		out["services"] = append(out["services"], list(s.Name, s.Admin, sorted(own), client, made.RedirectURI, scopes, addr))
		add(s.Name, need(p.store.TokensOfService(ctx, s.ID)))
	}
	for _, u := range need(p.users.List(ctx, orm.UserQuery{})).Users {
		add(u.Name, need(p.store.TokensOfUser(ctx, u.ID)))
	}
	slices.SortFunc(tokens, func(a, b []any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	for _, t := range tokens {
		out["tokens"] = append(out["tokens"], t)
	}
	return out
}
