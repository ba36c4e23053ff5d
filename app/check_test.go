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
