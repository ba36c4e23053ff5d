package hub

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/minihub/minihub/spawner"
)

// Names of user options and form fields, which are kubespawner's: user_options have profile, NAME and NAME--unlisted-choice; fields of forms
// have profile-option-SLUG-- in front of the latter two.
const (
	profileKey     = "profile"
	unlistedSuffix = "--unlisted-choice"
	// UnlistedValue is what a form sends for an option whose value is in the field for unlisted choices.
	UnlistedValue = "unlisted-choice"
)

// ProfileField is the name of the form field of an option.
func ProfileField(slug, option string) string { return "profile-option-" + slug + "--" + option }

// UnlistedField is the name of the form field of an option's unlisted choice.
func UnlistedField(slug, option string) string { return ProfileField(slug, option) + unlistedSuffix }

// Profiles returns the profiles to choose from for one server, nil for none. The list of a function may differ from person to person.
func (s *Servers) Profiles(ctx context.Context, id spawner.Identity) ([]Profile, error) {
	if s.o.Hooks.Profiles != nil {
		return s.o.Hooks.Profiles(ctx, id)
	}
	return s.o.Traits.Profiles, nil
}

// HasProfiles reports whether people may have profiles to choose from.
func (s *Servers) HasProfiles() bool {
	return s.o.Hooks.Profiles != nil || len(s.o.Traits.Profiles) > 0
}

// ProfileOptions splits what a form sent into the user_options about profiles, and the other fields. A link may name options without the
// long prefix.
func ProfileOptions(profiles []Profile, form map[string][]string) (options map[string]any, rest map[string][]string) {
	options, rest = map[string]any{}, map[string][]string{}
	first := func(key string) string {
		if values := form[key]; len(values) > 0 {
			return values[0]
		}
		return ""
	}
	slug := first(profileKey)
	chosen, known := findProfile(profiles, slug)
	if slug != "" {
		options[profileKey] = slug
	}
	ours := map[string]bool{profileKey: true}
	if known {
		for _, o := range chosen.Options {
			field := ProfileField(chosen.Slug, o.Name)
			if _, long := form[field]; !long && first(field+unlistedSuffix) == "" {
				field = o.Name
			}
			ours[field], ours[field+unlistedSuffix] = true, true
			value, own := first(field), first(field+unlistedSuffix)
			switch {
			case own != "" && (value == "" || value == UnlistedValue):
				options[o.Name+unlistedSuffix] = own
			case value != "":
				options[o.Name] = value
			}
		}
	}
	for key, values := range form {
		if !ours[key] && !strings.HasPrefix(key, "profile-option-") {
			rest[key] = values
		}
	}
	return options, rest
}

// findProfile returns the profile of that slug, for "" the default one.
func findProfile(profiles []Profile, slug string) (Profile, bool) {
	i := slices.IndexFunc(profiles, func(p Profile) bool { return slug == "" && p.Default || slug != "" && p.Slug == slug })
	if i < 0 {
		return Profile{}, false
	}
	return profiles[i], true
}

func badProfile(hint, format string, args ...any) error {
	return &Error{Kind: Invalid, Message: fmt.Sprintf(format, args...), Hint: hint, Reason: "options"}
}

// optionText is a user option that must be a text; nil is none.
func optionText(options map[string]any, key string) (string, error) {
	switch v := options[key].(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	default:
		return "", badProfile("", "The option %s must be a text", clip(key, 64))
	}
}

// ChooseProfile returns the traits that user_options choose, to be applied one after the other. Invalid: there is no such profile or choice.
func ChooseProfile(profiles []Profile, options map[string]any) ([]map[string]any, error) {
	if len(profiles) == 0 {
		return nil, nil
	}
	slug, err := optionText(options, profileKey)
	if err != nil {
		return nil, err
	}
	p, ok := findProfile(profiles, slug)
	if !ok {
		slugs := make([]string, len(profiles))
		for i, p := range profiles {
			slugs[i] = p.Slug
		}
		return nil, badProfile("", "No such profile: %s. Profiles are: %s", clip(slug, 64), strings.Join(slugs, ", "))
	}
	out := []map[string]any{p.Traits}
	for _, o := range p.Options {
		traits, err := o.choose(options)
		if err != nil {
			return nil, err
		}
		out = append(out, traits)
	}
	return out, nil
}

