//go:build e2e

package e2e

import "fmt"

const pagesType = "application/jupyterhub-pagination+json"

// fieldRequests go beyond api/testdata/recorded: headers, methods, spellings, paging of all lists, running servers.
func fieldRequests() []exchange {
	var list []exchange
	add := func(as, method, path, body string, headers ...string) {
		e := exchange{As: as, Method: method, Path: path, Body: body}
		for i := 0; i+1 < len(headers); i += 2 {
			if e.Headers == nil {
				e.Headers = map[string]string{}
			}
			e.Headers[headers[i]] = headers[i+1]
		}
		list = append(list, e)
	}
	for i := range 25 {
		add("root", "POST", fmt.Sprintf("/hub/api/users/page%02d", i), "")
	}
	add("root", "POST", "/hub/api/groups", `{"groups": ["p1", "p2", "p3", "p4"]}`)
	add("root", "POST", "/hub/api/users/page01/servers/run", `{"user_options": {"a": [1, 2.5, null, "ü"]}}`)
	add("root", "POST", "/hub/api/users/page03/server", "")
	add("root", "PUT", "/hub/api/users/page01/servers/off", `{"display_name": "Off & on"}`)

	for _, as := range []string{"root", "reader", "ing1"} {
		for _, path := range []string{"/hub/api/users", "/hub/api/groups"} {
			for _, query := range []string{"", "?limit=3", "?limit=3&offset=3", "?offset=28&limit=10", "?limit=0", "?limit=-3", "?limit=+3", "?limit=%203", "?limit=3.0", "?limit=", "?limit=1e2",
				"?offset=-1&limit=2", "?limit=2&limit=3", "?a=b&limit=2&c=d%26e&offset=1", "?limit=2147483648", "?limit=99999999999999999999", "?offset=99999999", "?LIMIT=2"} {
				add(as, "GET", path+query, "")
				add(as, "GET", path+query, "", "Accept", pagesType)
			}
		}
	}
	for _, accept := range []string{"*/*", "application/json", pagesType + ", application/json", "application/json," + pagesType, pagesType + ";q=1", "APPLICATION/JUPYTERHUB-PAGINATION+JSON", ""} {
		add("root", "GET", "/hub/api/groups?limit=1", "", "Accept", accept)
	}
	for _, query := range []string{"state=active", "state=ready", "state=inactive", "state=active&limit=1", "state=inactive&limit=2&offset=2", "state=ready&include_stopped_servers", "state=Active",
		"sort=id", "sort=-id", "sort=name&limit=4", "sort=-name&limit=4", "sort=--id", "sort=Name", "sort=admin", "name_filter=page0", "name_filter=PAGE0&limit=3", "name_filter=%2500", "name_filter=page&state=active", "name_filter=_"} {
		add("root", "GET", "/hub/api/users?"+query, "")
		add("root", "GET", "/hub/api/users?"+query, "", "Accept", pagesType)
	}
	for _, value := range []string{"", "=", "=1", "=true", "=0", "=false", "=False", "=no", "=off"} {
		add("root", "GET", "/hub/api/users/page01?include_stopped_servers"+value, "")
	}
	for _, path := range []string{"/hub/api/proxy", "/hub/api/services", "/hub/api/users/page01/shared", "/hub/api/shares/page01", "/hub/api/share-codes/page01", "/hub/api/groups/p1/shared", "/hub/api/users/alice/tokens"} {
		for _, query := range []string{"", "?limit=1", "?limit=x", "?offset=5"} {
			add("root", "GET", path+query, "")
			add("root", "GET", path+query, "", "Accept", pagesType)
		}
	}
	for _, path := range []string{"", "/", "/info", "/user", "/users", "/users/page01", "/users/page01/server", "/users/page01/servers/run", "/users/page01/servers/run/progress", "/groups/p1", "/groups/p1/users", "/groups/p1/properties", "/services/shown", "/shares/page01/run",
		"/share-codes/page01/run", "/proxy", "/shutdown", "/users/page01/tokens/a1", "/users/page01/activity", "/oauth2/token", "/nosuch"} {
		for _, method := range []string{"HEAD", "OPTIONS", "TRACE", "BREW"} {
			add("root", method, "/hub/api"+path, "")
		}
		add("", "OPTIONS", "/hub/api"+path, "", "Origin", "https://other.example", "Access-Control-Request-Method", "GET", "Access-Control-Request-Headers", "authorization")
		add("root", "GET", "/hub/api"+path+"/", "")
		add("root", "GET", "/hub/api"+path, "", "Origin", "https://other.example")
	}
	for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
		for _, path := range []string{"/info", "/user", "/users", "/groups", "/groups/p1/users", "/groups/p1/properties", "/services", "/services/shown", "/users/page01/activity", "/users/page01/tokens", "/users/page01/shared", "/share-codes/page01/run", "/proxy"} {
			if method == "POST" && path == "/proxy" || method == "DELETE" && path == "/services/shown" {
				continue
			}
			add("reader", method, "/hub/api"+path, "")
		}
	}
	for _, name := range []string{"page01", "page%301", "PAGE01", "p%61ge01", "page01%2F", "page01%20", "%70age01", "page01;x", "page01%3Fx", "page01%23", "page01+", "%C3%BCnal%40x~y%25z%20w", "%c3%bcnal@x~y%25z%20w", "u%CC%88nal%40x~y%25z%20w", ".", "..", "%2e%2e", "page01/."} {
		add("root", "GET", "/hub/api/users/"+name, "")
		add("root", "GET", "/hub/api/users/"+name+"/server", "")
	}
	for _, header := range []string{"token ", "Token ", "bearer ", "Bearer ", "BEARER ", "Basic "} {
		add("", "GET", "/hub/api/user", "", "Authorization", header+"reader-token-0123456789")
	}
	add("", "GET", "/hub/api/user?token=reader-token-0123456789", "")
	for _, media := range []string{"", "application/json", "text/plain", "application/json; charset=utf-8", "application/x-www-form-urlencoded"} {
		add("root", "PUT", "/hub/api/groups/p1/properties", `{"a": 1}`, "Content-Type", media)
	}
	add("root", "GET", "/hub/api/users/page01/servers/run/progress", "")
	add("root", "POST", "/hub/api/users/page01/servers/run", "")
	add("root", "PATCH", "/hub/api/users/page01/servers/run", `{"display_name": "x"}`)
	add("root", "GET", "/hub/api/users/page01/servers/run", "")
	add("page-nobody", "GET", "/hub/api/users/page01/servers/run", "")
	add("root", "DELETE", "/hub/api/users/page01/servers/run", "")
	add("root", "GET", "/hub/api/users/page01/servers/run", "")
	add("root", "DELETE", "/hub/api/users/page01", "")
	add("root", "DELETE", "/hub/api/users/page03/server", "")
	return list
}

