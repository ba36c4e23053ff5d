package hub_test

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/minihub/minihub/hub"
)

// profileList has all that a profile_list may hold.
func profileList() []any {
	return []any{
		dict{"display_name": "Small & quick", "description": "one <b>core</b>", "kubespawner_override": dict{"cpu_limit": 1, "environment": dict{"SIZE": "small"}}},
		dict{"display_name": "GPU", "slug": "gpu", "default": true, "spawner_override": dict{"mem_limit": "8G", "environment": dict{"SIZE": "large", "OLD": nil}},
			"profile_options": dict{
				"image": dict{"display_name": "Image", "choices": dict{
					"base": dict{"spawner_override": dict{"args": []any{"--base"}}},
					"full": dict{"display_name": "Everything", "default": true, "spawner_override": dict{"args": []any{"--full"}}}},
					"unlisted_choice": dict{"enabled": true, "validation_regex": `[a-z]+:\d+$`, "validation_message": "name:number",
						"spawner_override": dict{"args": []any{"--image={value}"}, "environment": dict{"IMAGE": "{value}"}}}},
				"cores": dict{"unlisted_choice": dict{"enabled": true, "spawner_override": dict{"cpu_limit": "{value}"}},
					"choices": []any{dict{"slug": "two", "kubespawner_override": dict{"cpu_limit": 2}}, dict{"slug": "four", "kubespawner_override": dict{"cpu_limit": 4}}}},
			}},
	}
}

func profiles(t *testing.T, list []any) []hub.Profile {
	t.Helper()
	out, err := hub.ParseProfiles(list)
	noErr(t, err)
	return out
}

func TestStartsWithProfiles(t *testing.T) {
	r := newRig(t, func(o *rigOptions) {
		o.traits.Profiles = profiles(t, profileList())
		o.traits.Spawn.Environment = map[string]string{"OLD": "1", "KEPT": "1"}
		o.traits.UserOptionTraits = map[string]string{"page": "default_url"}
	})
	rows := []struct {
		name    string
		options dict
		bad     string // "": it starts
		cpu     float64
		mem     int64
		args    []string
		env     map[string]string // of SIZE, OLD, KEPT, IMAGE
	}{
		{name: "the default", cpu: 2, mem: 8 << 30, args: []string{"--full"}, env: map[string]string{"SIZE": "large", "KEPT": "1"}},
		{name: "by a slug made of the name", options: dict{"profile": "small-quick"}, cpu: 1, env: map[string]string{"SIZE": "small", "OLD": "1", "KEPT": "1"}},
		{name: "with a choice", options: dict{"profile": "gpu", "image": "base", "cores": "four", "page": "/lab"}, cpu: 4, mem: 8 << 30, args: []string{"--base"},
			env: map[string]string{"SIZE": "large", "KEPT": "1"}},
		{name: "with an unlisted choice", options: dict{"profile": "gpu", "image--unlisted-choice": "mine:3", "cores--unlisted-choice": "1.5"}, cpu: 1.5, mem: 8 << 30,
			args: []string{"--image=mine:3"}, env: map[string]string{"SIZE": "large", "KEPT": "1", "IMAGE": "mine:3"}},
		{name: "unknown", options: dict{"profile": "huge"}, bad: "No such profile: huge. Profiles are: small-quick, gpu"},
		{name: "unknown choice", options: dict{"profile": "gpu", "image": "none"}, bad: "No such choice of image: none. Choices are: base, full"},
		{name: "unlisted choice of another form", options: dict{"profile": "gpu", "image--unlisted-choice": "x; rm"}, bad: `The option image does not take the value "x; rm"`},
		{name: "unlisted choice of the wrong type", options: dict{"profile": "gpu", "cores--unlisted-choice": "many"}, bad: "Spawner.cpu_limit must be a number"},
		{name: "no text", options: dict{"profile": []any{"gpu"}}, bad: "The option profile must be a text"},
		{name: "no text as choice", options: dict{"profile": "gpu", "image": 3}, bad: "The option image must be a text"},
	}
	for i, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			u := r.user("user" + string(rune('a'+i)))
			_, err := r.live.Start(t.Context(), u, "", hub.StartOptions{UserOptions: row.options})
			if row.bad != "" {
				if hub.KindOf(err) != hub.Invalid || !strings.Contains(err.Error(), row.bad) {
					t.Errorf("%v", err)
				}
				return
			}
			noErr(t, err)
			req := r.driver.lastRequest()
			env := map[string]string{}
			for _, key := range []string{"SIZE", "OLD", "KEPT", "IMAGE"} {
				if v, ok := req.Env[key]; ok {
					env[key] = v
				}
			}
			if req.CPULimit != row.cpu || req.MemLimit != row.mem || !slices.Equal(req.Args, row.args) || !maps.Equal(env, row.env) {
				t.Errorf("cpu %v, memory %d, args %q, env %v", req.CPULimit, req.MemLimit, req.Args, env)
			}
			if got := r.view(u, "").UserOptions; len(got) != len(row.options) {
				t.Errorf("options kept: %v", got)
			}
		})
	}
	if strings.Contains(r.log.String(), "unhandled user option") {
		t.Error("options of profiles were complained about")
	}
	if t2 := r.options.Traits.Spawn.Environment; t2["OLD"] != "1" || t2["SIZE"] != "" {
		t.Errorf("a start changed the configuration: %v", t2)
	}
}

