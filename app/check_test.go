package app_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/minihub/minihub/app"
	"github.com/minihub/minihub/config"
)

func TestCheckSaysEachThingOnce(t *testing.T) {
	t.Chdir(t.TempDir())
	args, err := config.ParseArgs([]string{"--JupyterHub.load_roles=[{'name': 'r1'}]", "--JupyterHub.log_datefmt=%H", "--JupyterHub.authenticator_class=null"})
	if err != nil {
		t.Fatal(err)
	}
	_, report, err := app.Load(context.Background(), args, new(bytes.Buffer))
	if err == nil || len(report.Errors()) != 1 || !strings.Contains(report.Errors()[0].String(), `"r1" is not a role name`) {
		t.Errorf("errors are %v, want the wrong role name once", report.Errors())
	}
	if w := report.Warnings(); len(w) != 1 || !strings.Contains(w[0].String(), "JupyterHub.log_datefmt: minihub does not use it") {
		t.Errorf("warnings are %v, want the trait that has no effect", w)
	}
}

func TestCheckLooksAtFilesAndURLs(t *testing.T) {
	t.Chdir(t.TempDir())
	args, err := config.ParseArgs([]string{"--JupyterHub.authenticator_class=null", "--ssl-key=none.key", "--ssl-cert=none.pem", "--db=mysql://ann:hidden@host/hub",
		"--JupyterHub.template_paths=none", "--JupyterHub.custom_scopes={'bad': {'description': 'x'}}", "--JupyterHub.trusted_downstream_ips=a"})
	if err != nil {
		t.Fatal(err)
	}
	_, report, err := app.Load(context.Background(), args, new(bytes.Buffer))
	if err == nil {
		t.Fatal("a configuration with missing files passed")
	}
	var all []string
	for _, p := range append(report.Errors(), report.Warnings()...) {
		all = append(all, p.String())
	}
	text := strings.Join(all, "\n")
	for _, want := range []string{"JupyterHub.ssl_cert: cannot be used with ssl_key: open none.pem", `JupyterHub.db_url: unsupported database URL: db_url starts with "mysql"`,
		`JupyterHub.template_paths: "none" is not a folder`, `custom_scopes["bad"]`, `trusted_downstream_ips: "a" is not an IP address`} {
		if strings.Count(text, want) != 1 {
			t.Errorf("%q is not there once:\n%s", want, text)
		}
	}
	if strings.Contains(text, "hidden") {
		t.Errorf("the database's password is shown:\n%s", text)
	}
}
