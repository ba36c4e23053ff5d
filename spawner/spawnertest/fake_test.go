package spawnertest_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/minihub/minihub/spawner"
	"github.com/minihub/minihub/spawner/spawnertest"
)

func TestMain(m *testing.M) {
	spawnertest.Main()
	goleak.VerifyTestMain(m)
}

func TestFakeConforms(t *testing.T) {
	fakes := map[string]*spawnertest.Fake{}
	spawnertest.Run(t, func(t *testing.T) spawner.Driver {
		// One Fake for each subtest: what a restarted hub would find again.
		if fakes[t.Name()] == nil {
			fakes[t.Name()] = spawnertest.NewFake(spawnertest.Behaviour{})
			t.Cleanup(fakes[t.Name()].Shutdown)
		}
		return fakes[t.Name()]
	}, spawnertest.Options{
		Adopts: true,
		Failing: func(t *testing.T, driver spawner.Driver, id spawner.Identity) spawner.Request {
			fake := driver.(*spawnertest.Fake)
			fake.Set(id, spawnertest.Behaviour{StartErr: errors.New("no")})
			return spawnertest.Request(t, driver, id)
		},
		Request: func(t *testing.T, driver spawner.Driver, id spawner.Identity) spawner.Request {
			driver.(*spawnertest.Fake).Set(id, spawnertest.Behaviour{})
			return spawnertest.Request(t, driver, id)
		},
	})
}

func TestFakeBehaviours(t *testing.T) {
	ctx := context.Background()
	id := spawner.Identity{UserName: "alice"}
	start := func(t *testing.T, fake *spawnertest.Fake) (spawner.Spawner, string, error) {
		t.Helper()
		t.Cleanup(fake.Shutdown)
		sp := fake.New(id)
		url, err := sp.Start(ctx, spawner.Request{Identity: id, BaseURL: "/user/alice/", UserOptions: map[string]any{"a": 1}})
		return sp, url, err
	}
	t.Run("slow", func(t *testing.T) {
		began := time.Now()
		if _, _, err := start(t, spawnertest.Slow(30*time.Millisecond)); err != nil || time.Since(began) < 30*time.Millisecond {
			t.Errorf("took %v, %v", time.Since(began), err)
		}
	})
	t.Run("never ready", func(t *testing.T) {
		sp, url, err := start(t, spawnertest.NeverReady())
		if err != nil || spawnertest.Answers(url+"/user/alice/api") {
			t.Errorf("ready, %v", err)
		}
		if exit, _ := sp.Poll(ctx); exit != nil {
			t.Errorf("ended: %+v", exit)
		}
		resp, err := http.Get(url)
		if err != nil || resp.StatusCode != http.StatusServiceUnavailable {
			t.Fatalf("%v %v, want 503", resp, err)
		}
		resp.Body.Close()
		http.DefaultClient.CloseIdleConnections()
	})
	t.Run("failing", func(t *testing.T) {
		want := errors.New("no room")
		sp, _, err := start(t, spawnertest.Failing(want))
		if !errors.Is(err, want) {
			t.Errorf("start: %v", err)
		}
		if d := sp.(spawner.Diagnoser).Diagnose(ctx); !strings.Contains(d.Cause, "no room") {
			t.Errorf("diagnosis %+v", d)
		}
	})
	t.Run("dying", func(t *testing.T) {
		sp, _, err := start(t, spawnertest.Dying(time.Millisecond))
		if err != nil {
			t.Fatal(err)
		}
		deadline := time.Now().Add(10 * time.Second)
		for exit, _ := sp.Poll(ctx); exit == nil || exit.Code != 1; exit, _ = sp.Poll(ctx) {
			if time.Now().After(deadline) {
				t.Fatal("did not die")
			}
			time.Sleep(time.Millisecond)
		}
	})
	t.Run("form", func(t *testing.T) {
		fake := spawnertest.Form("<input name=size>")
		if form, err := fake.OptionsForm(ctx, id); form != "<input name=size>" || err != nil {
			t.Errorf("form %q, %v", form, err)
		}
		if _, _, err := start(t, fake); err != nil {
			t.Fatal(err)
		}
		if got := fake.Requests(); len(got) != 1 || got[0].UserOptions["a"] != 1 {
			t.Errorf("requests %+v", got)
		}
	})
	t.Run("killed", func(t *testing.T) {
		fake := spawnertest.NewFake(spawnertest.Behaviour{StopDelay: time.Hour})
		sp, _, err := start(t, fake)
		if err != nil {
			t.Fatal(err)
		}
		if got := fake.Running(); len(got) != 1 || got[0] != id {
			t.Errorf("running %v", got)
		}
		if !fake.Kill(id, spawner.Exit{Code: 9}) || fake.Kill(id, spawner.Exit{}) {
			t.Error("Kill does not tell what it did")
		}
		if exit, _ := sp.Poll(ctx); exit == nil || exit.Code != 9 {
			t.Errorf("exit %+v", exit)
		}
		if err := sp.Stop(ctx, false); err != nil || fake.Stops() != 1 || len(fake.Running()) != 0 {
			t.Errorf("stop: %v, %d stops, %v running", err, fake.Stops(), fake.Running())
		}
	})
}
