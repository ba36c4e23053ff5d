package orm

import (
	"context"

	"gorm.io/gorm"
)

// Services returns all services by id.
func (s *Store) Services(ctx context.Context) ([]Service, error) {
	return find[Service](s.read(ctx).Order("id"), "list services")
}

// ServiceByName returns the service with this name.
func (s *Store) ServiceByName(ctx context.Context, name string) (*Service, error) {
	return first[Service](s.read(ctx), "find service by name", "name = ?", name)
}

// Service returns the service with this id.
func (s *Store) Service(ctx context.Context, id int64) (*Service, error) {
	return first[Service](s.read(ctx), "find service", "id = ?", id)
}

// SaveService inserts a service without ID and fills it, or writes all columns of an existing one.
func (s *Store) SaveService(ctx context.Context, svc *Service) error {
	if svc.ID != 0 {
		return update(ctx, s, "update service", svc, nil)
	}
	return s.write(ctx, "create service", func(db *gorm.DB) error { return insert(db, []*Service{svc}) })
}
