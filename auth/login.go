package auth

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// maxTypedName is the longest name that is shown to an authenticator, in bytes; four bytes per character of MaxNameLength.
const maxTypedName = 4 * MaxNameLength

// Login runs a whole login (JupyterHub's get_authenticated_user). Exactly one result is non-nil: the model with its final
// name, the refusal, or the error that kept the check from being made.
func (r *Rules) Login(ctx context.Context, a Authenticator, req Request) (*Model, *Refusal, error) {
	if len(req.Username) > maxTypedName {
		return nil, &Refusal{Rule: RuleValidate, Name: ShortName(req.Username),
			Reason: fmt.Sprintf("name must not be longer than %d characters", MaxNameLength)}, nil
	}
	found, err := a.Authenticate(ctx, req)
	if err != nil {
		return failed(err, req.Username, "authenticate with "+a.Name())
	}
	if found == nil {
		return nil, &Refusal{Rule: RuleCredentials, Name: ShortName(req.Username),
			Reason: a.Name() + " did not accept the credentials"}, nil
	}
	m := *found // the authenticator may keep its own
	if d, ok := a.(Decider); ok && d.Decides() {
		if err := ValidateUserName(m.Name); err != nil {
			return nil, &Refusal{Rule: RuleValidate, Name: ShortName(m.Name), Reason: err.Error()}, nil
		}
		return &m, nil, nil
	}
	name, refusal := r.Check(m.Name)
	if refusal != nil {
		return nil, refusal, nil
	}
	m.Name = name
	if m.Admin == nil {
		if m.Admin, err = r.admin(name); err != nil {
			return nil, nil, err
		}
	}
	return r.postAuth(ctx, req, &m)
}

// Check judges a name as Login does once the credentials were accepted, and returns it normalised: validate, blocked, allow.
// A nil refusal means that such a login passes.
func (r *Rules) Check(name string) (normalized string, refusal *Refusal) {
	normal, err := r.normalize(name)
	if err != nil {
		return name, &Refusal{Rule: RuleNormalize, Trait: "PAMAuthenticator.pam_normalize_username", Name: ShortName(name),
			Reason: err.Error()}
	}
	if refusal := r.checkName(normal); refusal != nil {
		return normal, refusal
	}
	if ok, reason := r.Allowed(normal, nil); !ok {
		return normal, &Refusal{Rule: RuleAllow, Trait: "Authenticator.allowed_users", Name: ShortName(normal), Reason: reason,
			Hint: "add the name to Authenticator.allowed_users, or set Authenticator.allow_all = True to let in everybody who authenticates"}
	}
	return normal, nil
}

// checkName holds the two rules that no other rule can overrule.
func (r *Rules) checkName(name string) *Refusal {
	if err := r.Validate(name); err != nil {
		trait := ""
		if ValidateUserName(name) == nil {
			trait = "Authenticator.username_pattern"
		}
		return &Refusal{Rule: RuleValidate, Trait: trait, Name: ShortName(name), Reason: err.Error()}
	}
	if r.Blocked(name) {
		return &Refusal{Rule: RuleBlocked, Trait: "Authenticator.blocked_users", Name: ShortName(name),
			Reason: "the name is in Authenticator.blocked_users", Hint: "remove it there"}
	}
	return nil
}

// admin is the status that the configuration gives to a name: true for admin_users; when admin_groups is set, whether the
// user is in one of them; else nil, which leaves the database as it is.
func (r *Rules) admin(name string) (*bool, error) {
	yes := r.IsAdmin(name)
	if yes || len(r.options.AdminGroups) == 0 {
		if !yes {
			return nil, nil
		}
		return &yes, nil
	}
	// A lookup that fails must not demote an admin silently: as JupyterHub, the login fails instead.
	ids, err := r.options.Unix.GroupIDs(name)
	if err != nil {
		return nil, fmt.Errorf("check PAMAuthenticator.admin_groups: %w", err)
	}
	for _, group := range r.options.AdminGroups {
		id, err := r.options.Unix.GroupID(group)
		if err != nil {
			return nil, fmt.Errorf("check PAMAuthenticator.admin_groups: %w", err)
		}
		if slices.Contains(ids, id) {
			yes = true
		}
	}
	return &yes, nil
}

func (r *Rules) postAuth(ctx context.Context, req Request, m *Model) (*Model, *Refusal, error) {
	if r.options.PostAuth == nil {
		return m, nil, nil
	}
	name := m.Name
	changed, err := r.options.PostAuth(ctx, req, m)
	if err != nil {
		return failed(err, name, "run Authenticator.post_auth_hook")
	}
	if changed == nil {
		return nil, &Refusal{Rule: RulePostAuth, Trait: "Authenticator.post_auth_hook", Name: ShortName(name),
			Reason: "the hook returned no auth model", Hint: "a hook that lets the login pass returns the model"}, nil
	}
	// A hook may rename on purpose; the new name still must be one that can exist here and is not blocked.
	if changed.Name != name {
		if refusal := r.checkName(changed.Name); refusal != nil {
			return nil, refusal, nil
		}
	}
	return changed, nil, nil
}

// failed sorts an error of an authenticator or hook: a *Refusal is a refusal, with the name filled in; the rest are errors.
func failed(err error, name, attempted string) (*Model, *Refusal, error) {
	var refusal *Refusal
	if !errors.As(err, &refusal) {
		return nil, nil, fmt.Errorf("%s: %w", attempted, err)
	}
	out := *refusal
	if out.Rule == "" {
		out.Rule = RuleCredentials
	}
	if out.Name == "" {
		out.Name = ShortName(name)
	}
	return nil, &out, nil
}
