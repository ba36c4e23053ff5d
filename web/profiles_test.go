package web_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/web"
)

// withProfiles makes a world whose spawn form has profiles.
func withProfiles(t *testing.T, edit func(w *world, o *web.Options)) *world {
	t.Helper()
	var list []any
	err := json.Unmarshal([]byte(`[
		{"display_name": "Small <i>", "description": "for <b>notes</b>", "spawner_override": {"cpu_limit": 1}},
		{"display_name": "Large", "slug": "large", "profile_options": {"image": {"display_name": "Image",
			"choices": {"base": {"display_name": "Base"}, "full": {"display_name": "Full", "default": true, "spawner_override": {"args": ["--full"]}}},
			"unlisted_choice": {"enabled": true, "display_name": "Own image", "validation_regex": "[a-z]+$", "validation_message": "small letters", "spawner_override": {"args": ["{value}"]}}}}}]`), &list)
	if err != nil {
		t.Fatal(err)
	}
	return newWorld(t, worldOptions{edit: edit, profiles: need(hub.ParseProfiles(list))})
}

func TestProfileForm(t *testing.T) {
	w := withProfiles(t, nil)
	b := w.as("alice")
	a := b.get("/hub/spawn")
	for _, want := range []string{`<input type="radio" name="profile" id="profile-item-small-i" value="small-i" aria-describedby="profile-text-small-i" checked>`, "Small &lt;i&gt;", "for <b>notes</b>",
		`name="profile-option-large--image"`, `<option value="full" selected>Full</option>`, `<option value="unlisted-choice">Other…</option>`,
		`name="profile-option-large--image--unlisted-choice"`, "small letters"} {
		if !strings.Contains(a.body, want) {
			t.Errorf("no %s in %s", want, a.body)
		}
	}
	if a := b.get("/hub/spawn", "Accept-Language", "de"); !strings.Contains(a.body, ">Andere …</option>") {
		t.Error("not translated")
	}
	run(t, w, []row{
		{name: "unknown profile", as: "alice", method: "POST", path: "/hub/spawn", form: url.Values{"profile": {"huge"}}, status: 400,
			want: []string{"No such profile: huge. Profiles are: small-i, large", `name="profile"`}},
		{name: "own choice that is refused stays in the form", as: "alice", method: "POST", path: "/hub/spawn", status: 400,
			form: url.Values{"profile": {"large"}, "profile-option-large--image": {"unlisted-choice"}, "profile-option-large--image--unlisted-choice": {`"><script>1`}},
			want: []string{"The option image does not take the value", "small letters", `value="large" checked`, `<option value="unlisted-choice" selected>`, `value="&#34;&gt;&lt;script&gt;1"`}, wantNot: []string{"<script>1"}},
		{name: "starts", as: "alice", method: "POST", path: "/hub/spawn", form: url.Values{"profile": {"large"}, "profile-option-large--image": {"base"}, "zone": {"a"}},
			status: 302, location: "/hub/spawn-pending/alice"},
		{name: "link", as: "bob", path: "/hub/spawn?profile=large&image=full", status: 302, location: "/hub/spawn-pending/bob?profile=large&image=full"},
		{name: "bad link", as: "carol", path: "/hub/spawn?profile=none", status: 200, want: []string{"No such profile: none", `name="profile"`}},
	})
	until(t, "the starts", func() bool { return len(w.fake.Requests()) == 2 })
	for _, r := range w.fake.Requests() {
		want := map[string]string{"alice": `{"image":"base","profile":"large","zone":["a"]}`, "bob": `{"image":"full","profile":"large"}`}[r.UserName]
		if got := string(need(json.Marshal(r.UserOptions))); got != want {
			t.Errorf("%s: options %s, want %s", r.UserName, got, want)
		}
	}
	if done, err := w.servers.Stop(t.Context(), w.user("alice"), "", hub.StopOptions{}); err != nil || !done {
		t.Fatal(done, err)
	}
	if a := b.get("/hub/spawn"); !strings.Contains(a.body, `value="large" checked`) || !strings.Contains(a.body, `<option value="base" selected>`) {
		t.Errorf("what the last start chose is not chosen: %s", a.body)
	}
}

func TestAFormOfTheConfigurationComesBeforeProfiles(t *testing.T) {
	w := withProfiles(t, func(_ *world, o *web.Options) { o.Traits.Servers.OptionsForm = `<input name="profile">` })
	b := w.as("alice")
	if a := b.get("/hub/spawn"); !strings.Contains(a.body, `<input name="profile">`) || strings.Contains(a.body, `id="profiles"`) {
		t.Error(a.body)
	}
}
