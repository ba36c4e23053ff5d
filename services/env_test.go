//go:build linux

package services_test

import (
	"fmt"
	"maps"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/internal/supervise"
)

// The environments were recorded from JupyterHub 6.1.1 with the same services; only MINIHUB_HUB_ID is ours.
func TestEnvironment(t *testing.T) {
	public := func(o *options) {
		o.env.PublicHost, o.env.PublicURL, o.env.CookieHostPrefix = "https://hub.example.org", "https://hub.example.org/base/", true
	}
	subdomains := func(o *options) {
		public(o)
		o.hostOf = func(name string) string { return "https://" + name + "--service.hub.example.org:8443" }
	}
	withURL := func(spec hub.ServiceSpec) hub.ServiceSpec {
		full := server(t, spec.Name)
		spec.URL, spec.Command = full.URL, full.Command
		return spec
	}
	withPublic := map[string]string{"JUPYTERHUB_HOST": "https://hub.example.org", "JUPYTERHUB_PUBLIC_HUB_URL": "https://hub.example.org/base/hub/", "JUPYTERHUB_COOKIE_HOST_PREFIX_ENABLED": "1"}
	tests := []struct {
		name   string
		spec   hub.ServiceSpec
		change func(*options)
		want   map[string]string // beside what all have; URL stands for the service's
	}{
		{"plain", sleeper("s"), nil, nil},
		{"plain, public", sleeper("s"), public, withPublic},
		{"url", withURL(hub.ServiceSpec{Name: "s"}), nil, map[string]string{"JUPYTERHUB_SERVICE_URL": "URL", "JUPYTERHUB_SERVICE_PREFIX": "/base/services/s/",
			"JUPYTERHUB_OAUTH_CALLBACK_URL": "/base/services/s/oauth_callback"}},
		{"url, public", withURL(hub.ServiceSpec{Name: "s"}), public, with(withPublic, "JUPYTERHUB_SERVICE_URL", "URL", "JUPYTERHUB_SERVICE_PREFIX", "/base/services/s/",
			"JUPYTERHUB_OAUTH_CALLBACK_URL", "/base/services/s/oauth_callback", "JUPYTERHUB_PUBLIC_URL", "https://hub.example.org/base/services/s/")},
		{"url, subdomains", withURL(hub.ServiceSpec{Name: "s"}), subdomains, with(withPublic, "JUPYTERHUB_SERVICE_URL", "URL", "JUPYTERHUB_SERVICE_PREFIX", "/base/services/s/",
			"JUPYTERHUB_OAUTH_CALLBACK_URL", "https://s--service.hub.example.org:8443/base/services/s/oauth_callback",
			"JUPYTERHUB_PUBLIC_URL", "https://s--service.hub.example.org:8443/base/services/s/")},
		{"client of its own", withURL(hub.ServiceSpec{Name: "s", OAuthClientID: "service-other", OAuthClientAllowedScopes: []string{"read:users"}, OAuthNoConfirm: true}), nil,
			map[string]string{"JUPYTERHUB_SERVICE_URL": "URL", "JUPYTERHUB_SERVICE_PREFIX": "/base/services/s/", "JUPYTERHUB_CLIENT_ID": "service-other",
				"JUPYTERHUB_OAUTH_CALLBACK_URL": "/base/services/s/oauth_callback"}},
		{"redirect of its own", withURL(hub.ServiceSpec{Name: "s", OAuthRedirectURI: "http://elsewhere/cb"}), nil, map[string]string{"JUPYTERHUB_SERVICE_URL": "URL",
			"JUPYTERHUB_SERVICE_PREFIX": "/base/services/s/", "JUPYTERHUB_OAUTH_CALLBACK_URL": "/base/services/s/oauth_callback"}},
		{"redirect without url", hub.ServiceSpec{Name: "s", Command: []string{"sleep", "600"}, OAuthRedirectURI: "http://elsewhere/cb"}, nil, nil},
		{"token and environment", hub.ServiceSpec{Name: "s", Command: []string{"/bin/sleep", "600"}, APIToken: "a-token-of-mine", Environment: map[string]string{
			"A": "1", "EMPTY": "", "JUPYTERHUB_HOST": "mine", "JUPYTERHUB_SERVICE_NAME": "nope", "MINIHUB_HUB_ID": "nope", "PATH": "/x", "JUPYTERHUB_SERVICE_URL": "http://me"}}, nil,
			map[string]string{"A": "1", "EMPTY": "", "JUPYTERHUB_HOST": "mine", "PATH": "/x", "JUPYTERHUB_SERVICE_URL": "http://me",
				"JUPYTERHUB_API_TOKEN": "a-token-of-mine", "JPY_API_TOKEN": "a-token-of-mine"}},
		{"environment against url", withURL(hub.ServiceSpec{Name: "s", Environment: map[string]string{"JUPYTERHUB_SERVICE_URL": "http://me", "JUPYTERHUB_SERVICE_PREFIX": "/me/"}}), nil,
			map[string]string{"JUPYTERHUB_SERVICE_URL": "URL", "JUPYTERHUB_SERVICE_PREFIX": "/base/services/s/", "JUPYTERHUB_OAUTH_CALLBACK_URL": "/base/services/s/oauth_callback"}},
	}
	t.Setenv("JUPYTERHUB_CRYPT_KEY", "never to be seen")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var change []func(*options)
			if tt.change != nil {
				change = append(change, tt.change)
			}
			w := running(t, []hub.ServiceSpec{tt.spec}, change...)
			got := environ(t, w.pid("s"))
			id, err := w.store.HubID(t.Context())
			noErr(t, err)
			want := map[string]string{
				"PATH": os.Getenv("PATH"), "LANG": "C.UTF-8", "JUPYTERHUB_API_URL": "http://127.0.0.1:8081/base/hub/api", "JUPYTERHUB_BASE_URL": "/base/",
				"JUPYTERHUB_CLIENT_ID": "service-s", "JUPYTERHUB_HOST": "", "JUPYTERHUB_USER": "", "JUPYTERHUB_SERVER_NAME": "", "JUPYTERHUB_SERVICE_NAME": "s",
				"JUPYTERHUB_SERVICE_URL": "http://127.0.0.1:0/", "JUPYTERHUB_OAUTH_CALLBACK_URL": "oauth_callback", "JUPYTERHUB_OAUTH_CLIENT_ALLOWED_SCOPES": "[]",
				"JUPYTERHUB_OAUTH_SCOPES": `["access:services", "access:services!service=s"]`, "JUPYTERHUB_OAUTH_ACCESS_SCOPES": `["access:services", "access:services!service=s"]`,
				"JUPYTERHUB_PUBLIC_URL": "", "JUPYTERHUB_PUBLIC_HUB_URL": "", "JUPYTERHUB_COOKIE_HOST_PREFIX_ENABLED": "0", "MINIHUB_HUB_ID": id,
				"JUPYTERHUB_API_TOKEN": got["JUPYTERHUB_API_TOKEN"], "JPY_API_TOKEN": got["JUPYTERHUB_API_TOKEN"],
			}
			maps.Copy(want, tt.want)
			if want["JUPYTERHUB_SERVICE_URL"] == "URL" {
				want["JUPYTERHUB_SERVICE_URL"] = tt.spec.URL
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			owner, err := w.tokens.Lookup(t.Context(), got["JUPYTERHUB_API_TOKEN"])
			noErr(t, err)
			if row := w.view("s").ID; owner == nil || owner.ServiceID == nil || *owner.ServiceID != row {
				t.Errorf("the token is not one of the service: %+v", owner)
			}
			if w.log.has(got["JUPYTERHUB_API_TOKEN"]) {
				t.Error("the token is in the log")
			}
		})
	}
}

