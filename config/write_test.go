package config_test

import (
	"strings"
	"testing"

	"github.com/minihub/minihub/config"
)

func TestHelpNamesEverything(t *testing.T) {
	var help, all, generated strings.Builder
	if err := config.WriteHelp(&help); err != nil {
		t.Fatal(err)
	}
	if err := config.WriteHelpAll(&all); err != nil {
		t.Fatal(err)
	}
	if err := config.WriteGenerateConfig(&generated); err != nil {
		t.Fatal(err)
	}
	for _, flag := range []string{"-f VALUE", "--no-db", "--ssl-key", "--help-all", "--log-format"} {
		if !strings.Contains(help.String(), flag) {
			t.Errorf("--help lacks %s", flag)
		}
	}
	for _, tr := range config.Traits() {
		if !strings.Contains(all.String(), "--"+tr.Class+"."+tr.Name+"=<") {
			t.Errorf("--help-all lacks %s.%s", tr.Class, tr.Name)
		}
		if !strings.Contains(generated.String(), "# c."+tr.Class+"."+tr.Name+" = ") {
			t.Errorf("--generate-config lacks %s.%s", tr.Class, tr.Name)
		}
	}
	for _, want := range []string{"has the traits of LocalProcessSpawner too", "default of auto_login here: True", "Environment variable: CONFIGPROXY_AUTH_TOKEN"} {
		if !strings.Contains(all.String(), want) {
			t.Errorf("--help-all lacks %q", want)
		}
	}
}

// TestGeneratedConfigLoads removes the comment signs and evaluates the file: every default is accepted by its own trait.
func TestGeneratedConfigLoads(t *testing.T) {
	var b strings.Builder
	if err := config.WriteGenerateConfig(&b); err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(b.String(), "\n# c.", "\nc.")
	for _, skip := range []string{"proxy_check_interval", "proxy_cmd", "debug_proxy", "proxy_auth_token", "proxy_api_ip", "proxy_api_port", "whitelist", "group_whitelist"} {
		text = strings.ReplaceAll(text, "."+skip+" = ", "."+skip+"  # ")
	}
	if strings.Count(text, "\nc.") < 150 {
		t.Fatal("nothing was generated")
	}
	if _, report := loadPython(t, text); report.Err() != nil {
		t.Error(report.Err())
	}
}

func TestShowConfig(t *testing.T) {
	cfg := good(t, `{"JupyterHub":{"port":9000,"authenticator_class":"dummy"},"Spawner":{"args":["<a>"]}}`, "--ip=1.2.3.4", "--show-config", "--show-config-json")
	var text, document strings.Builder
	if err := config.WriteShowConfig(&text, cfg); err != nil {
		t.Fatal(err)
	}
	if err := config.WriteShowConfigJSON(&document, cfg); err != nil {
		t.Fatal(err)
	}
	want := "JupyterHub\n  .authenticator_class = \"dummy\"\n  .ip = \"1.2.3.4\"\n  .port = 9000\nSpawner\n  .args = [\"<a>\"]\n"
	if !strings.HasSuffix(text.String(), want) {
		t.Errorf("got %s", text.String())
	}
	if !strings.Contains(document.String(), `"port": 9000`) || strings.Contains(document.String(), "hub_port") || strings.Contains(document.String(), "show_config") {
		t.Errorf("got %s", document.String())
	}
	document.Reset()
	if err := config.WriteShowConfigJSON(&document, good(t, `{}`)); err != nil || document.String() != "{\n \"JupyterHub\": {}\n}\n" {
		t.Errorf("%v %q", err, document.String())
	}
}
