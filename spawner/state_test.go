package spawner_test

import (
	"encoding/json"
	"testing"

	"github.com/minihub/minihub/spawner"
)

func TestStateIntTakesEveryFormOfANumber(t *testing.T) {
	var decoded spawner.State
	if err := json.Unmarshal([]byte(`{"pid": 4242, "half": 1.5, "huge": 1e300, "text": "7", "null": null}`), &decoded); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		state spawner.State
		key   string
		want  int64
		ok    bool
	}{
		"decoded":    {decoded, "pid", 4242, true},
		"fraction":   {decoded, "half", 0, false},
		"too large":  {decoded, "huge", 0, false},
		"string":     {decoded, "text", 0, false},
		"null":       {decoded, "null", 0, false},
		"missing":    {decoded, "nope", 0, false},
		"nil state":  {nil, "pid", 0, false},
		"int":        {spawner.State{"pid": 7}, "pid", 7, true},
		"uint64":     {spawner.State{"pid": uint64(7)}, "pid", 7, true},
		"number":     {spawner.State{"pid": json.Number("12")}, "pid", 12, true},
		"bad number": {spawner.State{"pid": json.Number("1.2")}, "pid", 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := c.state.Int(c.key)
			if ok != c.ok || ok && got != c.want {
				t.Errorf("Int(%q) = %d, %v; want %d, %v", c.key, got, ok, c.want, c.ok)
			}
		})
	}
	if got := decoded.Text("text"); got != "7" {
		t.Errorf("Text = %q, want 7", got)
	}
	if got := decoded.Text("pid"); got != "" {
		t.Errorf("Text of a number = %q, want nothing", got)
	}
}

func TestIdentityAndArgv(t *testing.T) {
	if got := (spawner.Identity{UserName: "a"}).String(); got != "a" {
		t.Errorf("default server is %q", got)
	}
	if got := (spawner.Identity{UserName: "a", ServerName: "b"}).String(); got != "a/b" {
		t.Errorf("named server is %q", got)
	}
	cmd := make([]string, 1, 8)
	cmd[0] = "x"
	req := spawner.Request{Cmd: cmd, Args: []string{"1"}}
	first := req.Argv()
	first[0] = "changed"
	if got := req.Argv(); got[0] != "x" || len(got) != 2 || got[1] != "1" {
		t.Errorf("Argv = %q", got)
	}
}
