package api

import (
	"net/http"
	"slices"

	"github.com/minihub/minihub/internal/httpmw"
	"github.com/minihub/minihub/rbac"
)

// routes is the whole REST API: method, path below /hub/api, access, handler. Access names the target of the check and
// the scopes, any one of which is enough.
func (a *API) routes() []httpmw.Route {
	return slices.Concat(a.hubRoutes(), a.userRoutes(), a.serverRoutes(), a.groupRoutes(), a.serviceRoutes(), a.shareRoutes(), a.loginRoutes())
}

func (a *API) hubRoutes() []httpmw.Route {
	public, identified, needs := httpmw.Public, httpmw.Identified, httpmw.Needs
	return []httpmw.Route{
		get("", public(), a.root), get("/", public(), a.root),
		options("", public(), a.rootOptions), options("/", public(), a.rootOptions),
		get("/info", needs("read:hub"), a.info),
		post("/shutdown", needs("shutdown"), a.shutdown),
		get("/user", identified(), a.currentUser),
		get("/openapi.json", public(), a.openAPI),

		get("/proxy", needs("proxy"), a.proxyRoutes),
		post("/proxy", needs("proxy"), a.checkProxy),
		patch("/proxy", needs("proxy"), a.repointProxy),
	}
}

func (a *API) userRoutes() []httpmw.Route {
	needs, holders, onUser := httpmw.Needs, httpmw.List, httpmw.OnUser
	return []httpmw.Route{
		get("/users", holders("list:users", rbac.KindUser, rbac.KindGroup), a.listUsers),
		post("/users", needs("admin:users"), a.createUsers),
		get("/users/{user}", onUser("read:users", "read:users:name", "read:servers", "read:users:groups", "read:users:activity", "read:roles:users"), a.getUser),
		post("/users/{user}", onUser("admin:users"), a.createUser),
		patch("/users/{user}", onUser("admin:users"), a.updateUser),
		del("/users/{user}", onUser("delete:users"), a.deleteUser),
		post("/users/{user}/activity", onUser("users:activity"), a.postActivity),
		post("/users/{user}/admin-access", onUser("servers"), a.adminAccess),

		get("/users/{user}/tokens", onUser("read:tokens"), a.listTokens),
		post("/users/{user}/tokens", httpmw.InHandler("may authenticate by request body").OwnXSRF(), a.createToken),
		get("/users/{user}/tokens/{token_id}", onUser("read:tokens"), a.getToken),
		del("/users/{user}/tokens/{token_id}", onUser("tokens"), a.revokeToken),
	}
}

// serverRoutes has each operation three times: the default server, its other spelling with an empty last segment, and named servers.
func (a *API) serverRoutes() []httpmw.Route {
	onServer := httpmw.OnServer
	var list []httpmw.Route
	for _, path := range []string{"/users/{user}/server", "/users/{user}/servers/", "/users/{user}/servers/{server}"} {
		list = append(list,
			get(path, onServer("read:servers"), a.getServer),
			put(path, onServer("start:servers"), a.createServer),
			post(path, onServer("start:servers"), a.startServer),
			patch(path, onServer("start:servers"), a.updateServer),
			del(path, onServer("delete:servers"), a.stopServer),
			get(path+"/progress", onServer("read:servers"), a.progress))
	}
	return list
}

func (a *API) groupRoutes() []httpmw.Route {
	needs, holders, onGroup := httpmw.Needs, httpmw.List, httpmw.OnGroup
	return []httpmw.Route{
		get("/groups", holders("list:groups", rbac.KindGroup), a.listGroups),
		post("/groups", needs("admin:groups"), a.createGroups),
		get("/groups/{group}", onGroup("read:groups", "read:groups:name", "read:roles:groups"), a.getGroup),
		post("/groups/{group}", onGroup("admin:groups"), a.createGroup),
		del("/groups/{group}", onGroup("delete:groups"), a.deleteGroup),
		post("/groups/{group}/users", onGroup("groups"), a.addGroupUsers),
		del("/groups/{group}/users", onGroup("groups"), a.removeGroupUsers),
		put("/groups/{group}/properties", onGroup("groups"), a.setGroupProperties),
	}
}

func (a *API) serviceRoutes() []httpmw.Route {
	holders, onService := httpmw.List, httpmw.OnService
	return []httpmw.Route{
		get("/services", holders("list:services", rbac.KindService, rbac.KindUser, rbac.KindGroup, rbac.KindServer), a.listServices),
		get("/services/{service}", onService("read:services", "read:services:name", "read:roles:services"), a.getService),
		post("/services/{service}", onService("admin:services"), a.createService),
		del("/services/{service}", onService("admin:services"), a.deleteService),
	}
}