// startingRequests use a server that never gets ready, while the hub permits one start at a time.
func startingRequests() []exchange {
	get := func(path string) exchange { return exchange{As: "root", Method: "GET", Path: path} }
	post := func(path string) exchange { return exchange{As: "root", Method: "POST", Path: path} }
	remove := func(path string) exchange { return exchange{As: "root", Method: "DELETE", Path: path} }
	return []exchange{
		get("/hub/user/alice/api/contents"),
		{Method: "GET", Path: "/hub/user/alice/api/contents"},
		{As: "root", Method: "GET", Path: "/hub/user/alice/lab", Headers: map[string]string{"Accept": "application/json"}},
		{As: "root", Method: "POST", Path: "/hub/user/alice/api/contents", Body: "{}"},
		get("/user/alice/"), get("/user/alice"), get("/user/alice/slow/"),
		{As: "root", Method: "DELETE", Path: "/hub/user/alice/slow/api/contents"},
		post("/hub/api/users/alice/servers/slow"),
		get("/hub/api/users/alice/servers/slow"),
		get("/hub/api/users/alice"),
		get("/hub/api/users?state=active"),
		get("/hub/api/users?state=ready"),
		get("/hub/api/users?state=inactive"),
		get("/hub/user/alice/slow/api/contents"),
		post("/hub/api/users/alice/servers/slow"),
		post("/hub/api/users/bob/server"),
		post("/hub/api/users/bob/servers/slow"),
		{As: "root", Method: "PATCH", Path: "/hub/api/users/alice/servers/slow", Body: `{"name": "other"}`},
		{As: "root", Method: "PUT", Path: "/hub/api/users/alice/servers/slow", Body: `{}`},
		{As: "root", Method: "PUT", Path: "/hub/api/users/alice/servers/two", Body: `{}`},
		{As: "root", Method: "PUT", Path: "/hub/api/users/alice/servers/three", Body: `{}`},
		post("/hub/api/users/alice/servers/three"),
		remove("/hub/api/users/alice/servers/nosuch"),
	}
}

// unavailableRequests meet servers that do not run, and starts that are refused.
func unavailableRequests() []exchange {
	var list []exchange
	root := func(method, path string, headers ...string) {
		e := exchange{As: "root", Method: method, Path: path}
		if len(headers) == 2 {
			e.Headers = map[string]string{headers[0]: headers[1]}
		}
		list = append(list, e)
	}
	for _, name := range []string{"later", "closed", "busy"} {
		root("POST", "/hub/api/users/alice/servers/"+name)
		root("GET", "/hub/api/users/alice/servers/"+name)
		root("GET", "/hub/api/users/alice/servers/"+name+"/progress")
		root("GET", "/hub/user/alice/"+name+"/api/contents")
		root("GET", "/hub/user/alice/"+name+"/lab")
	}
	root("GET", "/hub/user/alice/api/contents")
	root("GET", "/hub/user/alice/lab")
	root("GET", "/hub/user/alice/lab", "Accept", "application/json")
	root("POST", "/hub/user/alice/api/sessions")
	root("GET", "/user/alice/api/contents")
	root("GET", "/hub/error/503")
	root("GET", "/hub/error/404")
	root("GET", "/hub/error/999")
	root("POST", "/hub/api/users/alice/server")
	root("POST", "/hub/api/users/bob/server") // one is the limit
	root("POST", "/hub/api/users/bob/servers/second")
	root("DELETE", "/hub/api/users/alice/server")
	root("POST", "/hub/api/users/bob/server")
	root("DELETE", "/hub/api/users/bob/server")
	return list
}
