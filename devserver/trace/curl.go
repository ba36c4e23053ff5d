package trace

import (
	"net/url"
	"strings"
)

// TokenVariable is the shell variable that stands for a token in command lines.
const TokenVariable = "MINIHUB_TOKEN"

// jar is the file with cookies in command lines.
const jar = "minihub-cookies.txt"

// xsrfOfJar reads the hub's _xsrf cookie from the jar.
const xsrfOfJar = `$(awk '$6=="_xsrf"{print $7}' ` + jar + `)`

// Command is a request as lines for a shell. Secrets are shell variables; Needs says which and where they come from.
type Command struct {
	Text  string
	Needs []string
}

// Curl writes a request as a command line that works in a shell. Requests with a token take the token of MINIHUB_TOKEN; those of a
// browser log in first, which any password does.
func Curl(r *Request, origin, base string) Command {
	var c Command
	path := strings.TrimPrefix(r.Address.Path, base)
	target := quote(origin+plainAddress(r.Address)) + secretQuery(r.Address.Query, &c)
	if path == pathToken {
		c.Text = "curl -i -X POST" + formArgs(r.Form, &c) + " " + quote(origin+r.Address.Path)
		return c
	}
	line := "curl -i"
	_, authorization := Get(r.Header, "Authorization")
	byToken := authorization || r.Who.Via == "token"
	if r.Method != "GET" {
		line += " -X " + quote(r.Method)
	}
	switch {
	case byToken:
		line += ` -H "Authorization: token $` + TokenVariable + `"`
		c.need(TokenVariable, "an API token of whoever shall ask; the terminal of minihub dev shows one")
	case len(r.Cookies) > 0 || r.Who.Kind == "user":
		c.Text = loginLines(r.Who.Name, origin, base)
		line += " -L -b " + jar + " -c " + jar
		if r.Method != "GET" && r.Method != "HEAD" || strings.HasPrefix(path, "hub/api/") {
			line += ` -H "X-XSRFToken: ` + xsrfOfJar + `"`
		}
		if r.Method != "GET" { // -L would repeat it where the answer leads
			line = strings.Replace(line, " -L", "", 1)
		}
	}
	if len(r.Form) > 0 {
		line += formArgs(without(r.Form, "_xsrf"), &c)
	}
	c.Text += line + " " + target
	return c
}

// loginLines fill the jar with the cookies of a login.
func loginLines(user, origin, base string) string {
	if user == "" {
		user = "ann"
	}
	login := quote(origin + base + "hub/login")
	return "curl -s -o /dev/null -c " + jar + " " + login + "\n" +
		"curl -s -o /dev/null -b " + jar + " -c " + jar + " -d username=" + quote(user) + ` -d password=any --data-urlencode "_xsrf=` + xsrfOfJar + `" ` + login + "\n"
}

func (c *Command) need(variable, what string) {
	for _, n := range c.Needs {
		if strings.HasPrefix(n, variable+":") {
			return
		}
	}
	c.Needs = append(c.Needs, variable+": "+what)
}

// plainAddress is the address with those parameters that are no secrets.
func plainAddress(a Address) string {
	var b strings.Builder
	b.WriteString(a.Path)
	sep := "?"
	for _, f := range a.Query {
		if f.Secret || f.Inner != nil {
			continue
		}
		b.WriteString(sep + url.QueryEscape(f.Name) + "=" + url.QueryEscape(f.Value))
		sep = "&"
	}
	return b.String()
}

// secretQuery are the other parameters, as arguments of curl.
func secretQuery(query []Field, c *Command) string {
	out := ""
	for _, f := range query {
		switch {
		case f.Inner != nil:
			out += " --url-query " + quote(f.Name+"="+plainAddress(*f.Inner))
		case f.Secret && f.Name == "_xsrf":
			out += ` --url-query "_xsrf=` + xsrfOfJar + `"`
		case f.Secret:
			out += " --url-query \"" + f.Name + "=$" + variable(f.Name, c) + `"`
		}
	}
	return out
}

func formArgs(form []Field, c *Command) string {
	out := ""
	for _, f := range form {
		switch {
		case f.Inner != nil:
			out += " --data-urlencode " + quote(f.Name+"="+plainAddress(*f.Inner))
		case f.Secret && strings.Contains(strings.ToLower(f.Name), "password"):
			out += " -d " + quote(f.Name+"=any")
		case f.Secret:
			out += ` --data-urlencode "` + f.Name + "=$" + variable(f.Name, c) + `"`
		default:
			out += " --data-urlencode " + quote(f.Name+"="+f.Value)
		}
	}
	return out
}

// variable is the shell variable of a secret parameter.
func variable(name string, c *Command) string {
	v := strings.ToUpper(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' {
			return r
		}
		return '_'
	}, name))
	c.need(v, "the request had a value here that is not kept")
	return v
}

func without(fields []Field, name string) (out []Field) {
	for _, f := range fields {
		if f.Name != name {
			out = append(out, f)
		}
	}
	return out
}

// quote makes one word of a shell.
func quote(text string) string {
	if text != "" && strings.Trim(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:@=,+%") == "" {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