// shareRoutes has the default server as an empty last segment.
func (a *API) shareRoutes() []httpmw.Route {
	onUser, onServer, onServers, onGroup := httpmw.OnUser, httpmw.OnServer, httpmw.OnServers, httpmw.OnGroup
	incomplete := httpmw.InHandler("needs a server in the path: 405 after the scope check")
	list := []httpmw.Route{
		get("/shares/{user}", onServers("read:shares"), a.sharesOfOwner),
		post("/shares/{user}", incomplete, a.needsServer("shares")),
		patch("/shares/{user}", incomplete, a.needsServer("shares")),
		del("/shares/{user}", incomplete, a.needsServer("shares")),
		get("/share-codes/{user}", onServers("read:shares"), a.codesOfOwner),
		post("/share-codes/{user}", incomplete, a.needsServer("shares")),
		del("/share-codes/{user}", incomplete, a.needsServer("shares")),
		get("/users/{user}/shared", onUser("read:users:shares"), a.sharedWithUser),
		get("/groups/{group}/shared", onGroup("read:groups:shares"), a.sharedWithGroup),
	}
	for _, server := range []string{"", "{server}"} {
		list = append(list,
			get("/shares/{user}/"+server, onServer("read:shares"), a.sharesOfServer),
			post("/shares/{user}/"+server, onServer("shares"), a.grantShare),
			patch("/shares/{user}/"+server, onServer("shares"), a.revokeShare),
			del("/shares/{user}/"+server, onServer("shares"), a.revokeAllShares),
			get("/share-codes/{user}/"+server, onServer("read:shares"), a.codesOfServer),
			post("/share-codes/{user}/"+server, onServer("shares"), a.createShareCode),
			del("/share-codes/{user}/"+server, onServer("shares"), a.deleteShareCodes),
			get("/users/{user}/shared/{owner}/"+server, onUser("read:users:shares"), a.getUserShare),
			del("/users/{user}/shared/{owner}/"+server, onUser("users:shares"), a.leaveUserShare),
			get("/groups/{group}/shared/{owner}/"+server, onGroup("read:groups:shares"), a.getGroupShare),
			del("/groups/{group}/shared/{owner}/"+server, onGroup("groups:shares"), a.leaveGroupShare))
	}
	return list
}

// loginRoutes are OAuth's for programs, and the deprecated ways of asking who a credential belongs to.
func (a *API) loginRoutes() []httpmw.Route {
	public, identified, clientAuth := httpmw.Public, httpmw.Identified, httpmw.ClientAuth
	return []httpmw.Route{
		post("/oauth2/token", clientAuth(), a.o.OAuth.Token),
		post("/oauth2/revoke", clientAuth(), a.o.OAuth.Revoke),
		post("/oauth2/introspect", clientAuth(), a.o.OAuth.Introspect),
		get("/oauth2/metadata", public(), a.o.OAuth.Metadata),
		get("/oauth2/userinfo", identified(), a.o.OAuth.UserInfo),
		post("/oauth2/userinfo", identified(), a.o.OAuth.UserInfo),

		get("/authorizations/token/{token}", identified(), a.tokenOwner),
		post("/authorizations/token", public(), a.gone),
		get("/authorizations/cookie/{name}", identified(), a.cookieOwner),
		get("/authorizations/cookie/{name}/{value}", identified(), a.cookieOwner),
	}
}

// wellKnown are the routes below base_url and below the root of the host (RFC 8615): httpmw reads /.well-known/NAME/BASE as
// BASE/.well-known/NAME.
func (a *API) wellKnown() []httpmw.Route {
	return []httpmw.Route{get("/oauth-authorization-server", httpmw.Public(), a.o.OAuth.Metadata)}
}

// pages are the routes below /hub/api that are no part of the JSON API: HTML errors, a login page instead of 403, no Authorization header.
func (a *API) pages() []httpmw.Route {
	return []httpmw.Route{
		get("/health", httpmw.Public(), a.health), head("/health", httpmw.Public(), a.health),
		get("/docs", httpmw.Public(), a.explorer), get("/docs/{asset}", httpmw.Public(), a.explorerAsset),
		get("/oauth2/authorize", httpmw.LoggedIn(), a.o.OAuth.Authorize),
		post("/oauth2/authorize", httpmw.LoggedIn(), a.o.OAuth.Authorize),
	}
}

func route(method, path string, access httpmw.Access, h httpmw.Handler) httpmw.Route {
	return httpmw.Route{Method: method, Path: path, Access: access, Handler: h}
}

func get(path string, access httpmw.Access, h httpmw.Handler) httpmw.Route {
	return route(http.MethodGet, path, access, h)
}

func options(path string, access httpmw.Access, h httpmw.Handler) httpmw.Route {
	return route(http.MethodOptions, path, access, h)
}

func head(path string, access httpmw.Access, h httpmw.Handler) httpmw.Route {
	return route(http.MethodHead, path, access, h)
}

func post(path string, access httpmw.Access, h httpmw.Handler) httpmw.Route {
	return route(http.MethodPost, path, access, h)
}

func put(path string, access httpmw.Access, h httpmw.Handler) httpmw.Route {
	return route(http.MethodPut, path, access, h)
}

func patch(path string, access httpmw.Access, h httpmw.Handler) httpmw.Route {
	return route(http.MethodPatch, path, access, h)
}

func del(path string, access httpmw.Access, h httpmw.Handler) httpmw.Route {
	return route(http.MethodDelete, path, access, h)
}
