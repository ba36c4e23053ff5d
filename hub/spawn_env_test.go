package hub_test

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/spawner"
)

// recorded is what JupyterHub gave a server.
type recorded struct {
	Env         map[string]string `json:"env"`
	Args        []string          `json:"args"`
	Client      []any             `json:"client"`
	TokenNote   string            `json:"token_note"`
	TokenScopes []string          `json:"token_scopes"`
}

// The same settings give the same environment, client and token as in JupyterHub, see testdata/environment.
func TestEnvironmentAsJupyterHub(t *testing.T) {
	settings := map[string]func(*rigOptions){
		"plain": func(o *rigOptions) { o.traits.KeptEnv = map[string]string{"LANG": "de_DE.UTF-8"} },
		"full": func(o *rigOptions) {
			tr := &o.traits
			tr.KeptEnv = map[string]string{"LANG": "de_DE.UTF-8"}
			tr.URLs = hub.ServerURLs{BaseURL: "/base/", HubAPIURL: "http://127.0.0.1:28432/base/hub/api", PublicHost: "https://hub.example.org", PublicURL: "https://hub.example.org/base/"}
			tr.AdminAccess, tr.CookieOptions = true, `{"SameSite": "None"}`
			s := &tr.Spawn
			s.IP, s.HubConnectURL, s.MemLimit, s.MemGuarantee, s.CPULimit, s.CPUGuarantee = "::1", "http://10.0.0.1:8081/pre", 1<<30, 1<<29, 2, 0.5
			s.NotebookDir, s.DefaultURL, s.Debug, s.DisableUserConfig = "~/nb/{username}{{x}}", "{base_url}lab", true, true
			s.Environment, s.Args = map[string]string{"EXTRA": "1", "LANG": "C.UTF-8"}, []string{"--a={username}"}
			s.OAuthClientAllowedScopes, s.ServerTokenScopes = []string{"read:users!user"}, []string{"access:servers!server", "admin:users", "users:activity!user"}
		},
	}
	for name, change := range settings {
		for _, user := range []string{"alice", "a@b"} {
			for _, server := range []string{"", "work"} {
				file := name + "-" + strings.ReplaceAll(user, "@", "_at_") + "-" + server + ".json"
				t.Run(file, func(t *testing.T) {
					var want recorded
					noErr(t, json.Unmarshal(need(os.ReadFile(filepath.Join("testdata", "environment", file))), &want))
					r := newRig(t, func(o *rigOptions) {
						o.traits.URLs.HubAPIURL = "http://127.0.0.1:28432/hub/api"
						change(o)
					})
					u := r.user(user)
					r.mustStart(u, server)
					compareWithRecorded(t, r, u, server, want)
				})
			}
		}
	}
}

func compareWithRecorded(t *testing.T, r *rig, u *orm.User, server string, want recorded) {
	t.Helper()
	req := r.driver.lastRequest()
	got := maps.Clone(req.Env)
	token := got["JUPYTERHUB_API_TOKEN"]
	if len(token) != 32 || got["JPY_API_TOKEN"] != token {
		t.Errorf("token %q", token)
	}
	got["JUPYTERHUB_API_TOKEN"], got["JPY_API_TOKEN"] = "TOKEN", "TOKEN"
	if d := cmp.Diff(want.Env, got); d != "" {
		t.Errorf("environment (-JupyterHub +minihub):\n%s", d)
	}
	if !slices.Equal(req.Argv(), want.Args) {
		t.Errorf("argv %q, want %q", req.Argv(), want.Args)
	}
	c := need(r.store.OAuthClient(t.Context(), want.Env["JUPYTERHUB_CLIENT_ID"]))
	allowed := []any{}
	for _, s := range c.AllowedScopes {
		allowed = append(allowed, s)
	}
	if d := cmp.Diff(want.Client, []any{c.Identifier, c.Description, c.RedirectURI, allowed}); d != "" {
		t.Errorf("client (-JupyterHub +minihub):\n%s", d)
	}
	if !orm.VerifyToken(c.Secret, token) {
		t.Error("the client's secret is not the token")
	}
	row := need(r.store.TokensOfUser(t.Context(), u.ID))[0]
	if *row.Note != want.TokenNote {
		t.Errorf("note %q, want %q", *row.Note, want.TokenNote)
	}
	stored := slices.Clone([]string(row.Scopes))
	slices.Sort(stored)
	if d := cmp.Diff(want.TokenScopes, stored); d != "" {
		t.Errorf("token's scopes (-JupyterHub +minihub):\n%s", d)
	}
}