func (o ProfileOption) choose(options map[string]any) (map[string]any, error) {
	own, err := optionText(options, o.Name+unlistedSuffix)
	if err != nil {
		return nil, err
	}
	if own != "" {
		return o.unlisted(own)
	}
	name, err := optionText(options, o.Name)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(o.Choices))
	for i, c := range o.Choices {
		if name == "" && c.Default || name != "" && c.Name == name {
			return c.Traits, nil
		}
		names[i] = c.Name
	}
	if name == "" || name == UnlistedValue && o.Unlisted != nil {
		return nil, badProfile("", "The option %s needs a value", o.Name)
	}
	return nil, badProfile("", "No such choice of %s: %s. Choices are: %s", o.Name, clip(name, 64), strings.Join(names, ", "))
}

func (o ProfileOption) unlisted(value string) (map[string]any, error) {
	if o.Unlisted == nil {
		return nil, badProfile("", "The option %s has a list of choices, and takes no others", o.Name)
	}
	if p := o.Unlisted.Pattern; p != nil && !p.MatchString(value) {
		return nil, badProfile(o.Unlisted.Message, "The option %s does not take the value %q", o.Name, clip(value, 64))
	}
	out := make(map[string]any, len(o.Unlisted.Traits))
	for name, v := range o.Unlisted.Traits {
		out[name] = withValue(v, value)
	}
	return out, nil
}

// withValue puts the value for {value} everywhere in v.
func withValue(v any, value string) any {
	switch v := v.(type) {
	case string:
		return strings.ReplaceAll(v, "{value}", value)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = withValue(v[i], value)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, x := range v {
			out[strings.ReplaceAll(k, "{value}", value)] = withValue(x, value)
		}
		return out
	}
	return v
}

// applyProfile makes the traits of the chosen profile those of this start, and returns the profiles that there are.
func (s *Servers) applyProfile(ctx context.Context, l *liveServer, j *spawnJob, t *SpawnTraits) ([]Profile, error) {
	profiles, err := s.Profiles(ctx, l.identity())
	if err != nil {
		return nil, err
	}
	if j.profile, err = ChooseProfile(profiles, j.row.UserOptions); err != nil {
		return nil, err
	}
	for _, traits := range j.profile {
		for _, name := range slices.Sorted(maps.Keys(traits)) {
			if err := t.setText(name, traits[name]); err != nil {
				return nil, badProfile("", "The chosen profile cannot be used: %v", err) // in the configuration itself CheckProfiles finds it
			}
		}
	}
	return profiles, nil
}

// setText sets a trait that may be given as text where it is a number or truth value, because forms know text only.
func (t *SpawnTraits) setText(name string, v any) error {
	err := t.set(name, v)
	if text, isText := v.(string); err != nil && isText {
		if value, ok := fromText(text); ok && t.set(name, value) == nil {
			return nil
		}
	}
	return err
}

// profileOption tells whether an option is one about profiles, which need no apply_user_options.
func profileOption(profiles []Profile, options map[string]any, key string) bool {
	if key == profileKey {
		return len(profiles) > 0
	}
	slug, _ := options[profileKey].(string)
	p, _ := findProfile(profiles, slug)
	return slices.ContainsFunc(p.Options, func(o ProfileOption) bool { return key == o.Name || key == o.Name+unlistedSuffix })
}

// CheckProfiles finds overrides that no start could use: an error for values of the wrong type, and the names of traits that hubs know
// nothing of.
func CheckProfiles(profiles []Profile, base SpawnTraits) (unknown []string, err error) {
	try := func(slug string, traits map[string]any) {
		t := base.clone()
		before := maps.Clone(t.Other)
		for _, name := range slices.Sorted(maps.Keys(traits)) {
			if e := t.set(name, traits[name]); e != nil && err == nil {
				//lint:ignore ST1005 it begins with the name of a trait
				err = fmt.Errorf("Spawner.profile_list: profile %s: %w", slug, e)
			}
			if _, was := before[name]; !was && t.Other[name] != nil && !slices.Contains(unknown, name) {
				unknown = append(unknown, name)
			}
		}
	}
	for _, p := range profiles {
		try(p.Slug, p.Traits)
		for _, o := range p.Options {
			for _, c := range o.Choices {
				try(p.Slug, c.Traits)
			}
		}
	}
	return unknown, err
}
