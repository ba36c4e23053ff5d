package app

import (
	"context"
	"log/slog"
	"slices"
	"strings"

	"github.com/minihub/minihub/config"
	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/spawner"
)

// checkProfiles looks at a profile_list that the hub itself reads.
func checkProfiles(c *config.Config, report *config.Report) {
	if c.JupyterHub.SpawnerClass.Native == "" || slices.ContainsFunc(c.Python, func(p config.Python) bool { return strings.Contains(p.Where, ".profile_list") }) {
		return
	}
	list, err := hub.ParseProfiles(c.SpawnerTraits().ProfileList)
	if err == nil {
		_, err = hub.CheckProfiles(list, hub.SpawnTraits{})
	}
	if err != nil {
		where, reason, _ := strings.Cut(err.Error(), ": ")
		report.Errorf(where, "", "%s", reason)
	}
}

// profiles reads Spawner.profile_list for the hub's own spawners. Whoever writes one for another spawner learns which of its traits do
// nothing here.
func profiles(c *config.Config, base hub.SpawnTraits, log *slog.Logger) ([]hub.Profile, error) {
	list, err := hub.ParseProfiles(c.SpawnerTraits().ProfileList)
	if err != nil {
		return nil, err
	}
	unknown, err := hub.CheckProfiles(list, base)
	if len(unknown) > 0 && err == nil {
		log.Warn("Spawner.profile_list sets traits that this spawner does not have", "traits", strings.Join(unknown, ", "), "spawner", c.JupyterHub.SpawnerClass.Class)
	}
	return list, err
}

// ownProfiles reports whether the hub reads profile_list itself: a class in Python may do so on its own, as kubespawner does, and
// functions in it need Python.
func (p *pythonPart) ownProfiles() bool { return !p.spawns() && !p.spawnerHolds("profile_list") }

// addProfiles lets Python tell the profiles of a server, and its objects know the chosen one.
func (p *pythonPart) addProfiles(h *hub.Hooks) {
	if p == nil {
		return
	}
	if p.spawns() && p.info.Spawner.Profiles || !p.spawns() && p.spawnerHolds("profile_list") {
		h.Profiles = func(ctx context.Context, id spawner.Identity) ([]hub.Profile, error) {
			list, err := p.hooks.ProfileList(ctx, id)
			if err != nil {
				return nil, hookError(err, "profile_list", id)
			}
			return hub.ParseProfiles(list)
		}
	}
	if p.needsObjects() {
		h.Override = func(ctx context.Context, req *spawner.Request, traits []map[string]any) error {
			return hookError(p.hooks.Override(ctx, req, traits), "profile_list", req.Identity)
		}
	}
}
