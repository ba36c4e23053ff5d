// Package hubapi is a typed client of JupyterHub's REST API, for services, tools and tests written in Go.
//
// A Client has the address of the API and a token. Its methods are named after what they do (StartServer, CreateToken) and
// return the models of the API as structs. Lists are iterators that ask for one page after the other:
//
//	client, err := hubapi.FromEnv() // inside a service or a single-user server
//	for user, err := range client.Users(ctx, hubapi.UserQuery{State: "active"}) { … }
//
// A refusal of the hub is an *Error with status, message and hint; errors.Is(err, hubapi.ErrNotFound) and the other Err values
// tell the kinds apart. What the token may not read is absent in the hub's answer: such fields have their zero value here,
// and nil maps and slices mean "not shown", empty ones "there are none".
//
// It works with minihub and with JupyterHub 4 and later, and needs nothing but the standard library.
package hubapi
