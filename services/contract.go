package services

// CONTRACT (the owner of services dissolves this file into well-named files; names and signatures stay).

import (
	"context"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/orm"
)

// View is a service with its live state.
type View struct {
	orm.Service
	Roles        []string
	Prefix       string // "/services/name/" below base_url, "" without url
	PID          int    // of a managed service, 0 when none
	Managed      bool
	Restarts     int // since the hub started
	Capabilities []string
	Href         string // public address of the service, "" without url
}

// func New(o Options) *Services   // Options{Store, Router hub.Router, Prober hub.Prober, Setup result []hub.ConfiguredService, Traits{BaseURL, HubAPIURL, PublicURL, PublicHost, KeptEnv, CookieHostPrefix, CheckInterval}, Logger}
// func (s *Services) Start(ctx) error         // managed ones one by one; env.md D; with url: must answer within timeout, else error; external: awaited in the background, only warned
// func (s *Services) Stop(ctx) error          // INT, TERM, KILL
// func (s *Services) Routes() map[string]hub.WantedRoute
// func (s *Services) List(ctx) ([]View, error) ; Get(ctx, name) (*View, error)  // NotFound "No such service: x"
// func (s *Services) Create(ctx, by *hub.Identity, spec hub.ServiceSpec) (*View, error)   // POST /services/x: external only; 400 managed/keys/url; 409
// func (s *Services) Delete(ctx, name string) error                                       // 405 for config-defined

var _ context.Context
var _ hub.Router
