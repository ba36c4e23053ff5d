package hub

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Profile is one entry of Spawner.profile_list: a choice that people have before a start, with what it changes.
type Profile struct {
	Slug        string // what user_options["profile"] names it by
	DisplayName string // text
	Description string // HTML of the configuration
	Default     bool   // one of a list is
	Traits      map[string]any
	Options     []ProfileOption
}

// ProfileOption is a further choice within a profile.
type ProfileOption struct {
	Name, DisplayName string
	Choices           []ProfileChoice
	Unlisted          *UnlistedChoice // nil: only what is listed
}

// ProfileChoice is one value of an option.
type ProfileChoice struct {
	Name, DisplayName string
	Default           bool
	Traits            map[string]any
}

// UnlistedChoice allows a value of people's own. "{value}" in its traits becomes that value.
type UnlistedChoice struct {
	DisplayName string // label of the field
	InChoices   string // its line among the choices
	Message     string // what the value must look like
	Pattern     *regexp.Regexp
	Traits      map[string]any
}

// profileMap is a dict of the configuration that is read key by key. The first problem stays.
type profileMap struct {
	where string
	m     map[string]any
	err   *error
}

func (p profileMap) fail(format string, args ...any) {
	if *p.err == nil {
		*p.err = fmt.Errorf("Spawner.profile_list%s: "+format, append([]any{p.where}, args...)...)
	}
}

func (p profileMap) text(key string) string {
	switch v := p.m[key].(type) {
	case nil:
		return ""
	case string:
		return v
	default:
		p.fail("%s must be a string, not %T", key, v)
		return ""
	}
}

func (p profileMap) yes(key string) bool {
	switch v := p.m[key].(type) {
	case nil:
		return false
	case bool:
		return v
	default:
		p.fail("%s must be true or false, not %T", key, v)
		return false
	}
}

// dict is a dict below this one; missing and None are an empty one.
func (p profileMap) dict(key string) profileMap {
	m, ok := p.m[key].(map[string]any)
	if !ok && p.m[key] != nil {
		p.fail("%s must be a dict, not %T", key, p.m[key])
	}
	return profileMap{fmt.Sprintf("%s[%q]", p.where, key), m, p.err}
}

// profileEntry is a dict with its name.
type profileEntry struct {
	profileMap
	slug string
}

// entries are the dicts of a dict, in the order of its keys, which are their names; or those of a list, each with its name as slug: only
// a list keeps the order in which it was written.
func (p profileMap) entries(key string) (out []profileEntry) {
	list, isList := p.m[key].([]any)
	if !isList {
		all := p.dict(key)
		for _, name := range slices.Sorted(maps.Keys(all.m)) {
			out = append(out, profileEntry{all.dict(name), name})
		}
		return out
	}
	for i, item := range list {
		m, _ := item.(map[string]any)
		e := profileMap{fmt.Sprintf("%s[%q][%d]", p.where, key, i), m, p.err}
		slug := e.text("slug")
		if slug == "" || slices.ContainsFunc(out, func(o profileEntry) bool { return o.slug == slug }) {
			e.fail("must be a dict with a slug of its own")
		}
		out = append(out, profileEntry{e, slug})
	}
	return out
}

// traits are the overrides, by kubespawner's name or by that of group_overrides; the latter wins.
func (p profileMap) traits() map[string]any {
	out := maps.Clone(p.dict("kubespawner_override").m)
	if out == nil {
		out = map[string]any{}
	}
	maps.Copy(out, p.dict("spawner_override").m)
	return out
}

func (p profileMap) known(keys ...string) {
	for _, key := range slices.Sorted(maps.Keys(p.m)) {
		if !slices.Contains(keys, key) {
			p.fail("unknown key %q; known are %s", key, strings.Join(keys, ", "))
		}
	}
}

// ParseProfiles reads a profile_list: a list of dicts. As in kubespawner a missing slug is made of display_name, and the first profile is
// the default when none is marked; so is the first choice of an option. An error names the place and what is wrong there.
func ParseProfiles(list []any) ([]Profile, error) {
	var err error
	var out []Profile
	seen := map[string]bool{}
	for i, item := range list {
		m, ok := item.(map[string]any)
		p := profileMap{fmt.Sprintf("[%d]", i), m, &err}
		if !ok {
			p.fail("must be a dict, not %T", item)
			break
		}
		profile := p.profile()
		if seen[profile.Slug] {
			p.fail("the slug %q is used twice", profile.Slug)
		}
		seen[profile.Slug] = true
		out = append(out, profile)
	}
	if err != nil {
		return nil, err
	}
	if len(out) > 0 && !slices.ContainsFunc(out, func(p Profile) bool { return p.Default }) {
		out[0].Default = true
	}
	return out, nil
}

func (p profileMap) profile() Profile {
	p.known("display_name", "slug", "description", "default", "kubespawner_override", "spawner_override", "profile_options")
	out := Profile{Slug: p.text("slug"), DisplayName: p.text("display_name"), Description: p.text("description"), Default: p.yes("default"), Traits: p.traits()}
	if out.Slug == "" {
		out.Slug = slugOf(out.DisplayName)
	}
	if out.Slug == "" {
		p.fail("needs a display_name or a slug")
	}
	if out.DisplayName == "" {
		out.DisplayName = out.Slug
	}
	for _, o := range p.entries("profile_options") {
		if o.slug == profileKey {
			o.fail("an option cannot have the name profile")
		}
		out.Options = append(out.Options, o.option(o.slug))
	}
	return out
}

func (p profileMap) option(name string) ProfileOption {
	p.known("slug", "display_name", "choices", "unlisted_choice")
	out := ProfileOption{Name: name, DisplayName: p.text("display_name")}
	if out.DisplayName == "" {
		out.DisplayName = name
	}
	for _, c := range p.entries("choices") {
		c.known("slug", "display_name", "default", "kubespawner_override", "spawner_override")
		choice := ProfileChoice{Name: c.slug, DisplayName: c.text("display_name"), Default: c.yes("default"), Traits: c.traits()}
		if choice.DisplayName == "" {
			choice.DisplayName = c.slug
		}
		out.Choices = append(out.Choices, choice)
	}
	if len(out.Choices) > 0 && !slices.ContainsFunc(out.Choices, func(c ProfileChoice) bool { return c.Default }) {
		out.Choices[0].Default = true
	}
	out.Unlisted = p.dict("unlisted_choice").unlisted()
	if len(out.Choices) == 0 && out.Unlisted == nil {
		p.fail("needs choices or an unlisted_choice")
	}
	return out
}

func (p profileMap) unlisted() *UnlistedChoice {
	p.known("enabled", "display_name", "display_name_in_choices", "validation_regex", "validation_message", "kubespawner_override", "spawner_override")
	if !p.yes("enabled") {
		return nil
	}
	out := &UnlistedChoice{DisplayName: p.text("display_name"), InChoices: p.text("display_name_in_choices"), Message: p.text("validation_message"), Traits: p.traits()}
	if text := p.text("validation_regex"); text != "" {
		re, err := regexp.Compile("^(?:" + text + ")") // as Python's re.match: from the start
		if err != nil {
			p.fail("validation_regex: %v", err)
		}
		out.Pattern = re
	}
	return out
}

var notInSlugs = regexp.MustCompile(`[^a-z0-9]+`)

func slugOf(name string) string {
	return strings.Trim(notInSlugs.ReplaceAllString(strings.ToLower(name), "-"), "-")
}
