//go:build unix

package services_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/internal/supervise"
)

func lines(t *testing.T, path string) []string {
	t.Helper()
	data, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return nil
	}
	noErr(t, err)
	return strings.Fields(string(data))
}

func shell(name, script string) hub.ServiceSpec {
	return hub.ServiceSpec{Name: name, Command: []string{"sh", "-c", script}}
}

// A service that ends is started again, with the same token, and others do not notice.
func TestRestart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "runs")
	w := running(t, []hub.ServiceSpec{shell("dies", `echo "$JUPYTERHUB_API_TOKEN" >>`+file+`; exit 3`), server(t, "stays")})
	stays := w.pid("stays")
	eventually(t, "four runs", func() bool { return len(lines(t, file)) >= 4 })
	for _, token := range lines(t, file)[1:] {
		if token != lines(t, file)[0] {
			t.Error("a restart changed the token")
		}
	}
	eventually(t, "three restarts are counted", func() bool { // the count follows the start of the process
		v := w.view("dies")
		return v.Restarts >= 3 && v.Managed
	})
	eventually(t, "the log tells", func() bool { return w.log.has("service ended, restarting it") && w.log.has("exit code 3") })

	before := w.view("stays")
	noErr(t, syscall.Kill(stays, syscall.SIGKILL))
	eventually(t, "stays runs again", func() bool {
		v := w.view("stays")
		return v.PID != stays && v.Restarts == before.Restarts+1
	})
	eventually(t, "the log tells", func() bool { return w.log.has("killed by signal 9") })
}

func TestLogLines(t *testing.T) {
	w := running(t, []hub.ServiceSpec{shell("talker", `echo out; echo "err and more" >&2; printf 'no end'; exec sleep 600`), shell("quiet", "exec sleep 600")})
	eventually(t, "both lines", func() bool { return w.log.has(`msg="[talker] out"`) && w.log.has(`msg="[talker] err and more"`) })
	noErr(t, w.services.Stop(t.Context()))
	if !w.log.has(`msg="[talker] no end"`) {
		t.Errorf("a line without end is lost:\n%s", w.log)
	}
	if w.log.has("[quiet]") {
		t.Errorf("lines of nobody:\n%s", w.log)
	}
}

// A managed service that does not come up ends the start; the error says which one, why and what to do, and nothing keeps running.
func TestStartErrors(t *testing.T) {
	at := func(spec hub.ServiceSpec, address string, timeout time.Duration) hub.ServiceSpec {
		spec.URL, spec.Timeout = "http://"+address, timeout
		return spec
	}
	free := freeAddress(t)
	tests := []struct {
		name string
		spec hub.ServiceSpec
		want []string
	}{
		{"missing command", hub.ServiceSpec{Name: "bad", Command: []string{"no-such-program", "x"}}, []string{"command not found", "no-such-program", "JupyterHub.services"}},
		{"not executable", hub.ServiceSpec{Name: "bad", Command: []string{"/etc/passwd"}}, []string{"permission denied", "JupyterHub.services"}},
		{"ends at once", at(shell("bad", "for i in 1 2 3 4 5 6 7; do echo line $i; done; exit 7"), free, time.Minute), []string{"exit code 7", "line 3\n", "line 7", free}},
		{"ends without a word", at(shell("bad", "exit 1"), free, time.Minute), []string{"exit code 1", free}},
		{"does not answer", at(shell("bad", "echo waiting for nothing; exec sleep 600"), free, 3*time.Second), []string{"does not answer at http://" + free, "waiting for nothing", "timeout"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, []hub.ServiceSpec{sleeper("good"), tt.spec, shell("never", "touch "+filepath.Join(t.TempDir(), "x"))})
			err := w.services.Start(t.Context())
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range append(tt.want, "start service bad") {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is missing in: %v", want, err)
				}
			}
			if strings.Contains(err.Error(), "line 2") {
				t.Errorf("too much log: %v", err)
			}
			for _, name := range []string{"good", "bad", "never"} {
				if v := w.view(name); alive(v.PID) || name == "never" && v.PID != 0 {
					t.Errorf("%s still runs", name)
				}
			}
		})
	}
}

// The proxy that cannot be reached at start is an error: nobody could use the service.
func TestStartWithoutProxy(t *testing.T) {
	w := newWorld(t, []hub.ServiceSpec{server(t, "web")})
	w.router.breaks(fmt.Errorf("proxy is away"))
	if err := w.services.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "start service web: add its route: proxy is away") {
		t.Errorf("%v", err)
	}
}

// A hub that is stopped while it starts does not blame the service, and leaves nothing running.
func TestStartIsCalledOff(t *testing.T) {
	spec := shell("slow", "echo ready; exec sleep 600")
	spec.URL = "http://" + freeAddress(t)
	w := newWorld(t, []hub.ServiceSpec{spec})
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error)
	go func() { failed <- w.services.Start(ctx) }()
	eventually(t, "it waits", func() bool { return w.log.has("[slow] ready") })
	cancel()
	if err := <-failed; !errors.Is(err, context.Canceled) || strings.Contains(err.Error(), "timeout") {
		t.Errorf("%v", err)
	}
	if alive(w.view("slow").PID) {
		t.Error("it still runs")
	}
}