func TestProfileListsThatAreWrong(t *testing.T) {
	for want, list := range map[string][]any{
		`[0]: needs a display_name or a slug`:                                                   {dict{}},
		`[1]: the slug "a" is used twice`:                                                       {dict{"slug": "a"}, dict{"display_name": "A"}},
		`[0]: must be a dict, not string`:                                                       {"a"},
		`[0]: display_name must be a string, not int`:                                           {dict{"display_name": 1}},
		`[0]: default must be true or false, not string`:                                        {dict{"slug": "a", "default": "yes"}},
		`[0]: unknown key "overide"; known are display_name`:                                    {dict{"slug": "a", "overide": dict{}}},
		`[0]: spawner_override must be a dict, not string`:                                      {dict{"slug": "a", "spawner_override": "x"}},
		`[0]["profile_options"]["o"]: needs choices or an unlisted_choice`:                      {dict{"slug": "a", "profile_options": dict{"o": dict{}}}},
		`[0]["profile_options"][0]: must be a dict with a slug of its own`:                      {dict{"slug": "a", "profile_options": []any{dict{}}}},
		`[0]["profile_options"]["o"]["unlisted_choice"]: validation_regex: error parsing regex`: {dict{"slug": "a", "profile_options": dict{"o": dict{"unlisted_choice": dict{"enabled": true, "validation_regex": "("}}}}},
	} {
		if _, err := hub.ParseProfiles(list); err == nil || !strings.Contains(err.Error(), "Spawner.profile_list"+want) {
			t.Errorf("%v\nwant %s", err, want)
		}
	}
	list := profiles(t, []any{dict{"slug": "a", "spawner_override": dict{"image": "x", "cpu_limit": 1}}, dict{"slug": "b", "spawner_override": dict{"mem_limit": "lots"}}})
	unknown, err := hub.CheckProfiles(list, hub.SpawnTraits{})
	if !slices.Equal(unknown, []string{"image"}) || err == nil || !strings.Contains(err.Error(), "profile b: Spawner.mem_limit must be a size") {
		t.Errorf("%v %v", unknown, err)
	}
}

func TestFieldsOfProfiles(t *testing.T) {
	list := profiles(t, profileList())
	rows := []struct {
		name       string
		form, rest map[string][]string
		options    dict
	}{
		{"nothing", map[string][]string{"x": {"1"}}, map[string][]string{"x": {"1"}}, dict{}},
		{"fields of another profile do not count", map[string][]string{"profile": {"small-quick"}, "profile-option-gpu--image": {"base"}}, map[string][]string{}, dict{"profile": "small-quick"}},
		{"what is written beside a listed choice does not count", map[string][]string{"profile": {"gpu"}, "profile-option-gpu--image": {"base"}, "profile-option-gpu--image--unlisted-choice": {"old"}},
			map[string][]string{}, dict{"profile": "gpu", "image": "base"}},
		{"own", map[string][]string{"profile": {"gpu"}, "profile-option-gpu--image": {"unlisted-choice"}, "profile-option-gpu--image--unlisted-choice": {"a:1"}}, map[string][]string{},
			dict{"profile": "gpu", "image--unlisted-choice": "a:1"}},
		{"own without text", map[string][]string{"profile": {"gpu"}, "profile-option-gpu--image": {"unlisted-choice"}}, map[string][]string{}, dict{"profile": "gpu", "image": "unlisted-choice"}},
		{"as kubespawner's page sends it", map[string][]string{"profile": {"gpu"}, "profile-option-gpu--image--unlisted-choice": {"a:1"}}, map[string][]string{}, dict{"profile": "gpu", "image--unlisted-choice": "a:1"}},
		{"a short link", map[string][]string{"profile": {"gpu"}, "image": {"base"}, "zone": {"b"}}, map[string][]string{"zone": {"b"}}, dict{"profile": "gpu", "image": "base"}},
		{"an unknown profile is kept for the message", map[string][]string{"profile": {"huge"}}, map[string][]string{}, dict{"profile": "huge"}},
	}
	for _, row := range rows {
		options, rest := hub.ProfileOptions(list, row.form)
		if !reflect.DeepEqual(options, row.options) || !reflect.DeepEqual(rest, row.rest) {
			t.Errorf("%s: %v, and %v", row.name, options, rest)
		}
	}
}
