package config_test

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/minihub/minihub/config"
)

// TestURLsAgreeWithJupyterHub compares with what JupyterHub 6.1.1 computed for the same configurations on a machine called
// myhost (testdata/urls.json).
func TestURLsAgreeWithJupyterHub(t *testing.T) {
	data, err := os.ReadFile("testdata/urls.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Config json.RawMessage
		URLs   config.URLs
	}
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) < 50 {
		t.Fatalf("only %d cases", len(cases))
	}
	for _, c := range cases {
		got, err := config.ComputeURLs(good(t, string(c.Config)), "myhost")
		if err != nil {
			t.Errorf("%s: %v", c.Config, err)
		}
		if diff := cmp.Diff(c.URLs, got); diff != "" {
			t.Errorf("%s (-JupyterHub +minihub):\n%s", c.Config, diff)
		}
	}
}

func TestURLErrors(t *testing.T) {
	for document, trait := range map[string]string{
		`{"JupyterHub":{"bind_url":"http://1.2.3.4:99999"}}`:           "JupyterHub.bind_url",
		`{"JupyterHub":{"bind_url":"http://a b:1"}}`:                   "JupyterHub.bind_url",
		`{"JupyterHub":{"hub_bind_url":"127.0.0.1:8081"}}`:             "JupyterHub.hub_bind_url",
		`{"JupyterHub":{"hub_bind_url":"http://h:x"}}`:                 "JupyterHub.hub_bind_url",
		`{"JupyterHub":{"hub_bind_url":"ftp://h:1"}}`:                  "JupyterHub.hub_bind_url",
		`{"JupyterHub":{"hub_connect_url":"hub"}}`:                     "JupyterHub.hub_connect_url",
		`{"JupyterHub":{"hub_connect_url":"gopher://hub"}}`:            "JupyterHub.hub_connect_url",
		`{"JupyterHub":{"public_url":"https://"}}`:                     "JupyterHub.public_url",
		`{"JupyterHub":{"public_url":"https://h/y/","base_url":"/x"}}`: "JupyterHub.public_url",
		`{"JupyterHub":{"subdomain_host":"https://"}}`:                 "JupyterHub.subdomain_host",
		`{"ConfigurableHTTPProxy":{"api_url":"127.0.0.1:8001"}}`:       "ConfigurableHTTPProxy.api_url",
		`{"Spawner":{"hub_connect_url":"hub:8081"}}`:                   "Spawner.hub_connect_url",
		`{"Proxy":{"extra_routes":{"/x/":"not a url"}}}`:               `Proxy.extra_routes["/x/"]`,
		`{"Proxy":{"extra_routes":{"host/x/":"http://127.0.0.1:1"}}}`:  `Proxy.extra_routes["host/x/"]`,
	} {
		_, report := load(t, document)
		wantProblem(t, report, config.SeverityError, trait)
	}
}

func TestBaseURLIsNormalised(t *testing.T) {
	for given, want := range map[string]string{
		"x": "/x/", "/x": "/x/", "": "/", "//evil.example": "/evil.example/", "/ünï": "/%C3%BCn%C3%AF/", "/a b/": "/a%20b/",
		"/a%20b/": "/a%20b/", "/100%/": "/100%25/", "/a?b#c": "/a%3Fb%23c/", "/a/../b": "/a/../b/",
	} {
		doc, _ := json.Marshal(map[string]any{"JupyterHub": map[string]any{"base_url": given}})
		if got := good(t, string(doc)).JupyterHub.BaseURL; string(got) != want {
			t.Errorf("base_url %q becomes %q, want %q", given, got, want)
		}
	}
}