func with(m map[string]string, pairs ...string) map[string]string {
	m = maps.Clone(m)
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return m
}

func TestWorkingDirectory(t *testing.T) {
	dir := t.TempDir()
	here, err := os.Getwd()
	noErr(t, err)
	in := sleeper("in")
	in.Cwd = dir
	w := running(t, []hub.ServiceSpec{in, sleeper("anywhere")})
	for name, want := range map[string]string{"in": dir, "anywhere": here} {
		if got, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", w.pid(name))); err != nil || got != want {
			t.Errorf("%s runs in %s (%v), want %s", name, got, err, want)
		}
	}
	missing := sleeper("lost")
	missing.Cwd = dir + "/missing"
	err = newWorld(t, []hub.ServiceSpec{missing}).services.Start(t.Context())
	if err == nil || !strings.Contains(err.Error(), "start service lost") || !strings.Contains(err.Error(), missing.Cwd) {
		t.Errorf("missing directory: %v", err)
	}
}

// The superuser may run a service as somebody else; everybody else may not.
func TestUser(t *testing.T) {
	spec := sleeper("s")
	spec.User = "nobody"
	if os.Getuid() != 0 {
		spec.User = "daemon"
		err := newWorld(t, []hub.ServiceSpec{spec}).services.Start(t.Context())
		if err == nil || !strings.Contains(err.Error(), "as user daemon") {
			t.Errorf("without being root: %v", err)
		}
		return
	}
	account, err := supervise.LookupAccount(t.Context(), "nobody")
	noErr(t, err)
	w := running(t, []hub.ServiceSpec{spec})
	pid := w.pid("s")
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	noErr(t, err)
	for _, line := range []string{fmt.Sprintf("\nUid:\t%[1]d\t%[1]d\t%[1]d\t%[1]d\n", account.UID), fmt.Sprintf("\nGid:\t%[1]d\t%[1]d\t%[1]d\t%[1]d\n", account.GID)} {
		if !strings.Contains(string(status), line) {
			t.Errorf("status lacks %q:\n%s", line, status)
		}
	}
	got := environ(t, pid)
	for name, want := range map[string]string{"USER": "nobody", "HOME": account.Home, "SHELL": account.Shell, "JUPYTERHUB_USER": "nobody"} {
		if got[name] != want {
			t.Errorf("%s=%q, want %q", name, got[name], want)
		}
	}
	here, err := os.Getwd()
	noErr(t, err)
	if dir, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid)); err != nil || dir != here {
		t.Errorf("runs in %s (%v), want %s", dir, err, here)
	}
}

func TestUserErrors(t *testing.T) {
	for user, want := range map[string]string{"no-such-user": "no such system user", "-x": "no such system user", "root": "superuser"} {
		spec := sleeper("s")
		spec.User = user
		err := newWorld(t, []hub.ServiceSpec{spec}).services.Start(t.Context())
		if err == nil || !strings.Contains(err.Error(), "start service s") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", user, err)
		}
	}
}
