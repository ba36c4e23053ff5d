package config

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unicode"
)

// Source says where configuration comes from.
type Source struct {
	Path string // Path is the file; "" means -f of Args, else jupyterhub_config.py (or .json, .yaml, .yml, .toml) in Dir.
	Dir  string // Dir is where relative paths start; "" is the working directory.
	Args Args   // Args is the command line; it wins over the file.

	// Sections are class, trait and value of a configuration that is in no file; not nil: no file is looked for.
	Sections map[string]map[string]any

	// LookupEnv reads the environment variables that traits name; nil is os.LookupEnv.
	LookupEnv func(string) (string, bool)

	// Evaluate runs a .py file and returns class, trait and value, with the markers of this package's value.go for
	// what JSON cannot hold. Nil makes .py files an error.
	Evaluate func(ctx context.Context, path string) (map[string]map[string]any, error)

	// CheckScope reports a scope that does not exist; nil checks nothing. The custom scopes of the configuration are in cfg.
	CheckScope func(cfg *Config, scope string) error

	// AllowPython accepts callables and classes, which then are in Config.Python, instead of refusing them.
	AllowPython bool
}

// Load reads the configuration and checks it. The error is fatal: the file cannot be found, read or evaluated (Config and
// Report are nil), or the report holds errors (*InvalidError; Config and Report are there, for minihub check to print).
// A missing default file is no error.
func Load(ctx context.Context, src Source) (*Config, *Report, error) {
	path, sections, err := src.sections(ctx)
	if err != nil {
		return nil, nil, err
	}
	l := newLoader(src, path)
	if src.AllowPython && !strings.EqualFold(filepath.Ext(path), ".py") {
		l.cfg.Written = sections
	}
	l.addFile(sections)
	l.addArgs(src.Args)
	l.mergeLegacy()
	l.decode()
	l.finish()
	validate(l.cfg, l.report)
	if src.CheckScope != nil {
		l.cfg.EachScope(func(where, scope string) {
			if err := src.CheckScope(l.cfg, scope); err != nil {
				l.report.Errorf(where, "", "%v", err)
			}
		})
	}
	return l.cfg, l.report, l.report.Err()
}

// sections are class, trait and value, and the file that they come from, "" without one.
func (src Source) sections(ctx context.Context) (path string, sections map[string]map[string]any, err error) {
	if src.Sections != nil {
		return "", src.Sections, nil
	}
	if path, err = src.find(); err != nil || path == "" {
		return "", map[string]map[string]any{}, err
	}
	sections, err = src.read(ctx, path)
	return path, sections, err
}

// loader holds the state of one Load.
type loader struct {
	src      Source
	cfg      *Config
	report   *Report
	dec      *decoder
	table    []class
	fields   map[string][]field // by class, computed once
	sections map[string]map[string]any
	home     string
}

func newLoader(src Source, path string) *loader {
	if src.LookupEnv == nil {
		src.LookupEnv = os.LookupEnv
	}
	report := &Report{File: path, lines: map[string]int{}}
	home, _ := src.LookupEnv("HOME")
	table := classes()
	return &loader{
		src: src, report: report, table: table, fields: fieldsByClass(table), home: home,
		cfg:      &Config{File: path, Raw: map[string]map[string]any{}, given: map[string]map[string]bool{}},
		dec:      &decoder{report: report, allowPython: src.AllowPython},
		sections: map[string]map[string]any{},
	}
}

func (l *loader) set(class, trait string, v any) {
	if l.sections[class] == nil {
		l.sections[class] = map[string]any{}
	}
	l.sections[class][trait] = v
}

func (l *loader) addFile(sections map[string]map[string]any) {
	for trait, line := range sections[linesSection] {
		if n, err := normalize(line); err == nil {
			if n, ok := n.(int64); ok {
				l.report.lines[trait] = int(n)
			}
		}
	}
	for _, class := range sortedKeys(sections) {
		if class == linesSection {
			continue
		}
		for _, trait := range sortedKeys(sections[class]) {
			l.addValue(class, trait, sections[class][trait])
		}
	}
}

func (l *loader) addValue(class, trait string, raw any) {
	v, err := normalize(raw)
	if err != nil {
		l.report.Errorf(class+"."+trait, "", "cannot read the value: %v", err)
		return
	}
	if change, ok := v.(*lazy); ok && change.isEmpty() {
		return
	}
	if trait != "" && unicode.IsUpper(rune(trait[0])) {
		l.report.Errorf(class+"."+trait, "write c."+trait+".… instead",
			"a section inside a section is not supported, and its rules would be lost")
		return
	}
	l.set(class, trait, v)
}

func (l *loader) addArgs(args Args) {
	for _, o := range args.Overrides {
		l.set(o.Class, o.Trait, cliTexts(o.Texts))
		delete(l.report.lines, o.Class+"."+o.Trait)
	}
}

// mergeLegacy folds sections that are other names of JupyterHub into it, and moves deprecated traits.
func (l *loader) mergeLegacy() {
	if old := l.sections["JupyterHubApp"]; old != nil {
		l.report.Warnf("JupyterHubApp", "rename the section to JupyterHub", "the section's old name is still understood")
		for trait, v := range old {
			l.set("JupyterHub", trait, v)
		}
		delete(l.sections, "JupyterHubApp")
	}
	for trait, v := range l.sections["Application"] {
		if _, closer := l.sections["JupyterHub"][trait]; !closer {
			l.set("JupyterHub", trait, v)
		}
	}
	delete(l.sections, "Application")
	l.moveDeprecated()
}

// move is one deprecated trait that has a successor of the same meaning.
type move struct{ class, trait, toClass, toTrait string }

