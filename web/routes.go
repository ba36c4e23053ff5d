package web

import (
	"net/http"

	"github.com/minihub/minihub/internal/httpmw"
	"github.com/minihub/minihub/rbac"
)

// Table returns the route table with its mount point.
func (s *Site) Table() httpmw.Table {
	return httpmw.Table{Prefix: "/hub", Routes: s.routes()}
}

// routes are all pages: method, path below /hub, access, handler. What answers outside of them is notFound and outside.
func (s *Site) routes() []httpmw.Route {
	public, loggedIn := httpmw.Public(), httpmw.LoggedIn()
	metricsAccess := httpmw.List("read:metrics", rbac.KindUser, rbac.KindGroup, rbac.KindServer, rbac.KindService).WithToken()
	if s.o.Metrics.Open {
		metricsAccess = public
	}
	get, head, post := route(http.MethodGet), route(http.MethodHead), route(http.MethodPost)
	patch, del := route(http.MethodPatch), route(http.MethodDelete)
	userURL := httpmw.LoggedIn().WithToken()
	userURLOther := httpmw.InHandler("answers programs that talk to a stopped server; it tells nothing that depends on rights").WithToken()
	routes := []httpmw.Route{
		get("/", public, s.root),
		get("/home", loggedIn, s.home),
		post("/home/servers", loggedIn, s.serverAction),
		get("/admin", httpmw.Needs("admin-ui").LoginFirst(), s.admin),
		get("/admin/events", httpmw.Needs("admin-ui").LoginFirst(), s.adminEvents),

		get("/spawn", loggedIn, s.spawnGet), post("/spawn", loggedIn, s.spawnPost),
		get("/spawn/{user}", httpmw.OnServer("servers").LoginFirst(), s.spawnGet),
		post("/spawn/{user}", httpmw.OnServer("servers").LoginFirst(), s.spawnPost),
		get("/spawn/{user}/{server}", httpmw.OnServer("servers").LoginFirst(), s.spawnGet),
		post("/spawn/{user}/{server}", httpmw.OnServer("servers").LoginFirst(), s.spawnPost),
		get("/spawn-pending/{user}", httpmw.OnServer("servers").LoginFirst(), s.pending),
		get("/spawn-pending/{user}/{server}", httpmw.OnServer("servers").LoginFirst(), s.pending),

		get("/user/{user}", userURL, s.userURL), get("/user/{user}/*", userURL, s.userURL),
		post("/user/{user}", userURLOther, s.userURLOther), post("/user/{user}/*", userURLOther, s.userURLOther),
		patch("/user/{user}", userURLOther, s.userURLOther), patch("/user/{user}/*", userURLOther, s.userURLOther),
		del("/user/{user}", userURLOther, s.userURLOther), del("/user/{user}/*", userURLOther, s.userURLOther),
		get("/user-redirect", loggedIn, s.userRedirect), get("/user-redirect/*", loggedIn, s.userRedirect),

		get("/token", loggedIn, s.tokenPage),
		get("/token/request", loggedIn, s.toTokenPage), post("/token/request", loggedIn, s.tokenRequest),
		post("/token/revoke", loggedIn, s.tokenRevoke),
		get("/shares", loggedIn, s.sharing), post("/shares", loggedIn, s.sharingAction),
		get("/accept-share", loggedIn, s.acceptShare), post("/accept-share", loggedIn, s.acceptSharePost),

		get("/login", public, s.loginForm), post("/login", public, s.login),
		get("/logout", public, s.logout),

		get("/language/{lang}", public, s.chooseLanguage),
		post("/security/csp-report", loggedIn.OwnXSRF(), s.cspReport),
		get("/error/{code}", public, s.proxyError),
		get("/health", public, s.health), head("/health", public, s.health),
		get("/static/*", public, s.staticFile), head("/static/*", public, s.staticFile),
		get("/logo", public, s.logo), head("/logo", public, s.logo),
	}
	if s.o.Metrics.Handler != nil {
		routes = append(routes, get("/metrics", metricsAccess, s.metrics))
	}
	return routes
}

func route(method string) func(string, httpmw.Access, httpmw.Handler) httpmw.Route {
	return func(path string, access httpmw.Access, h httpmw.Handler) httpmw.Route {
		return httpmw.Route{Method: method, Path: path, Access: access, Handler: h}
	}
}
