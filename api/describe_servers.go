package api

import (
	"encoding/json"

	"github.com/minihub/minihub/internal/openapi"
)

func serverDescriptions() map[string]description {
	server := func(status int, what string) []answer { return []answer{{status, what, wireServer{}, ""}} }
	return map[string]description{
		"GET /users/{user}/servers/{server}": {tag: tagServers, summary: "One server", text: "Also when it is stopped.", answers: server(200, "The server.")},
		"PUT /users/{user}/servers/{server}": {tag: tagServers, summary: "Create a server without starting it", body: wireServerRequest{}, fails: []int{409}, answers: server(201, "The new server.")},
		"POST /users/{user}/servers/{server}": {tag: tagServers, summary: "Start a server", text: "Waits a while for the server to be ready; the start goes on when it takes longer. See the event stream.",
			body: wireServerRequest{}, fails: []int{409, 429}, answers: []answer{{201, "The server is ready.", nil, ""}, {202, "The server is starting.", nil, ""}}},
		"PATCH /users/{user}/servers/{server}": {tag: tagServers, summary: "Change a stopped server", text: "Renames the server, or changes what is shown or used for the next start.", body: wireServerPatch{}, bodyNeeded: true,
			fails: []int{409}, answers: server(200, "The server as it is now.")},
		"DELETE /users/{user}/servers/{server}": {tag: tagServers, summary: "Stop a server", text: "With `remove` it is deleted too.", body: wireStopRequest{}, fails: []int{409},
			answers: []answer{{202, "The server is stopping.", nil, ""}, {204, "The server is stopped.", nil, ""}}},
		"GET /users/{user}/servers/{server}/progress": {tag: tagServers, summary: "Watch a start", text: "Server-sent events with `progress`, `message`, and at the end `ready` or `failed`.", fails: []int{400},
			answers: []answer{{200, "The events.", json.RawMessage{}, "text/event-stream"}}},
	}
}

func shareDescriptions() map[string]description {
	shares := []answer{{200, "The shares.", wireSharePage{}, ""}}
	codes := []answer{{200, "The codes.", wireShareCodePage{}, ""}}
	share := []answer{{200, "The share.", wireShare{}, ""}}
	gone := []answer{{204, "It is gone.", nil, ""}}
	list := func(summary string, answers []answer) description {
		return description{tag: tagShares, summary: summary, text: "Always in pages.", query: paged(), fails: []int{400}, answers: answers}
	}
	incomplete := description{tag: tagShares, summary: "Not possible without a server", text: "Name the server in the path.", fails: []int{405}, scopes: []string{"shares"}}
	return map[string]description{
		"GET /shares/{user}":         list("What a user shares", shares),
		"POST /shares/{user}":        incomplete,
		"PATCH /shares/{user}":       incomplete,
		"DELETE /shares/{user}":      incomplete,
		"GET /share-codes/{user}":    list("Codes of a user's servers", codes),
		"POST /share-codes/{user}":   incomplete,
		"DELETE /share-codes/{user}": incomplete,

		"GET /users/{user}/shared":   list("What is shared with a user", shares),
		"GET /groups/{group}/shared": list("What is shared with a group", shares),

		"GET /shares/{user}/{server}": list("Who a server is shared with", shares),
		"POST /shares/{user}/{server}": {tag: tagShares, summary: "Share a server", text: "Adds scopes to what the user or group has already. The caller must also be able to read the name of the user or group.",
			body: wireShareRequest{}, bodyNeeded: true, answers: share},
		"PATCH /shares/{user}/{server}": {tag: tagShares, summary: "Take back a share", text: "Takes back the given scopes, or all. What is not held is no error.", body: wireShareRequest{}, bodyNeeded: true,
			answers: []answer{{200, "What is left of the share, or an empty object.", wireRevoked{}, ""}}},
		"DELETE /shares/{user}/{server}": {tag: tagShares, summary: "Take back all shares of a server", answers: gone},

		"GET /share-codes/{user}/{server}": list("Codes of a server", codes),
		"POST /share-codes/{user}/{server}": {tag: tagShares, summary: "Make a code", text: "Who has the code can get the share.", body: wireShareCodeRequest{},
			answers: []answer{{200, "The new code.", wireNewShareCode{}, ""}}},
		"DELETE /share-codes/{user}/{server}": {tag: tagShares, summary: "Delete codes of a server", text: "Without `code` and `id`, all of them.",
			query: []*openapi.Parameter{query("code", "The code.", typed("string")), query("id", "The id of the code.", typed("string"))}, fails: []int{400}, answers: gone},

		"GET /users/{user}/shared/{owner}/{server}":      {tag: tagShares, summary: "What a user may do with a shared server", answers: share},
		"DELETE /users/{user}/shared/{owner}/{server}":   {tag: tagShares, summary: "Leave a share", answers: gone},
		"GET /groups/{group}/shared/{owner}/{server}":    {tag: tagShares, summary: "What a group may do with a shared server", answers: share},
		"DELETE /groups/{group}/shared/{owner}/{server}": {tag: tagShares, summary: "Leave a share as a group", answers: gone},
	}
}
