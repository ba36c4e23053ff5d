package api_test

// publishedDifferences are the differences from JupyterHub's published description, as regular expressions of whole lines, with their
// reasons. Most are places where that description does not say what JupyterHub itself does; recorded_test.go and the e2e test
// TestFieldByField hold minihub against the hub that runs.
var publishedDifferences = map[string]string{
	// Operations.
	`minihub only: .* /(openapi\.json|docs|docs/\{\}|oauth2/(userinfo|metadata|introspect|revoke))`: "additions of minihub",
	`minihub only: .* /users/\{\}/servers/(\{\}/progress)?`:                                         "JupyterHub has it: the other spelling of the default server, and the event stream that progress_url names",
	`minihub only: (GET|PUT|PATCH) /users/\{\}/server(/progress)?`:                                  "JupyterHub has it: all that can be done with a named server",
	`minihub only: .* /(users|groups)/\{\}/shared/\{\}/`:                                            "JupyterHub has it: the default server as an empty last segment",
	`minihub only: .* /(shares|share-codes)/\{\}/`:                                                  "JupyterHub has it: the default server as an empty last segment",
	`minihub only: (POST|PATCH|DELETE) /(shares|share-codes)/\{\}`:                                  "JupyterHub has it: 405, since a server is needed",
	`minihub only: (GET|HEAD) /health`:                                                              "JupyterHub has it",
	`minihub only: OPTIONS /`:                                                                       "JupyterHub has it, as for every path",
	`minihub only: POST /groups`:                                                                    "JupyterHub has it",
	`minihub only: (POST|DELETE) /services/\{\}`:                                                    "JupyterHub has it since 6.0",
	`minihub only: POST /(oauth2/authorize|users/\{\}/admin-access)`:                                "JupyterHub has it: the consent form, and what does nothing any more",
	`minihub only: GET /authorizations/cookie/\{\}`:                                                 "JupyterHub has it: the cookie comes as body",
	`(JupyterHub only|different): POST /authorizations/token: .*`:                                   "JupyterHub removed it in 2.0 and answers 404",
	`minihub only: scope custom:x:read`:                                                             "a custom scope of this test",

	// Parameters.
	`JupyterHub only: GET /services: query (limit|offset)`:                                          "JupyterHub does not page services",
	`minihub only: GET /services: query capability`:                                                 "an addition of minihub",
	`minihub only: GET /(users|groups)/\{\}/shared: query (limit|offset)`:                           "JupyterHub has it",
	`minihub only: GET /users: query name_filter`:                                                   "JupyterHub has it",
	`minihub only: GET /users: query after`:                                                         "an addition of minihub: next pages stay right when users are deleted",
	`minihub only: GET /user: query include_stopped_servers`:                                        "JupyterHub has it",
	`different: .*: query include_stopped_servers: JupyterHub boolean, minihub string`:              "any text but 0 and false counts as true",
	`minihub only: GET /oauth2/authorize: (302|query (scope|code_challenge|code_challenge_method))`: "JupyterHub has it",

	// Scopes.
	`different: GET /(users|groups|services)/\{\}: scopes: .*`:                              "any scope that shows a part of the model is enough",
	`different: GET /services: scopes: JupyterHub read:services, minihub list:services`:     "what JupyterHub asks for",
	`different: POST /users/\{\}/server: scopes: JupyterHub servers, minihub start:servers`: "what JupyterHub asks for",
	`different: (POST|PATCH) /shares/\{\}/\{\}: scopes: .*`:                                 "the scopes for names are needed beside shares, not instead; the text says so",
	`different: GET /authorizations/token/\{\}: scopes: JupyterHub \(no_scope\), minihub `:  "any valid token is enough",

	// Fields of answers.
	`different: .*: \d+ \S*: JupyterHub (string|object), minihub null\|(string|object)`:                                                     "JupyterHub has null where there is nothing",
	`minihub only: .* \S*(created|created format)`:                                                                                          "JupyterHub has it: when the user was created",
	`minihub only: .* \S*full_name`:                                                                                                         "JupyterHub has it in servers",
	`minihub only: .* \S*(kind|oauth_client)`:                                                                                               "JupyterHub has it in tokens and shares",
	`minihub only: .* \S*(exchange_count|last_exchanged_at|last_exchanged_at format)`:                                                       "JupyterHub has it in share codes",
	`minihub only: .* \S*(capabilities|display)`:                                                                                            "JupyterHub has display in services; capabilities are an addition of minihub",
	`minihub only: GET /(users|groups|proxy): 200 (items|_pagination)\b.*`:                                                                  "JupyterHub has it: the answer to Accept: application/jupyterhub-pagination+json",
	`minihub only: GET /proxy: 200 \{\}\..*`:                                                                                                "JupyterHub has it: the routes themselves",
	`(JupyterHub only: GET /services: 200 \[\]|minihub only: GET /services: 200 \{\})\..*`:                                                  "JupyterHub has an object by name, no list",
	`(JupyterHub|minihub) only: GET /users/\{\}/shared: 200 items\[\]\.(id|expires_at|expires_at format|user|user\.name|group|group\.name)`: "shares, not share codes",
	`minihub only: DELETE /groups/\{\}/users: 200 .*`:                                                                                       "JupyterHub answers with the group",
	`minihub only: GET /authorizations/(token|cookie)/.*: 200 .*`:                                                                           "JupyterHub answers with the owner, who may be a service",
	`minihub only: POST /oauth2/token: 200 (expires_in|scope)`:                                                                              "JupyterHub has it",
	`minihub only: POST /shutdown: 202 message`:                                                                                             "JupyterHub has it",

	// Bodies of requests.
	`different: .*: body \S*: JupyterHub (\w+), minihub (null\|\w+|\w+\|null)`:               "null counts as absent, or as in the text",
	`different: .*: body application/json: JupyterHub required false, minihub required true`: "without a body the answer is 400, in JupyterHub too",
	`different: POST /share-codes/\{\}/\{\}: body application/json: .*`:                      "all keys are optional, and so is the body",
	`JupyterHub only: PATCH /proxy: body (ip|port|protocol)`:                                 "JupyterHub looks at api_url and auth_token",
	`minihub only: PATCH /proxy: body api_url`:                                               "JupyterHub looks at api_url and auth_token",
	`minihub only: .* /groups/\{\}(/users)?: body .*`:                                        "JupyterHub takes users when a group is created, and does not mind name and roles",
	`minihub only: (POST|PATCH) /users/\{\}: body .*`:                                        "JupyterHub has it: a user can be created with its admin mark and login state",
	`minihub only: DELETE /users/\{\}/server: body .*`:                                       "JupyterHub reads it as for named servers",
	`minihub only: POST /oauth2/token: body code_verifier`:                                   "JupyterHub has it: PKCE",
	`minihub only: POST /users/\{\}/tokens: body auth`:                                       "JupyterHub has it",
}
