package config_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/minihub/minihub/config"
)

func TestFlags(t *testing.T) {
	for _, c := range []struct {
		args string
		get  func(*config.Config) any
		want any
	}{
		{"--port=9000", func(c *config.Config) any { return c.JupyterHub.Port }, 9000},
		{"--port 9000", func(c *config.Config) any { return c.JupyterHub.Port }, 9000},
		{"--ip=127.0.0.1", func(c *config.Config) any { return c.JupyterHub.IP }, "127.0.0.1"},
		{"--url=http://:1234", func(c *config.Config) any { return c.JupyterHub.BindURL }, "http://:1234"},
		{"--base-url=/x", func(c *config.Config) any { return string(c.JupyterHub.BaseURL) }, "/x/"},
		{"--db=hub.sqlite", func(c *config.Config) any { return c.JupyterHub.DBURL }, "sqlite:///hub.sqlite"},
		{"--no-db", func(c *config.Config) any { return c.JupyterHub.DBURL }, "sqlite:///:memory:"},
		{"--debug", func(c *config.Config) any { return int(c.JupyterHub.LogLevel) }, 10},
		{"--log-level=error", func(c *config.Config) any { return int(c.JupyterHub.LogLevel) }, 40},
		{"--log-level=30", func(c *config.Config) any { return int(c.JupyterHub.LogLevel) }, 30},
		{"--Application.log_level=DEBUG", func(c *config.Config) any { return int(c.JupyterHub.LogLevel) }, 10},
		{"--pprof=127.0.0.1:6060", func(c *config.Config) any { return c.Minihub.Pprof }, "127.0.0.1:6060"},
		{"--log-format=json", func(c *config.Config) any { return c.Minihub.LogFormat }, "json"},
		{"--upgrade-db", func(c *config.Config) any { return c.JupyterHub.UpgradeDB }, true},
		{"-y", func(c *config.Config) any { return c.JupyterHub.AnswerYes }, true},
		{"-y False", func(c *config.Config) any { return c.JupyterHub.AnswerYes }, false},
		{"--ssl-key=k --ssl-cert=c", func(c *config.Config) any { return c.JupyterHub.SSLKey + c.JupyterHub.SSLCert }, "kc"},
		{"--pid-file=p", func(c *config.Config) any { return c.JupyterHub.PIDFile }, "p"},
		{"--JupyterHub.allow_named_servers=1", func(c *config.Config) any { return c.JupyterHub.AllowNamedServers }, true},
		{"--JupyterHub.allow_named_servers=TRUE", func(c *config.Config) any { return c.JupyterHub.AllowNamedServers }, true},
		{"--Spawner.cpu_limit=0.5", func(c *config.Config) any { return *c.SimpleLocalProcessSpawner.CPULimit }, 0.5},
		{"--Spawner.cpu_limit=None", func(c *config.Config) any { return c.Spawner.CPULimit == nil }, true},
		{"--Spawner.mem_limit=1.5G", func(c *config.Config) any { return int64(*c.Spawner.MemLimit) }, int64(1610612736)},
		{"--Spawner.mem_limit=1024", func(c *config.Config) any { return int64(*c.Spawner.MemLimit) }, int64(1024)},
		{"--Spawner.notebook_dir=~/nb", func(c *config.Config) any { return c.Spawner.NotebookDir }, "/home/me/nb"},
		{"--Spawner.args=['a','b']", func(c *config.Config) any { return c.Spawner.Args }, []string{"a", "b"}},
		{"--Spawner.args=-a --Spawner.args=-b", func(c *config.Config) any { return c.Spawner.Args }, []string{"-a", "-b"}},
		{"--Spawner.args=one", func(c *config.Config) any { return c.Spawner.Args }, []string{"one"}},
		{"--Spawner.cmd=my-server", func(c *config.Config) any { return []string(c.Spawner.Cmd) }, []string{"my-server"}},
		{"--Authenticator.allowed_users={'a','b'}", func(c *config.Config) any { return c.PAMAuthenticator.AllowedUsers }, []string{"a", "b"}},
		{"--Authenticator.allowed_users=a --Authenticator.allowed_users=b", func(c *config.Config) any { return c.Authenticator.AllowedUsers }, []string{"a", "b"}},
		{"--Authenticator.allowed_users=set()", func(c *config.Config) any { return len(c.Authenticator.AllowedUsers) }, 0},
		{"--Spawner.environment=A=1 --Spawner.environment=B=x", func(c *config.Config) any { return c.Spawner.Environment }, map[string]string{"A": "1", "B": "x"}},
		{"--Spawner.environment={'A':'1'}", func(c *config.Config) any { return c.Spawner.Environment }, map[string]string{"A": "1"}},
		{"--JupyterHub.authenticator_class=Dummy", func(c *config.Config) any { return c.JupyterHub.AuthenticatorClass.Native }, "dummy"},
		{"--JupyterHub.services=[{'name':'s'}]", func(c *config.Config) any { return c.JupyterHub.Services[0].Name }, "s"},
		{"--JupyterHub.services={'name':'s'} --JupyterHub.services={'name':'t'}", func(c *config.Config) any { return c.JupyterHub.Services[1].Name }, "t"},
		{"--DockerSpawner.image=x", func(c *config.Config) any { return c.Raw["DockerSpawner"]["image"] }, "x"},
		{"--JupyterHub.hub_socket_mode=0o660", func(c *config.Config) any { return c.JupyterHub.HubSocketMode }, 0o660},
	} {
		src := source(t, `{}`, strings.Fields(c.args)...)
		src.LookupEnv = env("HOME", "/home/me")
		cfg, _, err := config.Load(t.Context(), src)
		if err != nil {
			t.Errorf("%s: %v", c.args, err)
			continue
		}
		if got := c.get(cfg); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s gives %#v, want %#v", c.args, got, c.want)
		}
	}
}

