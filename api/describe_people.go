package api

import "github.com/minihub/minihub/internal/openapi"

func includeStoppedParameter() *openapi.Parameter {
	return query("include_stopped_servers", "Whether models of users have their stopped servers too: any value but 0 and false.", typed("string"))
}

func userDescriptions() map[string]description {
	user := func(status int, what string) []answer { return []answer{{status, what, wireUser{}, ""}} }
	list := append([]*openapi.Parameter{
		query("state", "Only users who have a ready server, a server that is ready or has something pending (active), or none of either (inactive).", oneWord("active", "ready", "inactive")),
		query("name_filter", "Only users with this text in their name.", typed("string")),
		query("after", "With the order by id, the page begins behind the user with this id, and offset is not looked at. The URLs of next pages have it, "+
			"so that nobody is left out when users of earlier pages are deleted meanwhile. An addition of minihub.", typed("integer")),
		query("sort", "The order; with a minus sign, descending.", oneWord("id", "name", "last_activity", "-id", "-name", "-last_activity")),
		includeStoppedParameter(),
	}, paged()...)
	return map[string]description{
		"GET /user": {tag: tagUsers, summary: "Who am I", text: "The user or service whose credential the request has, and what the credential allows.", query: []*openapi.Parameter{includeStoppedParameter()},
			answers: []answer{{200, "The caller.", wireRequestIdentity{}, ""}}},
		"GET /users": {tag: tagUsers, summary: "All users", text: pagesNote, query: list, fails: []int{400},
			answers: []answer{{200, "The users.", wireUserList{}, ""}}},
		"POST /users": {tag: tagUsers, summary: "Create users", text: "Users that exist are left out; when all do, that is a conflict.", body: wireUsersRequest{}, bodyNeeded: true, fails: []int{409},
			answers: []answer{{201, "The new users.", []wireUser{}, ""}}},
		"GET /users/{user}":  {tag: tagUsers, summary: "One user", query: []*openapi.Parameter{includeStoppedParameter()}, answers: user(200, "The user.")},
		"POST /users/{user}": {tag: tagUsers, summary: "Create a user", body: wireUserRequest{}, fails: []int{409}, answers: user(201, "The new user.")},
		"PATCH /users/{user}": {tag: tagUsers, summary: "Change a user", text: "Renames the user, or changes the administrator mark or the stored login state.", body: wireUserRequest{}, bodyNeeded: true,
			fails: []int{409}, answers: user(200, "The user as it is now.")},
		"DELETE /users/{user}": {tag: tagUsers, summary: "Delete a user", text: "Stops the user's servers first.", fails: []int{400, 409}, answers: []answer{{204, "The user is gone.", nil, ""}}},
		"POST /users/{user}/activity": {tag: tagUsers, summary: "Report activity", text: "Servers and services tell when the user was active. Times only move forward.", body: wireActivityRequest{}, bodyNeeded: true,
			answers: []answer{{200, "It is noted.", nil, ""}}},
		"POST /users/{user}/admin-access": {tag: tagOld, deprecated: true, summary: "Does nothing", text: "Servers check access by OAuth.", answers: []answer{{200, "Nothing happened.", nil, ""}}},

		"GET /users/{user}/tokens": {tag: tagTokens, summary: "All tokens of a user", answers: []answer{{200, "The tokens.", wireTokenList{}, ""}}},
		"POST /users/{user}/tokens": {tag: tagTokens, summary: "Create a token", body: wireTokenRequest{}, fails: []int{429}, scopes: []string{"tokens"},
			text:    "Without another credential, `auth` in the body is checked as a login.",
			answers: []answer{{201, "The new token.", wireNewToken{}, ""}}},
		"GET /users/{user}/tokens/{token_id}":    {tag: tagTokens, summary: "One token", answers: []answer{{200, "The token.", wireToken{}, ""}}},
		"DELETE /users/{user}/tokens/{token_id}": {tag: tagTokens, summary: "Revoke a token", text: "A token that an application got is revoked together with all others that it got for the user.", answers: []answer{{204, "The token is worth nothing any more.", nil, ""}}},
	}
}

func groupDescriptions() map[string]description {
	group := func(status int, what string) []answer { return []answer{{status, what, wireGroup{}, ""}} }
	return map[string]description{
		"GET /groups":                    {tag: tagGroups, summary: "All groups", text: pagesNote, query: paged(), fails: []int{400}, answers: []answer{{200, "The groups.", wireGroupList{}, ""}}},
		"POST /groups":                   {tag: tagGroups, summary: "Create groups", body: wireGroupsRequest{}, bodyNeeded: true, fails: []int{409}, answers: []answer{{201, "The new groups.", []wireGroup{}, ""}}},
		"GET /groups/{group}":            {tag: tagGroups, summary: "One group", answers: group(200, "The group.")},
		"POST /groups/{group}":           {tag: tagGroups, summary: "Create a group", body: wireGroupRequest{}, fails: []int{409}, answers: group(201, "The new group.")},
		"DELETE /groups/{group}":         {tag: tagGroups, summary: "Delete a group", fails: []int{400}, answers: []answer{{204, "The group is gone.", nil, ""}}},
		"POST /groups/{group}/users":     {tag: tagGroups, summary: "Add members", text: "Who is a member already stays one.", body: wireMembersRequest{}, bodyNeeded: true, answers: group(200, "The group as it is now.")},
		"DELETE /groups/{group}/users":   {tag: tagGroups, summary: "Remove members", text: "Who is no member stays none.", body: wireMembersRequest{}, bodyNeeded: true, answers: group(200, "The group as it is now.")},
		"PUT /groups/{group}/properties": {tag: tagGroups, summary: "Replace the properties", text: "The body takes the place of all properties.", body: map[string]any{}, bodyNeeded: true, answers: group(200, "The group as it is now.")},
	}
}

func serviceDescriptions() map[string]description {
	return map[string]description{
		"GET /services": {tag: tagServices, summary: "All services", query: []*openapi.Parameter{query("capability", "Only services with this word among their capabilities. An addition of minihub.", typed("string"))},
			answers: []answer{{200, "The services by name.", map[string]wireService{}, ""}}},
		"GET /services/{service}": {tag: tagServices, summary: "One service", answers: []answer{{200, "The service.", wireService{}, ""}}},
		"POST /services/{service}": {tag: tagServices, summary: "Create a service", text: "Its process is none of the hub's business.", body: wireServiceRequest{}, bodyNeeded: true, fails: []int{409},
			answers: []answer{{201, "The new service.", wireService{}, ""}}},
		"DELETE /services/{service}": {tag: tagServices, summary: "Delete a service", text: "Services of the configuration stay.", fails: []int{405}, answers: []answer{{200, "The service is gone.", nil, ""}}},
	}
}
