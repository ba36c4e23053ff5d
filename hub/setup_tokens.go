package hub

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/minihub/minihub/auth"
	"github.com/minihub/minihub/orm"
)

// configNote is the note of tokens that come from the configuration, as JupyterHub writes it.
const configNote = "from config"

// loadServices brings the services of the configuration into the database, deletes those that left it and adds those that were created
// through the API.
func (s *Setup) loadServices(ctx context.Context) ([]ConfiguredService, error) {
	var out []ConfiguredService
	var problems []error
	current := map[string]bool{}
	for i, spec := range s.specs.Services {
		where := fmt.Sprintf("JupyterHub.services[%d] (%s)", i, auth.ShortName(spec.Name))
		current[spec.Name] = true
		service, err := s.services.Save(ctx, spec, true)
		switch {
		case errors.Is(err, errOtherOrigin):
			s.log.ErrorContext(ctx, "service of the configuration ignored: one of that name was created through the API; rename it, or delete the other one",
				"service", spec.Name)
		case err != nil:
			problems = append(problems, fmt.Errorf("%s: %w", where, err))
		default:
			out = append(out, *service)
		}
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	rows, err := s.store.Services(ctx)
	if err != nil {
		return nil, storeErr(err, "list services")
	}
	for _, row := range rows {
		switch {
		case !row.FromConfig:
			service, err := s.services.FromRow(ctx, row)
			if err != nil {
				return nil, err
			}
			out = append(out, *service)
		case !current[row.Name]:
			s.log.InfoContext(ctx, "service deleted, it is not in the configuration any more", "service", row.Name)
			if err := s.store.DeleteService(ctx, row.ID); err != nil {
				return nil, storeErr(err, "delete service %q", row.Name)
			}
		}
	}
	return out, nil
}

// loadTokens registers the tokens of the configuration and purges expired rows. A token that exists stays as it is, whoever owns it.
func (s *Setup) loadTokens(ctx context.Context, services []ConfiguredService) error {
	serviceTokens := maps.Clone(s.specs.ServiceTokens)
	if serviceTokens == nil {
		serviceTokens = map[string]string{}
	}
	known := map[string]bool{}
	for _, service := range services {
		known[service.Row.Name] = true
	}
	for _, spec := range s.specs.Services {
		if spec.APIToken != "" && known[spec.Name] {
			serviceTokens[spec.APIToken] = spec.Name
		}
	}
	scopes, err := s.tokens.DefaultScopes(ctx)
	if err != nil {
		return err
	}
	var problems []error
	for _, token := range byValue(serviceTokens) {
		name := serviceTokens[token]
		if !known[name] {
			s.log.WarnContext(ctx, "a token of the configuration names a service that is not in JupyterHub.services; it is created", "service", name)
		}
		if err := s.addToken(ctx, token, scopes, s.serviceOwner(name)); err != nil {
			problems = append(problems, fmt.Errorf("token of service %q: %w", name, err))
		}
	}
	for _, token := range byValue(s.specs.APITokens) {
		name := s.specs.APITokens[token]
		if err := s.addToken(ctx, token, scopes, s.userOwner(name)); err != nil {
			problems = append(problems, fmt.Errorf("JupyterHub.api_tokens, token of user %q: %w", name, err))
		}
	}
	if err := errors.Join(problems...); err != nil {
		return err
	}
	return s.tokens.PurgeExpired(ctx)
}

// byValue returns the tokens in the order of their owners' names, so that starts do not differ.
func byValue(tokens map[string]string) []string {
	return slices.SortedFunc(maps.Keys(tokens), func(a, b string) int {
		return cmp.Or(cmp.Compare(tokens[a], tokens[b]), cmp.Compare(a, b))
	})
}

// tokenOwner makes the template of a token, creating its owner when missing, and undo deletes what it created.
type tokenOwner func(ctx context.Context) (template orm.APIToken, undo func() error, err error)

func (s *Setup) addToken(ctx context.Context, token string, scopes []string, owner tokenOwner) error {
	existing, err := s.tokens.Lookup(ctx, token)
	if err != nil || existing != nil {
		return err
	}
	template, undo, err := owner(ctx)
	if err != nil {
		return err
	}
	note := configNote
	template.Note = &note
	if _, err := s.tokens.Register(ctx, template, token, s.specs.TrustUserProvidedTokens, scopes); err != nil {
		return errors.Join(err, undo()) // a bad token must not leave its owner behind
	}
	return nil
}

func (s *Setup) serviceOwner(name string) tokenOwner {
	return func(ctx context.Context) (orm.APIToken, func() error, error) {
		row, err := s.store.ServiceByName(ctx, name)
		if err == nil {
			return orm.APIToken{ServiceID: &row.ID}, func() error { return nil }, nil
		}
		if !errors.Is(err, orm.ErrNotFound) {
			return orm.APIToken{}, nil, storeErr(err, "look up service")
		}
		if err := auth.ValidateServiceName(name); err != nil {
			return orm.APIToken{}, nil, fmt.Errorf("invalid service name: %w", err)
		}
		row = &orm.Service{Name: name, FromConfig: true, Timeout: defaultServiceTimeout}
		if err := s.store.SaveService(ctx, row); err != nil {
			return orm.APIToken{}, nil, storeErr(err, "create service")
		}
		return orm.APIToken{ServiceID: &row.ID}, func() error { return s.store.DeleteService(ctx, row.ID) }, nil
	}
}

func (s *Setup) userOwner(name string) tokenOwner {
	return func(ctx context.Context) (orm.APIToken, func() error, error) {
		before, err := s.store.UsersByName(ctx, []string{s.rules.Normalize(name)})
		if err != nil {
			return orm.APIToken{}, nil, storeErr(err, "look up user")
		}
		ids, err := s.ensureUsers(ctx, "JupyterHub.api_tokens", []string{name})
		if err != nil {
			return orm.APIToken{}, nil, err
		}
		undo := func() error { return nil }
		if len(before) == 0 {
			undo = func() error { return s.store.DeleteUser(ctx, ids[0]) }
		}
		return orm.APIToken{UserID: &ids[0]}, undo, nil
	}
}