// An external service is routed at once; when it is not there, that is a line in the log.
func TestExternal(t *testing.T) {
	address := freeAddress(t)
	w := running(t, []hub.ServiceSpec{{Name: "gone", URL: "http://" + address, Timeout: time.Second}, {Name: "script", APIToken: "token-of-a-script"}})
	if got := w.router.all()["/base/services/gone/"].Target; got != "http://"+address {
		t.Errorf("route to %q", got)
	}
	eventually(t, "the warning", func() bool {
		return w.log.has("level=WARN msg=\"external service does not answer\" service=gone url=http://" + address)
	})
	if v := w.view("gone"); v.Managed || v.PID != 0 || v.Prefix != "/base/services/gone/" {
		t.Errorf("%+v", v)
	}
}

// Stop does not wait for an external service that never comes.
func TestStopEndsWaiting(t *testing.T) {
	w := running(t, []hub.ServiceSpec{{Name: "a", URL: "http://" + freeAddress(t), Timeout: time.Hour}, {Name: "b", URL: "http://" + freeAddress(t), Timeout: time.Hour}})
	begin := time.Now()
	noErr(t, w.services.Stop(t.Context()))
	if took := time.Since(begin); took > time.Minute {
		t.Errorf("took %s", took)
	}
	if w.log.has("does not answer") {
		t.Errorf("the end of the wait was taken for an answer:\n%s", w.log)
	}
	noErr(t, w.services.Stop(t.Context()))
}

// Services are stopped one after the other, in the order of the configuration, and not started again.
func TestStopOrder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "order")
	polite := func(name string) hub.ServiceSpec {
		return shell(name, `trap 'echo `+name+`-int >>`+file+`; sleep 0.05; echo `+name+`-gone >>`+file+`; exit 0' INT; echo ready; while :; do sleep 0.01; done`)
	}
	w := running(t, []hub.ServiceSpec{polite("b"), polite("c"), polite("a")})
	eventually(t, "all are ready", func() bool { return w.log.has("[a] ready") && w.log.has("[b] ready") && w.log.has("[c] ready") })
	noErr(t, w.services.Stop(t.Context()))
	if got := strings.Join(lines(t, file), " "); got != "b-int b-gone c-int c-gone a-int a-gone" {
		t.Errorf("order: %s", got)
	}
	for _, name := range []string{"a", "b", "c"} {
		if v := w.view(name); alive(v.PID) || v.Restarts != 0 {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

// A service that does not listen is ended anyway.
func TestStopStubborn(t *testing.T) {
	w := newWorld(t, []hub.ServiceSpec{shell("mule", `trap '' INT TERM; echo ready; while :; do sleep 0.01; done`)}, func(o *options) {
		o.stop = supervise.StopTimeouts{Interrupt: 100 * time.Millisecond, Term: 100 * time.Millisecond, Kill: 5 * time.Second}
	})
	noErr(t, w.services.Start(t.Context()))
	pid := w.pid("mule")
	eventually(t, "ready", func() bool { return w.log.has("[mule] ready") })
	noErr(t, w.services.Stop(t.Context())) // by KILL
	if alive(pid) {
		t.Error("it still runs")
	}
}

// What a killed hub left behind is ended before the same service is started; servers of users are not services.
func TestLeftovers(t *testing.T) {
	w := newWorld(t, []hub.ServiceSpec{server(t, "web")})
	id, err := w.store.HubID(t.Context())
	noErr(t, err)
	old := func(env map[string]string) *supervise.Process {
		t.Helper()
		env["PATH"] = os.Getenv("PATH")
		p, err := supervise.Start(supervise.Command{Argv: []string{"sleep", "600"}, Env: env})
		noErr(t, err)
		t.Cleanup(func() { noErr(t, p.Stop(context.Background(), supervise.StopTimeouts{Term: time.Second})) })
		return p
	}
	ours := []*supervise.Process{
		old(map[string]string{supervise.EnvHubID: id, "JUPYTERHUB_SERVICE_NAME": "web"}),
		old(map[string]string{supervise.EnvHubID: id, "JUPYTERHUB_SERVICE_NAME": "left-the-configuration"}),
	}
	others := []*supervise.Process{
		old(map[string]string{supervise.EnvHubID: id, supervise.EnvMarker: "m1", "JUPYTERHUB_SERVICE_NAME": "set by a user"}),
		old(map[string]string{supervise.EnvHubID: id}),
		old(map[string]string{supervise.EnvHubID: "of another hub", "JUPYTERHUB_SERVICE_NAME": "web"}),
		old(map[string]string{"JUPYTERHUB_SERVICE_NAME": "web"}),
	}
	noErr(t, w.services.Start(t.Context()))
	for i, p := range ours {
		if p.Poll() == nil {
			t.Errorf("leftover %d still runs", i)
		}
	}
	for i, p := range others {
		if p.Poll() != nil {
			t.Errorf("stranger %d was ended", i)
		}
	}
	if !w.log.has("an earlier hub left running") {
		t.Errorf("log:\n%s", w.log)
	}
	w.pid("web")
}

func TestWatch(t *testing.T) {
	var patience atomic.Int64 // without end while the service starts
	w := running(t, []hub.ServiceSpec{server(t, "web"), sleeper("plain")}, func(o *options) { o.prober.patience = &patience })
	patience.Store(int64(100 * time.Millisecond))
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.services.Watch(ctx, time.Millisecond)
	}()
	noErr(t, w.services.Stop(t.Context()))
	eventually(t, "the error", func() bool { return w.log.has(`level=ERROR msg="service does not answer" service=web`) })
	stop()
	<-done
	if w.log.has("service=plain url") {
		t.Errorf("a service without url was asked:\n%s", w.log)
	}
	for scan := bufio.NewScanner(strings.NewReader(w.log.String())); scan.Scan(); {
		if strings.Contains(scan.Text(), "context canceled") {
			t.Errorf("the end was taken for an answer: %s", scan.Text())
		}
	}
}
