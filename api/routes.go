package api

import (
	"net/http"

	"github.com/minihub/minihub/internal/httpmw"
	"github.com/minihub/minihub/rbac"
)

// routes is the whole REST API: method, path below /hub/api, access, handler. Access names the target of the check and
// the scopes, any one of which is enough.
func (a *API) routes() []httpmw.Route {
	public, identified, needs, holders, loggedIn, clientAuth := httpmw.Public, httpmw.Identified, httpmw.Needs, httpmw.List, httpmw.LoggedIn, httpmw.ClientAuth
	onUser, onServer, onServers, onGroup, onService, inHandler := httpmw.OnUser, httpmw.OnServer, httpmw.OnServers, httpmw.OnGroup, httpmw.OnService, httpmw.InHandler
	get, head, post := route(http.MethodGet), route(http.MethodHead), route(http.MethodPost)
	put, patch, del := route(http.MethodPut), route(http.MethodPatch), route(http.MethodDelete)
	readUser := onUser("read:users", "read:users:name", "read:servers", "read:users:groups", "read:users:activity", "read:roles:users")
	readGroup := onGroup("read:groups", "read:groups:name", "read:roles:groups")
	readService := onService("read:services", "read:services:name", "read:roles:services")
	sharesOf := inHandler("POST, PATCH and DELETE need a server: 405 after the scope check")
	return []httpmw.Route{
		get("", public(), a.root), get("/", public(), a.root),
		get("/health", public(), a.health), head("/health", public(), a.health),
		get("/info", needs("read:hub"), a.info),
		post("/shutdown", needs("shutdown"), a.shutdown),
		get("/user", identified(), a.currentUser),

		get("/users", holders("list:users", rbac.KindUser, rbac.KindGroup), a.listUsers),
		post("/users", needs("admin:users"), a.createUsers),
		get("/users/{user}", readUser, a.getUser),
		post("/users/{user}", onUser("admin:users"), a.createUser),
		patch("/users/{user}", onUser("admin:users"), a.updateUser),
		del("/users/{user}", onUser("delete:users"), a.deleteUser),
		post("/users/{user}/activity", onUser("users:activity"), a.postActivity),
		post("/users/{user}/admin-access", onUser("servers"), a.adminAccess),

		get("/users/{user}/server", onServer("read:servers"), a.getServer),
		put("/users/{user}/server", onServer("start:servers"), a.createServer),
		post("/users/{user}/server", onServer("start:servers"), a.startServer),
		patch("/users/{user}/server", onServer("start:servers"), a.updateServer),
		del("/users/{user}/server", onServer("delete:servers"), a.stopServer),
		get("/users/{user}/server/progress", onServer("read:servers"), a.progress),
		get("/users/{user}/servers/", onServer("read:servers"), a.getServer),
		put("/users/{user}/servers/", onServer("start:servers"), a.createServer),
		post("/users/{user}/servers/", onServer("start:servers"), a.startServer),
		patch("/users/{user}/servers/", onServer("start:servers"), a.updateServer),
		del("/users/{user}/servers/", onServer("delete:servers"), a.stopServer),
		get("/users/{user}/servers//progress", onServer("read:servers"), a.progress),
		get("/users/{user}/servers/{server}", onServer("read:servers"), a.getServer),
		put("/users/{user}/servers/{server}", onServer("start:servers"), a.createServer),
		post("/users/{user}/servers/{server}", onServer("start:servers"), a.startServer),
		patch("/users/{user}/servers/{server}", onServer("start:servers"), a.updateServer),
		del("/users/{user}/servers/{server}", onServer("delete:servers"), a.stopServer),
		get("/users/{user}/servers/{server}/progress", onServer("read:servers"), a.progress),

		get("/users/{user}/tokens", onUser("read:tokens"), a.listTokens),
		post("/users/{user}/tokens", inHandler("may authenticate by request body").OwnXSRF(), a.createToken),
		get("/users/{user}/tokens/{token_id}", onUser("read:tokens"), a.getToken),
		del("/users/{user}/tokens/{token_id}", onUser("tokens"), a.revokeToken),
		get("/users/{user}/shared", onUser("read:users:shares"), a.sharedWithUser),
		get("/users/{user}/shared/{owner}/", onUser("read:users:shares"), a.getUserShare),
		del("/users/{user}/shared/{owner}/", onUser("users:shares"), a.leaveUserShare),
		get("/users/{user}/shared/{owner}/{server}", onUser("read:users:shares"), a.getUserShare),
		del("/users/{user}/shared/{owner}/{server}", onUser("users:shares"), a.leaveUserShare),

		get("/groups", holders("list:groups", rbac.KindGroup), a.listGroups),
		post("/groups", needs("admin:groups"), a.createGroups),
		get("/groups/{group}", readGroup, a.getGroup),
		post("/groups/{group}", onGroup("admin:groups"), a.createGroup),
		del("/groups/{group}", onGroup("delete:groups"), a.deleteGroup),
		post("/groups/{group}/users", onGroup("groups"), a.addGroupUsers),
		del("/groups/{group}/users", onGroup("groups"), a.removeGroupUsers),
		put("/groups/{group}/properties", onGroup("groups"), a.setGroupProperties),
		get("/groups/{group}/shared", onGroup("read:groups:shares"), a.sharedWithGroup),
		get("/groups/{group}/shared/{owner}/", onGroup("read:groups:shares"), a.getGroupShare),
		del("/groups/{group}/shared/{owner}/", onGroup("groups:shares"), a.leaveGroupShare),
		get("/groups/{group}/shared/{owner}/{server}", onGroup("read:groups:shares"), a.getGroupShare),
		del("/groups/{group}/shared/{owner}/{server}", onGroup("groups:shares"), a.leaveGroupShare),

		get("/services", holders("list:services", rbac.KindService), a.listServices),
		get("/services/{service}", readService, a.getService),
		post("/services/{service}", onService("admin:services"), a.createService),
		del("/services/{service}", onService("admin:services"), a.deleteService),

		get("/proxy", needs("proxy"), a.proxyRoutes),
		post("/proxy", needs("proxy"), a.checkProxy),
		patch("/proxy", needs("proxy"), a.repointProxy),

		get("/shares/{user}", onServers("read:shares"), a.sharesOfOwner),
		post("/shares/{user}", sharesOf, a.needsServer("shares")), patch("/shares/{user}", sharesOf, a.needsServer("shares")),
		del("/shares/{user}", sharesOf, a.needsServer("shares")),
		get("/shares/{user}/", onServer("read:shares"), a.sharesOfServer),
		post("/shares/{user}/", onServer("shares"), a.grantShare),
		patch("/shares/{user}/", onServer("shares"), a.revokeShare),
		del("/shares/{user}/", onServer("shares"), a.revokeAllShares),
		get("/shares/{user}/{server}", onServer("read:shares"), a.sharesOfServer),
		post("/shares/{user}/{server}", onServer("shares"), a.grantShare),
		patch("/shares/{user}/{server}", onServer("shares"), a.revokeShare),
		del("/shares/{user}/{server}", onServer("shares"), a.revokeAllShares),
		get("/share-codes/{user}", onServers("read:shares"), a.codesOfOwner),
		post("/share-codes/{user}", sharesOf, a.needsServer("shares")), del("/share-codes/{user}", sharesOf, a.needsServer("shares")),
		get("/share-codes/{user}/", onServer("read:shares"), a.codesOfServer),
		post("/share-codes/{user}/", onServer("shares"), a.createShareCode),
		del("/share-codes/{user}/", onServer("shares"), a.deleteShareCodes),
		get("/share-codes/{user}/{server}", onServer("read:shares"), a.codesOfServer),
		post("/share-codes/{user}/{server}", onServer("shares"), a.createShareCode),
		del("/share-codes/{user}/{server}", onServer("shares"), a.deleteShareCodes),

		get("/oauth2/authorize", loggedIn(), a.o.OAuth.Authorize),
		post("/oauth2/authorize", loggedIn(), a.o.OAuth.Authorize),
		post("/oauth2/token", clientAuth(), a.o.OAuth.Token),
		get("/oauth2/userinfo", identified(), a.o.OAuth.UserInfo),
		post("/oauth2/userinfo", identified(), a.o.OAuth.UserInfo),

		get("/authorizations/token/{token}", identified(), a.tokenOwner),
		post("/authorizations/token", public(), a.gone),
		get("/authorizations/cookie/{name}", identified(), a.cookieOwner),
		get("/authorizations/cookie/{name}/{value}", identified(), a.cookieOwner),
	}
}

func route(method string) func(string, httpmw.Access, httpmw.Handler) httpmw.Route {
	return func(path string, access httpmw.Access, h httpmw.Handler) httpmw.Route {
		return httpmw.Route{Method: method, Path: path, Access: access, Handler: h}
	}
}
