package web

import (
	"bytes"
	"fmt"
	"net/http"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/internal/httpmw"
	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/spawner"
)

// configuredForm is the HTML of options_form, "" when there is none.
func (s *Site) configuredForm(r *http.Request, user *orm.User, server string) (string, error) {
	hook := s.o.Hub.Hooks.OptionsForm
	if hook == nil {
		return s.o.Traits.Servers.OptionsForm, nil
	}
	html, err := hook(r.Context(), spawner.Identity{UserName: user.Name, ServerName: server})
	if err != nil {
		return "", fmt.Errorf("make the spawn form: %w", err)
	}
	return html, nil
}

// profiles are those that the spawn form of a server shows; none when the configuration has a form of its own.
func (s *Site) profiles(r *http.Request, user *orm.User, server string) ([]hub.Profile, error) {
	list, err := s.o.Hub.Servers.Profiles(r.Context(), spawner.Identity{UserName: user.Name, ServerName: server})
	if err != nil || len(list) == 0 {
		return nil, err
	}
	html, err := s.configuredForm(r, user, server)
	if err != nil || html != "" {
		return nil, err
	}
	return list, nil
}

// profilesForm is the HTML of the spawn form for profiles. What was sent, else what the last start chose, is chosen already.
func (s *Site) profilesForm(r *http.Request, user *orm.User, server string, list []hub.Profile) (string, error) {
	chosen, _ := hub.ProfileOptions(list, r.PostForm)
	if r.Method != http.MethodPost {
		v, err := s.o.Hub.Servers.View(r.Context(), user, server)
		if err != nil {
			return "", err
		}
		if _, err := hub.ChooseProfile(list, v.UserOptions); err == nil { // they may be older than the list
			chosen = v.UserOptions
		}
	}
	vars := s.globals(r, httpmw.Identity(r).User, map[string]any{"profiles": templateValue(profileVars(list, chosen))})
	var out bytes.Buffer
	_, err := s.engine.render(&out, "profiles.html", false, vars)
	return out.String(), err
}

// profileVars are the profiles for the template, with what is chosen.
func profileVars(list []hub.Profile, chosen map[string]any) []any {
	slug, _ := chosen["profile"].(string)
	out := make([]any, len(list))
	for i, p := range list {
		options := make([]any, len(p.Options))
		now := chosen
		if p.Slug != slug {
			now = nil // names of options mean something else there
		}
		for j, o := range p.Options {
			options[j] = optionVar(p.Slug, o, now)
		}
		out[i] = map[string]any{"slug": p.Slug, "display_name": p.DisplayName, "description": p.Description, "options": options,
			"checked": p.Slug == slug || slug == "" && p.Default}
	}
	return out
}

func optionVar(slug string, o hub.ProfileOption, chosen map[string]any) map[string]any {
	field, unlistedField := hub.ProfileField(slug, o.Name), hub.UnlistedField(slug, o.Name)
	name, _ := chosen[o.Name].(string)
	own, _ := chosen[o.Name+"--unlisted-choice"].(string)
	other := own != "" || name == hub.UnlistedValue
	choices := make([]any, len(o.Choices))
	for i, c := range o.Choices {
		choices[i] = map[string]any{"name": c.Name, "display_name": c.DisplayName, "selected": !other && (c.Name == name || name == "" && c.Default)}
	}
	out := map[string]any{"field": field, "display_name": o.DisplayName, "choices": choices, "unlisted": nil}
	if u := o.Unlisted; u != nil {
		out["unlisted"] = map[string]any{"field": unlistedField, "display_name": u.DisplayName, "in_choices": u.InChoices, "message": u.Message, "value": own, "selected": other}
	}
	return out
}
