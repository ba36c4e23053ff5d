package hub

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/minihub/minihub/orm"
	"github.com/minihub/minihub/spawner"
)

// prepareTraits works out the traits of this start: configuration, group_overrides, profile, user options.
func (s *Servers) prepareTraits(ctx context.Context, l *liveServer, j *spawnJob) error {
	t := s.o.Traits.Spawn.clone()
	if err := s.overrideForGroups(ctx, j.user, &t); err != nil {
		return err
	}
	profiles, err := s.applyProfile(ctx, l, j, &t)
	if err != nil {
		return err
	}
	if prepare := s.o.Hooks.Prepare; prepare != nil {
		if err := prepare(ctx, j.user, j.row, &t); err != nil {
			return err
		}
	}
	if err := s.applyOptions(ctx, l, profiles, j.row.UserOptions, &t); err != nil {
		return err
	}
	if pp, ok := s.o.Driver.(spawner.PortPicker); ok && t.Port == 0 {
		port, err := pp.PickPort(ctx, t.IP)
		if err != nil {
			return fmt.Errorf("pick a port: %w", err)
		}
		t.Port = port
	}
	j.traits = t
	return nil
}

// applyOptions is apply_user_options as a dict: options become the traits that it names.
func (s *Servers) applyOptions(ctx context.Context, l *liveServer, profiles []Profile, options map[string]any, t *SpawnTraits) error {
	for _, option := range slices.Sorted(maps.Keys(options)) {
		trait, ok := s.o.Traits.UserOptionTraits[option]
		if !ok {
			if s.o.Hooks.ApplyUserOptions == nil && !profileOption(profiles, options, option) {
				s.o.Logger.WarnContext(ctx, "unhandled user option; Spawner.apply_user_options says what options do", "user", l.userName, "server", l.name, "option", clip(option, 64))
			}
			continue
		}
		if err := t.setText(trait, options[option]); err != nil {
			return &Error{Kind: Invalid, Message: fmt.Sprintf("Invalid user option %q: %v", clip(option, 64), err), Reason: "options", Err: err}
		}
	}
	return nil
}

// overrideForGroups is group_overrides: in key order, each whose groups the user is in.
func (s *Servers) overrideForGroups(ctx context.Context, user *orm.User, t *SpawnTraits) error {
	if len(s.o.Traits.GroupOverrides) == 0 {
		return nil
	}
	names, err := s.o.Store.GroupNamesOfUsers(ctx, []int64{user.ID})
	if err != nil {
		return storeErr(err, "look up the groups of %s", user.Name)
	}
	for _, o := range s.o.Traits.GroupOverrides {
		if !slices.ContainsFunc(o.Groups, func(g string) bool { return slices.Contains(names[user.ID], g) }) {
			continue
		}
		for _, trait := range slices.Sorted(maps.Keys(o.Traits)) {
			if err := t.set(trait, o.Traits[trait]); err != nil {
				return fmt.Errorf("apply Spawner.group_overrides for groups %q: %w", o.Groups, err)
			}
		}
	}
	return nil
}