func TestEnvironmentDetails(t *testing.T) {
	r := newRig(t, func(o *rigOptions) {
		o.traits.CookieHostPrefix = true
		o.traits.HubID = "hub-1"
		o.traits.Spawn.Port = 0
		o.traits.Spawn.IP = ""
		o.wrap = func(d *fakeDriver) spawner.Driver { return portDriver{d, nil} }
	})
	u := r.user("alice")
	_, err := r.live.Start(t.Context(), u, "w", hub.StartOptions{UserOptions: map[string]any{"x": 1.0}, DisplayName: ptr("My Work")})
	noErr(t, err)
	req := r.driver.lastRequest()
	if req.Port != 40123 || req.Env["JUPYTERHUB_SERVICE_URL"] != "http://:40123/user/alice/w/" || req.Env["JUPYTERHUB_COOKIE_HOST_PREFIX_ENABLED"] != "1" {
		t.Errorf("request %+v", req)
	}
	if req.DisplayName != "My Work" || req.UserOptions["x"] != 1.0 || req.Marker == "" || req.BaseURL != "/user/alice/w/" {
		t.Errorf("request %+v", req)
	}
	for key := range req.Env {
		if strings.HasPrefix(key, "MINIHUB_") {
			t.Errorf("%s is the spawner's business", key)
		}
	}
	if extra := need(r.store.ServerExtra(t.Context(), r.row(u, "w").ID)); extra.Marker != req.Marker || extra.TokenID == 0 {
		t.Errorf("extra %+v", extra)
	}
}

func TestFormatStrings(t *testing.T) {
	r := newRig(t, func(o *rigOptions) { o.traits.UserOptionTraits = map[string]string{"dir": "notebook_dir"} })
	u := r.user("alice")
	for dir, want := range map[string]string{
		"":                      "",
		"/home/{username}/x":    "/home/alice/x",
		"{base_url}{username}":  "/user/alice/alice",
		"{{{username}}}":        "{alice}",
		"}}":                    "}",
		"/{user}":               "!",
		"/{username":            "!",
		"/{":                    "!",
		"/}":                    "!",
		"/{}":                   "!",
		"/{username.__class__}": "!",
	} {
		r.mustStop(u, "", hub.StopOptions{})
		_, err := r.live.Start(t.Context(), u, "", hub.StartOptions{UserOptions: map[string]any{"dir": dir}})
		if want == "!" {
			var e *hub.Error
			if wantErr(t, err, hub.Failed, ""); !errors.As(err, &e) || !strings.Contains(e.Message, "Spawner.notebook_dir") {
				t.Errorf("%q: %v", dir, err)
			}
			continue
		}
		noErr(t, err)
		if got := r.driver.lastRequest(); got.NotebookDir != want || got.Env["JUPYTERHUB_ROOT_DIR"] != want {
			t.Errorf("%q became %q", dir, got.NotebookDir)
		}
	}
}

// The deprecated oauth_roles stands for the scopes of its roles, while oauth_client_allowed_scopes is empty.
func TestOAuthRolesOfServers(t *testing.T) {
	for name, c := range map[string]struct {
		roles, scopes []string
		want          string // JUPYTERHUB_OAUTH_CLIENT_ALLOWED_SCOPES; "": the start fails
	}{
		"roles":      {[]string{"reader"}, nil, `["list:users","read:users"]`},
		"scopes win": {[]string{"reader"}, []string{"read:groups"}, `["read:groups"]`},
		"no role":    {[]string{"reader", "writer"}, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, func(o *rigOptions) {
				o.traits.Spawn.OAuthRoles, o.traits.Spawn.OAuthClientAllowedScopes = c.roles, c.scopes
			})
			noErr(t, r.store.CreateRole(t.Context(), &orm.Role{Name: "reader", Scopes: orm.JSONList{"list:users", "read:users"}}))
			u := r.user("alice")
			if c.want == "" {
				if _, err := r.start(u, ""); err == nil || !strings.Contains(err.Error(), "Spawner.oauth_roles: no such role: writer") {
					t.Errorf("error %v", err)
				}
				return
			}
			r.mustStart(u, "")
			if got := r.driver.lastRequest().Env["JUPYTERHUB_OAUTH_CLIENT_ALLOWED_SCOPES"]; strings.ReplaceAll(got, " ", "") != c.want {
				t.Errorf("scopes %s, want %s", got, c.want)
			}
		})
	}
}
