package main

// row is one line of the table: a kind of work, its unit, and the goal of issue 8.
type row struct {
	key, title, unit string
	lower            bool    // less is better
	times            float64 // goal: so many times better than JupyterHub; 0 is none
	share            float64 // goal: so much of the bar
	most             float64 // goal: at most this, in the unit
}

// Keys of rows.
const (
	startJSON = "start"
	startPy   = "start-python"
	restart   = "restart"
	adopted   = "adopted"
	idle      = "memory-idle"
	full      = "memory-full"
	oneToken  = "token-one"
	allTokens = "token-many"
	login     = "login-page"
	listFirst = "list-first"
	listLast  = "list-last"
	listSort  = "list-sorted"
	listName  = "list-name"
	listState = "list-state"
	makeBulk  = "create-bulk"
	makeOne   = "create-one"
	makeToken = "create-token"
	spawnRate = "spawn-rate"
	spawnCPU  = "spawn-cpu"
	oauth     = "oauth-login"
	small     = "proxy-small"
	big       = "proxy-big"
	wsRate    = "websocket"
	wsMemory  = "websocket-memory"
	activity  = "activity"
	fairAPI   = "fair-api"
	fairProxy = "fair-proxy"
)

// rows are the table, in its order. %s in a title are the sizes of the run, see [options.title].
var rows = []row{
	{key: startJSON, title: "start to first answer through the proxy, empty database", unit: "ms", lower: true, times: 50, most: 50},
	{key: startPy, title: "the same, minihub with a jupyterhub_config.py, too", unit: "ms", lower: true},
	{key: restart, title: "restart with {users} users and {servers} running servers: first answer", unit: "ms", lower: true, most: 500},
	{key: adopted, title: "the same: all servers answer through the proxy", unit: "ms", lower: true, most: 5000},
	{key: idle, title: "memory when idle, hub and proxy, empty database", unit: "MiB", lower: true, most: 30},
	{key: full, title: "memory with {users} users and {servers} running servers", unit: "MiB", lower: true, most: 100},
	{key: oneToken, title: "GET /hub/api/user, one token", unit: "1/s", times: 60},
	{key: allTokens, title: "GET /hub/api/user, {tokens} tokens in turn", unit: "1/s", times: 100},
	{key: login, title: "GET /hub/login", unit: "1/s", times: 20},
	{key: listFirst, title: "GET /hub/api/users?limit=50, first page", unit: "1/s", times: 60},
	{key: listLast, title: "the same, last page", unit: "1/s", times: 60},
	{key: listSort, title: "the same, sort=-last_activity", unit: "1/s", times: 60},
	{key: listName, title: "the same, name_filter", unit: "1/s", times: 60},
	{key: listState, title: "the same, state=ready", unit: "1/s", times: 60},
	{key: makeBulk, title: "create users, 200 in one request", unit: "users/s", times: 100},
	{key: makeOne, title: "create users, one by one", unit: "users/s", times: 40},
	{key: makeToken, title: "create tokens", unit: "1/s", times: 60},
	{key: activity, title: "activity posts, {senders} servers in turn, each with its token", unit: "1/s", times: 50},
	{key: oauth, title: "OAuth login of a browser: form, authorize, code, token, user", unit: "1/s", times: 40},
	{key: spawnRate, title: "servers started together ({spawns}; JupyterHub {fewer}), ready", unit: "1/s"},
	{key: spawnCPU, title: "the same: CPU of hub and proxy per server", unit: "ms", lower: true, most: 5},
	{key: small, title: "proxied requests, 120 bytes", unit: "1/s", times: 15, share: 0.8},
	{key: big, title: "proxied requests, 1 MiB", unit: "1/s", times: 5, share: 0.8},
	{key: wsRate, title: "WebSocket echo through the proxy, 64 connections", unit: "1/s", times: 5},
	{key: wsMemory, title: "memory per idle WebSocket connection, {connections} of them", unit: "KiB", lower: true, most: 40},
	{key: fairAPI, title: "GET /hub/api/user while {logins} log in and the servers above start: p99", unit: "ms", lower: true, most: 20},
	{key: fairProxy, title: "proxied request at the same time: p99", unit: "ms", lower: true, most: 20},
}

// scenario is work that gives the figures of some rows.
type scenario struct {
	keys []string
	run  func(*session) error
}

// onStart start hubs of their own; onEmpty and onFull get one that runs, with an empty and a filled database.
var (
	onStart = []scenario{{[]string{startJSON, startPy}, starts}, {[]string{restart, adopted}, restarts}}
	onEmpty = []scenario{{[]string{idle}, memoryRow(idle)}}
	onFull  = []scenario{
		{[]string{full}, memoryRow(full)},
		{[]string{oneToken}, tokenRow(oneToken, func(st *stock) []string { return st.tokens[:1] })},
		{[]string{allTokens}, tokenRow(allTokens, func(st *stock) []string { return st.tokens })},
		{[]string{login}, loginPages},
		{[]string{listFirst, listLast, listSort, listName, listState}, lists},
		{[]string{small}, proxied(small, "small", 32)},
		{[]string{big}, proxied(big, "big", 16)},
		{[]string{wsRate}, echoes},
		{[]string{wsMemory}, idleSockets},
		{[]string{activity}, activityPosts},
		{[]string{oauth}, logins},
		{[]string{makeToken}, createTokens},
		{[]string{spawnRate, spawnCPU}, spawns},
		{[]string{fairAPI, fairProxy}, fair},
		{[]string{makeOne}, createOne},
		{[]string{makeBulk}, createBulk},
	}
)