func (l *loader) moveDeprecated() {
	moves := []move{
		{"JupyterHub", "proxy_check_interval", "ConfigurableHTTPProxy", "check_running_interval"},
		{"JupyterHub", "proxy_cmd", "ConfigurableHTTPProxy", "command"},
		{"JupyterHub", "debug_proxy", "ConfigurableHTTPProxy", "debug"},
		{"JupyterHub", "proxy_auth_token", "ConfigurableHTTPProxy", "auth_token"},
	}
	for _, c := range l.table {
		for _, link := range chain(l.table, c.name) {
			switch link.name {
			case "Authenticator":
				moves = append(moves, move{c.name, "whitelist", c.name, "allowed_users"})
			case "LocalAuthenticator":
				moves = append(moves, move{c.name, "group_whitelist", c.name, "allowed_groups"})
			}
		}
	}
	for _, m := range moves {
		l.move(m)
	}
	l.moveProxyAPI()
	l.moveAdminUsers()
	for _, trait := range []string{"statsd_host", "statsd_port", "statsd_prefix"} {
		if _, ok := l.sections["JupyterHub"][trait]; ok {
			l.report.Warnf("JupyterHub."+trait, "use the Prometheus metrics at /hub/metrics", "statsd was removed in JupyterHub 6.0; the value has no effect")
			delete(l.sections["JupyterHub"], trait)
		}
	}
}

func (l *loader) move(m move) {
	v, ok := l.sections[m.class][m.trait]
	if !ok {
		return
	}
	from, to := m.class+"."+m.trait, m.toClass+"."+m.toTrait
	delete(l.sections[m.class], m.trait)
	if _, both := l.sections[m.toClass][m.toTrait]; both {
		l.report.Errorf(from, "keep "+to+" only", "the deprecated name and its replacement %s are both set", to)
		return
	}
	l.report.Warnf(from, "use "+to, "the name is deprecated")
	l.set(m.toClass, m.toTrait, v)
	if line := l.report.lines[from]; line > 0 {
		l.report.lines[to] = line
	}
}

// moveProxyAPI turns proxy_api_ip and proxy_api_port into one URL: 127.0.0.1 and the public port + 1 where one is missing.
func (l *loader) moveProxyAPI() {
	hub := l.sections["JupyterHub"]
	ip, hasIP := hub["proxy_api_ip"]
	port, hasPort := hub["proxy_api_port"]
	if !hasIP && !hasPort {
		return
	}
	host, number := text(ip), text(port)
	if hasIP && host == "" && ip != "" || hasPort && number == "" {
		return // a wrong type: decoding reports it
	}
	delete(hub, "proxy_api_ip")
	delete(hub, "proxy_api_port")
	const to = "ConfigurableHTTPProxy.api_url"
	for _, name := range []string{"proxy_api_ip", "proxy_api_port"} {
		if name == "proxy_api_ip" && hasIP || name == "proxy_api_port" && hasPort {
			l.report.Warnf("JupyterHub."+name, "use "+to, "the name is deprecated")
		}
	}
	if _, both := l.sections["ConfigurableHTTPProxy"]["api_url"]; both {
		l.report.Errorf("JupyterHub.proxy_api_ip", "keep "+to+" only", "proxy_api_ip or proxy_api_port and %s are both set", to)
		return
	}
	if host == "" {
		host = "127.0.0.1"
	}
	if number == "" || number == "0" {
		number = "8001"
		if public := text(hub["port"]); public != "" {
			var n int
			if _, err := fmt.Sscan(public, &n); err == nil {
				number = fmt.Sprint(n + 1)
			}
		}
	}
	l.set("ConfigurableHTTPProxy", "api_url", "http://"+host+":"+number)
}

// moveAdminUsers applies JupyterHub.admin_users, which counts only while no authenticator section names admins.
func (l *loader) moveAdminUsers() {
	v, ok := l.sections["JupyterHub"]["admin_users"]
	if !ok {
		return
	}
	l.report.Warnf("JupyterHub.admin_users", "use Authenticator.admin_users", "the name is deprecated")
	for class, traits := range l.sections {
		if _, set := traits["admin_users"]; set && class != "JupyterHub" {
			l.report.Warnf("JupyterHub.admin_users", "move the names to "+class+".admin_users", "it has no effect because %s.admin_users is set", class)
			return
		}
	}
	l.set("Authenticator", "admin_users", v)
}

// text reads a value that is a text or number, also from the command line, as text.
func text(v any) string {
	switch x := v.(type) {
	case cliTexts:
		return x[len(x)-1]
	case string:
		return x
	case int64:
		return fmt.Sprint(x)
	}
	return ""
}

// decode fills every class along its chain of parents and then reports what no class knows.
func (l *loader) decode() {
	for _, c := range l.table {
		l.decodeClass(c)
	}
	l.unknownNames()
	l.deprecated()
	l.cfg.Python = l.dec.uniquePython()
}

// deprecated warns about traits that still work and have a better successor.
func (l *loader) deprecated() {
	for _, c := range l.table {
		for _, f := range l.fields[c.name] {
			if f.Deprecated != "" && l.cfg.Given(c.name, f.Name) {
				l.report.Warnf(c.name+"."+f.Name, "use "+f.Deprecated, "the trait is deprecated")
			}
		}
	}
}

func (d *decoder) uniquePython() []Python {
	seen := map[string]bool{}
	var out []Python
	for _, py := range d.python {
		if !seen[py.Where] {
			seen[py.Where] = true
			out = append(out, py)
		}
	}
	return out
}

func isAuthenticator(class string) bool { return strings.HasSuffix(class, "Authenticator") }
