package orm

import (
	"fmt"
	"strings"
)

// column is one column of a table of JupyterHub, in the order in which SQLAlchemy creates them.
type column struct {
	name string
	typ  string // int, bool, time, text, blob or a length in characters
	opts string // words: nn (NOT NULL), pk, unique, index
	ref  string // table.column ACTION of a foreign key
}

type table struct {
	name    string
	columns []column
}

// schema lists JupyterHub 6.1.1's tables in an order in which they can be created (schema.md).
func schema() []table {
	id := column{name: "id", typ: "int", opts: "nn pk"}
	key := func(name, ref string) column {
		return column{name: name, typ: "int", opts: "nn pk", ref: ref + ".id CASCADE"}
	}
	ref := func(name, ref string) column { return column{name: name, typ: "int", ref: ref + ".id CASCADE"} }
	server := func(name string) column { return column{name: name, typ: "int", ref: "servers.id SET NULL"} }
	client := func(name, action string) column {
		return column{name: name, typ: "255", ref: "oauth_clients.identifier " + action}
	}
	managed := column{name: "managed_by_auth", typ: "bool", opts: "nn"}
	roleMap := func(kind string) table {
		return table{kind + "_role_map", []column{key(kind+"_id", kind+"s"), key("role_id", "roles"), managed}}
	}
	shared := []column{id, {name: "created_at", typ: "time", opts: "nn"}, {name: "scopes", typ: "text"}, {name: "expires_at", typ: "time"},
		ref("owner_id", "users"), ref("spawner_id", "spawners")}
	return []table{
		{"servers", []column{id, {name: "proto", typ: "15"}, {name: "ip", typ: "255"}, {name: "port", typ: "int"},
			{name: "base_url", typ: "255"}, {name: "cookie_name", typ: "255"}}},
		{"roles", []column{id, {name: "name", typ: "255", opts: "unique"}, {name: "description", typ: "1023"}, {name: "scopes", typ: "text"}, managed}},
		{"groups", []column{id, {name: "name", typ: "255", opts: "unique"}, {name: "properties", typ: "text"}}},
		{"users", []column{id, {name: "name", typ: "255", opts: "unique"}, {name: "user_info", typ: "text"}, {name: "admin", typ: "bool"},
			{name: "created", typ: "time"}, {name: "last_activity", typ: "time"}, {name: "cookie_id", typ: "255", opts: "nn unique"},
			{name: "state", typ: "text"}, {name: "encrypted_auth_state", typ: "blob"}}},
		{"oauth_clients", []column{id, {name: "identifier", typ: "255", opts: "unique"}, {name: "description", typ: "1023"},
			{name: "secret", typ: "255"}, {name: "redirect_uri", typ: "1023"}, {name: "allowed_scopes", typ: "text"}}},
		roleMap("user"),
		roleMap("group"),
		{"user_group_map", []column{key("user_id", "users"), key("group_id", "groups")}},
		{"spawners", []column{id, ref("user_id", "users"), server("server_id"), {name: "state", typ: "text"}, {name: "name", typ: "255"},
			{name: "display_name", typ: "255"}, {name: "started", typ: "time"}, {name: "last_activity", typ: "time"},
			{name: "user_options", typ: "text"}, client("oauth_client_id", "SET NULL")}},
		{"services", []column{id, {name: "name", typ: "255", opts: "unique"}, {name: "admin", typ: "bool"}, {name: "url", typ: "2047"},
			{name: "oauth_client_allowed_scopes", typ: "text"}, {name: "info", typ: "text"}, {name: "display", typ: "bool"},
			{name: "oauth_no_confirm", typ: "bool"}, {name: "command", typ: "text"}, {name: "cwd", typ: "4095"}, {name: "environment", typ: "text"},
			{name: "user", typ: "255"}, {name: "timeout", typ: "int", opts: "nn"}, {name: "from_config", typ: "bool"}, server("_server_id"),
			{name: "pid", typ: "int"}, client("oauth_client_id", "SET NULL")}},
		{"oauth_codes", []column{id, client("client_id", "CASCADE"), {name: "code", typ: "36"}, {name: "expires_at", typ: "int"},
			{name: "redirect_uri", typ: "1023"}, {name: "session_id", typ: "255"}, ref("user_id", "users"), {name: "scopes", typ: "text"},
			{name: "code_challenge", typ: "255"}, {name: "code_challenge_method", typ: "64"}}},
		roleMap("service"),
		{"shares", append([]column{ref("user_id", "users"), ref("group_id", "groups")}, shared...)},
		{"share_codes", append([]column{{name: "hashed", typ: "255", opts: "unique"}, {name: "prefix", typ: "16", opts: "index"},
			{name: "exchange_count", typ: "int"}, {name: "last_exchanged_at", typ: "time"}}, shared...)},
		{"api_tokens", []column{ref("user_id", "users"), ref("service_id", "services"), id, {name: "hashed", typ: "255", opts: "unique"},
			{name: "prefix", typ: "16", opts: "index"}, client("client_id", "CASCADE"), {name: "session_id", typ: "255"},
			{name: "created", typ: "time"}, {name: "expires_at", typ: "time"}, {name: "last_activity", typ: "time"},
			{name: "note", typ: "1023"}, {name: "scopes", typ: "text"}}},
	}
}

// ddl renders the statements that create a table, with the names that JupyterHub's naming convention gives to constraints.
func (t table) ddl(d dialect) []string {
	var lines, keys, constraints []string
	indexes := []string{}
	for _, c := range t.columns {
		line := d.quote(c.name) + " " + d.columnType(c)
		if c.has("nn") {
			line += " NOT NULL"
		}
		lines = append(lines, line)
		if c.has("pk") {
			keys = append(keys, c.name)
		}
		if c.has("unique") {
			constraints = append(constraints, fmt.Sprintf("CONSTRAINT uq_%s_%s UNIQUE (%s)", t.name, c.name, c.name))
		}
		if c.has("index") {
			indexes = append(indexes, fmt.Sprintf("CREATE INDEX ix_%s_%s ON %s (%s)", t.name, c.name, t.name, c.name))
		}
		if c.ref != "" {
			target, action, _ := strings.Cut(c.ref, " ")
			other, col, _ := strings.Cut(target, ".")
			constraints = append(constraints, fmt.Sprintf("CONSTRAINT fk_%s_%s_%s FOREIGN KEY(%s) REFERENCES %s (%s) ON DELETE %s",
				t.name, c.name, other, c.name, other, col, action))
		}
	}
	lines = append(lines, fmt.Sprintf("CONSTRAINT pk_%s PRIMARY KEY (%s)", t.name, strings.Join(keys, ", ")))
	lines = append(lines, constraints...)
	create := "CREATE TABLE " + t.name + " (\n\t" + strings.Join(lines, ", \n\t") + "\n)"
	return append([]string{create}, indexes...)
}

func (c column) has(word string) bool {
	for w := range strings.FieldsSeq(c.opts) {
		if w == word {
			return true
		}
	}
	return false
}

// DDL returns the statements that create JupyterHub's tables and indexes on "sqlite" or "postgres", by the name of what they create.
func DDL(engine string) map[string]string {
	out := map[string]string{}
	for _, t := range schema() {
		list := t.ddl(dialect(engine))
		out[t.name] = list[0]
		for _, index := range list[1:] {
			out[strings.Fields(index)[2]] = index
		}
	}
	return out
}
