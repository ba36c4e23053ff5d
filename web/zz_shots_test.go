package web_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
	"errors"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/rbac"
	"github.com/minihub/minihub/spawner"
	"github.com/minihub/minihub/spawner/spawnertest"
	"github.com/minihub/minihub/web"
)

type menu struct{}
func (menu) Displayed(context.Context) ([]web.Service, error) {
	return []web.Service{{Name: "announcement", Href: "/services/announcement/"}, {Name: "grades", Href: "/services/grades/"}}, nil
}

func TestShots(t *testing.T) {
	dir := os.Getenv("WEB_SHOTS")
	if dir == "" { t.Skip("no") }
	only := os.Getenv("ONLY")
	form := `<p><label for="p">Profile</label> <select name="profile" id="p" class="form-select"><option>Small (1 CPU)</option><option>Large</option></select></p><p><label>Memory <input name="mem" value="2G"></label></p>`
	withForm := false
	w := newWorld(t, worldOptions{edit: func(w *world, o *web.Options) { o.Services = menu{}
		o.Look.Announcements = map[string]string{"home": "Maintenance on <b>Friday</b>."}
		o.Hub.Hooks.OptionsForm = func(context.Context, spawner.Identity) (string, error) { if withForm {return form, nil}; return "", nil }
	}})
	ctx := t.Context()
	alice := w.user("alice"); root := w.user("root")
	for i := range 12 { w.user(fmt.Sprintf("student-%02d", i)) }
	w.groups.CreateOne(ctx, "course-a", []string{"alice", "student-01", "student-02"})
	w.groups.CreateOne(ctx, "course-b", nil)
	w.start(alice, "")
	w.servers.Create(ctx, alice, "data", "Data science, GPU", nil)
	w.start(alice, "data")
	w.servers.Create(ctx, alice, "old-one", "old one", nil)
	id, _ := w.access.OfUser(ctx, alice.ID)
	for _, n := range []string{"laptop", "CI pipeline <img src=x>"} { w.tokens.Create(ctx, id, "alice", hub.NewToken{Note: n}) }
	_, code, err := w.shares.CreateCode(ctx, id, "alice", "data", nil, 0)
	if err != nil { t.Fatal(err) }
	w.fake.Set(spawner.Identity{UserName: "student-01"}, spawnertest.Behaviour{StartErr: errors.New("exec jupyterhub-singleuser: file not found")})
	w.servers.Start(ctx, w.user("student-01"), "", hub.StartOptions{})
	w.fake.Set(spawner.Identity{UserName: "student-02"}, spawnertest.Behaviour{StartDelay: time.Hour})
	w.servers.Start(ctx, w.user("student-02"), "", hub.StartOptions{Wait: -1})
	_ = root
	shot := func(name, as, path string) {
		if only != "" && !strings.Contains(name, only) { return }
		b := w.as(as)
		target, _ := url.Parse(w.url)
		rp := httputil.NewSingleHostReverseProxy(target)
		u := need(url.Parse(w.url + "/hub/"))
		srv := &http.Server{Addr: "127.0.0.1:18099", Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			r.Header.Del("Cookie")
			for _, c := range b.client.Jar.Cookies(u) { r.AddCookie(c) }
			if r.URL.Path == "/consent" {
				return
			}
			rp.ServeHTTP(rw, r)
		})}
		go srv.ListenAndServe()
		time.Sleep(50*time.Millisecond)
		for _, size := range []string{"1280,900", "500,800"} {
			for _, dark := range []bool{false, true} {
				if dark && size != "1280,900" { continue }
				if dark && os.Getenv("DARK") == "" { continue }
				out := fmt.Sprintf("%s/%s-%s%v.png", dir, name, strings.Split(size, ",")[0], map[bool]string{true: "-dark"}[dark])
				args := []string{"--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--timeout=3000", "--screenshot=" + out, "--window-size=" + size}
				if dark { args = append(args, "--blink-settings=preferredColorScheme=0") }
				c, cancel := context.WithTimeout(ctx, 25*time.Second)
				if o, err := exec.CommandContext(c, "/usr/bin/chromium", append(args, "http://127.0.0.1:18099"+path)...).CombinedOutput(); err != nil { t.Log(name, err, string(o)) }
				cancel()
			}
		}
		srv.Close()
	}
	shot("login", "", "/hub/login?username=alice")
	shot("home", "alice", "/hub/home")
	shot("home-stopped", "student-05", "/hub/home")
	shot("token", "alice", "/hub/token")
	shot("pending", "root", "/hub/spawn-pending/student-02")
	shot("failed", "student-01", "/hub/spawn-pending/student-01")
	shot("notrunning", "student-03", "/hub/user/student-03/lab")
	shot("share", "student-03", "/hub/accept-share?code="+code)
	shot("admin", "root", "/hub/admin")
	shot("groups", "root", "/hub/admin?tab=groups")
	shot("error", "alice", "/hub/nothing-here")
	shot("error503", "", "/hub/error/503")
	withForm = true
	shot("spawn", "student-04", "/hub/spawn")
	_ = rbac.Description{}
}