func TestFlagErrors(t *testing.T) {
	for args, want := range map[string]string{
		"--prot=1": "did you mean --port?", "--no-bd": "did you mean --no-db?", "stray": "unexpected argument", "-p 1": "unknown flag -p",
		"--port": "--port needs a value", "-f": "-f needs a value", "--debug=1": "takes no value", "--JupyterHub.ip --debug": "needs a value",
		"---ip=1": "unknown flag", "--genrate-config": "--generate-config", "-- x": "unexpected argument",
	} {
		_, err := config.ParseArgs(strings.Fields(args))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s gives %v, want %q", args, err, want)
		}
	}
}

func TestFlagValuesOfWrongType(t *testing.T) {
	for arg, trait := range map[string]string{
		"--port=ninethousand": "JupyterHub.port", "--JupyterHub.allow_named_servers=yes": "JupyterHub.allow_named_servers",
		"--Spawner.mem_limit=5X": "Spawner.mem_limit", "--Spawner.args=[1": "", "--Spawner.environment=novalue": "Spawner.environment",
		"--Authenticator.allowed_users=[1,2]": "Authenticator.allowed_users", "--Spawner.cpu_limit=x": "Spawner.cpu_limit",
		"--log-level=LOUD": "JupyterHub.log_level", "--log-format=xml": "Minihub.log_format", "--Spawner.pre_spawn_hook=f": "Spawner.pre_spawn_hook",
	} {
		_, report := load(t, `{}`, arg)
		if trait != "" {
			wantProblem(t, report, config.SeverityError, trait)
		}
	}
}

func TestSwitches(t *testing.T) {
	args, err := config.ParseArgs([]string{"--help-all", "--version", "-h", "--generate-config", "--show-config", "--show-config-json", "--"})
	if err != nil || !args.Help || !args.HelpAll || !args.Version || !args.GenerateConfig || !args.ShowConfig || !args.ShowConfigJSON {
		t.Errorf("%+v, %v", args, err)
	}
	args, err = config.ParseArgs([]string{"-f", "a.py", "--config=b.py", "--SharedPasswordAuthenticator.user_password=geheim123"})
	if err != nil || args.ConfigFile() != "b.py" || strings.Contains(args.String(), "geheim") {
		t.Errorf("%v, %v", args, err)
	}
}

func TestFlagsWinOverFile(t *testing.T) {
	cfg := good(t, `{"JupyterHub":{"port":1111,"ip":"10.0.0.1"},"Spawner":{"args":["file"]}}`, "--port=2222", "--Spawner.args=flag")
	if cfg.JupyterHub.Port != 2222 || cfg.JupyterHub.IP != "10.0.0.1" || !reflect.DeepEqual(cfg.ToySpawner.Args, []string{"flag"}) {
		t.Errorf("port %d, ip %s, args %v", cfg.JupyterHub.Port, cfg.JupyterHub.IP, cfg.ToySpawner.Args)
	}
	if !cfg.Given("JupyterHub", "port") || cfg.Given("JupyterHub", "hub_ip") {
		t.Error("Given does not tell what was set")
	}
}

func FuzzParseArgs(f *testing.F) {
	f.Add("--port=1\x00-f\x00x")
	f.Add("--A.b=c\x00--A.b=d\x00-y")
	f.Fuzz(func(t *testing.T, joined string) {
		args, err := config.ParseArgs(strings.Split(joined, "\x00"))
		if err != nil {
			return
		}
		for _, o := range args.Overrides {
			if o.Class == "" || o.Trait == "" || len(o.Texts) == 0 {
				t.Errorf("%q gives an override without a name or text: %+v", joined, o)
			}
		}
	})
}
