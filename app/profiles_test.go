package app_test

import (
	"net/http"
	"strings"
	"testing"
)

const profileFunctions = `
def profiles(spawner):
    return [{"display_name": "Small"},
            {"display_name": "For " + spawner.user.name, "slug": "big", "spawner_override": {
                "mem_limit": "2G", "environment": {"FOR": lambda s: s.user.name, "GONE": None}},
             "profile_options": {"pages": {"choices": {"lab": {"spawner_override": {"default_url": "/lab"}}, "tree": {}}}}}]
def seen(spawner):
    print("starts:", spawner.user_options, "mem", spawner.mem_limit, "url", spawner.default_url, "FOR", spawner.environment.get("FOR"), "GONE", spawner.environment.get("GONE"))
c.Spawner.environment = {"GONE": "1"}
c.Spawner.pre_spawn_hook = seen
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
`

// TestProfilesInPython has a function for profile_list, for the hub's own spawner and for a class that knows nothing of profiles.
func TestProfilesInPython(t *testing.T) {
	for name, text := range map[string]string{
		"own spawner":       "c.Spawner.profile_list = profiles\n",
		"spawner in Python": "from jupyterhub.tests.mocking import MockSpawner\nc.JupyterHub.spawner_class = MockSpawner\nc.MockSpawner.profile_list = profiles\n",
	} {
		t.Run(name, func(t *testing.T) {
			h := newPythonHub(t, true, profileFunctions+text, nil)
			h.startPython()
			client, _ := h.browser("ada", "ada")
			req, _ := http.NewRequestWithContext(t.Context(), "GET", h.url+"/hub/spawn", nil)
			req.Header.Set("Sec-Fetch-Mode", "navigate")
			resp, err := client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			body := bodyOf(t, resp)
			for _, want := range []string{`value="small"`, "For ada", `name="profile-option-big--pages"`} {
				if !strings.Contains(body, want) {
					t.Errorf("no %s in the form: %s", want, body)
				}
			}
			if status, body := h.do("POST", "/hub/api/users/ada/server", `{"profile": "huge"}`); status != 400 || !strings.Contains(body, "Profiles are: small, big") {
				t.Errorf("%d %s", status, body)
			}
			if status, body := h.do("POST", "/hub/api/users/ada/server", `{"profile": "big", "pages": "lab"}`); status != 201 {
				t.Errorf("%d %s", status, body)
			}
			eventually(t, func() bool { // the hook sees the profile
				log := h.log.String()
				return strings.Contains(log, "starts: {'pages': 'lab', 'profile': 'big'} mem 2147483648 url /lab FOR ada GONE None") ||
					strings.Contains(log, "starts: {'profile': 'big', 'pages': 'lab'} mem 2147483648 url /lab FOR ada GONE None")
			})
			log := h.log.String()
			if strings.Contains(log, "not recognized") || strings.Contains(log, "unhandled user option") {
				t.Error("there are complaints in the log")
			}
		})
	}
}

// TestProfileListOfTheClassItself: a class with a trait of that name, as kubespawner has it, does everything itself.
func TestProfileListOfTheClassItself(t *testing.T) {
	h := newPythonHub(t, true, `
from jupyterhub.tests.mocking import MockSpawner
from traitlets import List
class Own(MockSpawner):
    profile_list = List(config=True)
    async def get_options_form(self):
        return "<b>own form of %s</b>" % self.profile_list[0]["anything"]
    def options_from_form(self, form):
        return {k: v[0] for k, v in form.items()}
c.JupyterHub.spawner_class = Own
c.Spawner.profile_list = [{"anything": "goes"}]
c.Spawner.pre_spawn_hook = lambda spawner: print("chosen:", spawner.user_options)
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
`, nil)
	h.startPython()
	client, _ := h.browser("ada", "ada")
	get := func(path string) string {
		req, _ := http.NewRequestWithContext(t.Context(), "GET", h.url+path, nil)
		req.Header.Set("Sec-Fetch-Mode", "navigate")
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		return bodyOf(t, resp)
	}
	if body := get("/hub/spawn"); !strings.Contains(body, "<b>own form of goes</b>") || strings.Contains(body, `id="profiles"`) {
		t.Error(body)
	}
	get("/hub/spawn?profile=x") // starts
	h.logs("chosen: {'profile': 'x'}")
}
