package app

import (
	"fmt"

	"github.com/minihub/minihub/config"
)

// adoptAuthenticator writes the values that a Python authenticator has, defaults of its class included, over those read for the hub's own.
func adoptAuthenticator(a *config.Authenticator, t map[string]any) {
	for name, list := range map[string]*[]string{"admin_users": (*[]string)(&a.AdminUsers), "allowed_users": (*[]string)(&a.AllowedUsers), "blocked_users": (*[]string)(&a.BlockedUsers)} {
		if v, ok := t[name].([]any); ok {
			*list = stringsOf(v)
		}
	}
	for name, flag := range map[string]*bool{"allow_all": &a.AllowAll, "allow_existing_users": &a.AllowExistingUsers, "delete_invalid_users": &a.DeleteInvalidUsers,
		"enable_auth_state": &a.EnableAuthState, "manage_groups": &a.ManageGroups, "manage_roles": &a.ManageRoles,
		"reset_managed_roles_on_startup": &a.ResetManagedRolesOnStartup, "auth_refresh_strict": &a.AuthRefreshStrict, "refresh_pre_spawn": &a.RefreshPreSpawn,
		"refresh_pre_stop": &a.RefreshPreStop, "auto_login": &a.AutoLogin, "auto_login_oauth2_authorize": &a.AutoLoginOAuth2Authorize} {
		if v, ok := t[name].(bool); ok {
			*flag = v
		}
	}
	if v, ok := t["auth_refresh_age"].(float64); ok {
		a.AuthRefreshAge = int(v)
	}
	if v, ok := t["username_pattern"].(string); ok {
		a.UsernamePattern = v
	}
	if v, ok := t["username_map"].(map[string]any); ok {
		a.UsernameMap = map[string]string{}
		for from, to := range v {
			a.UsernameMap[from] = fmt.Sprint(to)
		}
	}
}

// adoptSpawner does the same for a Python spawner. What the object applies itself must not be applied twice.
func adoptSpawner(s *config.Spawner, t map[string]any) {
	for name, n := range map[string]*int{"start_timeout": &s.StartTimeout, "http_timeout": &s.HTTPTimeout, "poll_interval": &s.PollInterval, "port": &s.Port,
		"consecutive_failure_limit": &s.ConsecutiveFailureLimit} {
		if v, ok := t[name].(float64); ok {
			*n = int(v)
		}
	}
	if v, ok := t["poll_jitter"].(float64); ok {
		s.PollJitter = v
	}
	for name, text := range map[string]*string{"ip": &s.IP, "default_url": &s.DefaultURL, "notebook_dir": &s.NotebookDir} {
		if v, ok := t[name].(string); ok {
			*text = v
		}
	}
	s.GroupOverrides, s.ApplyUserOptions, s.Environment = nil, nil, nil
}

func stringsOf(list []any) []string {
	out := make([]string, 0, len(list))
	for _, v := range list {
		if text, ok := v.(string); ok {
			out = append(out, text)
		}
	}
	return out
}
