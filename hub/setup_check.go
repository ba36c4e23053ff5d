package hub

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/minihub/minihub/auth"
	"github.com/minihub/minihub/rbac"
)

// Check returns everything that is wrong in the specifications as far as they can be judged without the database, each problem with its
// entry, the reason and the way out. Run begins with it, so that a start that must fail changes nothing; `minihub check` prints it.
func (s *Setup) Check() error {
	_, _, roles := s.catalog.MergeRoles(s.roleSpecs(), s.specs.ExtraUserScopes)
	problems := []error{roles}
	if s.specs.ManageRoles {
		problems = append(problems, rbac.CheckNoMembers(s.specs.LoadRoles))
	}
	if s.specs.EnableAuthState && !s.specs.HasCryptKeys {
		//lint:ignore ST1005 it begins with the name of a trait
		problems = append(problems, fmt.Errorf("Authenticator.enable_auth_state is set: %w", auth.ErrNoKeys))
	}
	problems = append(problems, s.checkMembers()...)
	problems = append(problems, s.checkGroups()...)
	problems = append(problems, s.checkServices()...)
	problems = append(problems, s.checkTokens()...)
	return errors.Join(problems...)
}

func (s *Setup) checkMembers() (problems []error) {
	for _, role := range s.specs.LoadRoles {
		where := fmt.Sprintf("JupyterHub.load_roles[%q]", role.Name)
		if role.Users != nil {
			_, err := s.userNames(where+".users", *role.Users)
			problems = append(problems, err)
		}
		if role.Groups != nil {
			for _, name := range *role.Groups {
				if err := auth.ValidateGroupName(name); err != nil {
					problems = append(problems, fmt.Errorf("%s.groups has the invalid name %q: %w", where, auth.ShortName(name), err))
				}
			}
		}
	}
	return problems
}

func (s *Setup) checkGroups() (problems []error) {
	if s.specs.ManageGroups && len(s.specs.LoadGroups) > 0 {
		problems = append(problems, errors.New("JupyterHub.load_groups cannot be used while Authenticator.manage_groups is set, "+
			"for the authenticator decides who is in which group: remove one of them"))
	}
	for _, name := range slices.Sorted(maps.Keys(s.specs.LoadGroups)) {
		where := fmt.Sprintf("JupyterHub.load_groups[%q]", name)
		if err := auth.ValidateGroupName(name); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", where, err))
		}
		_, err := s.userNames(where, s.specs.LoadGroups[name].Users)
		problems = append(problems, err)
	}
	return problems
}

func (s *Setup) checkServices() (problems []error) {
	seen := map[string]bool{}
	for i, spec := range s.specs.Services {
		where := fmt.Sprintf("JupyterHub.services[%d] (%s)", i, auth.ShortName(spec.Name))
		if seen[spec.Name] {
			problems = append(problems, fmt.Errorf("%s: name is used twice, each service needs its own", where))
		}
		seen[spec.Name] = true
		if err := s.services.Check(spec); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", where, err))
		}
		if spec.APIToken == "" {
			continue
		}
		if err := checkTokenLength(spec.APIToken); err != nil {
			problems = append(problems, fmt.Errorf("%s: api_token: %s", where, err.Message))
		}
	}
	return problems
}

func (s *Setup) checkTokens() (problems []error) {
	for _, token := range byValue(s.specs.ServiceTokens) {
		name := s.specs.ServiceTokens[token]
		where := fmt.Sprintf("JupyterHub.service_tokens, token of service %q", auth.ShortName(name))
		if err := auth.ValidateServiceName(name); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", where, err))
		}
		if err := checkTokenLength(token); err != nil {
			problems = append(problems, fmt.Errorf("%s: %s", where, err.Message))
		}
	}
	for _, token := range byValue(s.specs.APITokens) {
		where := fmt.Sprintf("JupyterHub.api_tokens, token of user %q", auth.ShortName(s.specs.APITokens[token]))
		_, err := s.userNames(where, []string{s.specs.APITokens[token]})
		problems = append(problems, err)
		if err := checkTokenLength(token); err != nil {
			problems = append(problems, fmt.Errorf("%s: %s", where, err.Message))
		}
	}
	return problems
}

// userNames normalises names and drops repetitions; the error names each that cannot be.
func (s *Setup) userNames(where string, names []string) ([]string, error) {
	var problems []error
	normal := make([]string, 0, len(names))
	seen := make(map[string]bool, len(names))
	for _, name := range names {
		n := s.rules.Normalize(name)
		if err := s.rules.Validate(n); err != nil {
			problems = append(problems, fmt.Errorf("%s has the invalid user name %q: %w", where, auth.ShortName(name), err))
		} else if !seen[n] {
			seen[n] = true
			normal = append(normal, n)
		}
	}
	return normal, errors.Join(problems...)
}
