package config

import (
	"fmt"
	"regexp"
	"strings"
)

// Override is one trait set on the command line.
type Override struct {
	Class string
	Trait string
	Texts []string // Texts has one entry per repetition of the flag; what they mean depends on the trait's type.
}

// Args is a parsed command line without sub-command. The zero value is an empty one.
type Args struct {
	Overrides      []Override // Overrides are in the order of first appearance, each trait once.
	Help           bool       // Help is -h or --help.
	HelpAll        bool       // HelpAll is --help-all.
	Version        bool       // Version is --version.
	GenerateConfig bool       // GenerateConfig is --generate-config.
	ShowConfig     bool       // ShowConfig is --show-config.
	ShowConfigJSON bool       // ShowConfigJSON is --show-config-json.
}

// String names the traits and shows no value.
func (a Args) String() string {
	names := make([]string, 0, len(a.Overrides))
	for _, o := range a.Overrides {
		names = append(names, o.Class+"."+o.Trait)
	}
	return "args [" + strings.Join(names, " ") + "]"
}

// ConfigFile returns the path given with -f, or "".
func (a Args) ConfigFile() string { return a.last("config_file") }

// Yes tells whether -y was given.
func (a Args) Yes() bool {
	text := a.last("answer_yes")
	return text == "1" || strings.EqualFold(text, "true")
}

// last is the last text of a trait of JupyterHub, or "".
func (a Args) last(trait string) string {
	for _, o := range a.Overrides {
		if o.Class == "JupyterHub" && o.Trait == trait {
			return o.Texts[len(o.Texts)-1]
		}
	}
	return ""
}

// aliases are JupyterHub's flags that take a value, and minihub's own.
func aliases() map[string]string {
	return map[string]string{
		"f": "JupyterHub.config_file", "config": "JupyterHub.config_file", "db": "JupyterHub.db_url",
		"log-level": "JupyterHub.log_level", "base-url": "JupyterHub.base_url", "y": "JupyterHub.answer_yes",
		"ssl-key": "JupyterHub.ssl_key", "ssl-cert": "JupyterHub.ssl_cert", "url": "JupyterHub.bind_url",
		"ip": "JupyterHub.ip", "port": "JupyterHub.port", "pid-file": "JupyterHub.pid_file",
		"log-file": "JupyterHub.extra_log_file", "log-format": "Minihub.log_format", "pprof": "Minihub.pprof",
	}
}

// switches are JupyterHub's flags without a value and the trait text that they stand for.
func switches() map[string][2]string {
	return map[string][2]string{
		"debug":            {"JupyterHub.log_level", "DEBUG"},
		"no-db":            {"JupyterHub.db_url", "sqlite:///:memory:"},
		"upgrade-db":       {"JupyterHub.upgrade_db", "True"},
		"generate-certs":   {"JupyterHub.generate_certs", "True"},
		"no-ssl":           {"JupyterHub.confirm_no_ssl", "True"},
		"generate-config":  {"JupyterHub.generate_config", "True"},
		"show-config":      {"JupyterHub.show_config", "True"},
		"show-config-json": {"JupyterHub.show_config_json", "True"},
	}
}

var traitFlag = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*\.[A-Za-z_][A-Za-z0-9_]*$`)

// ParseArgs reads the command line after the sub-command, as JupyterHub does: --Class.trait=value, "--Class.trait value",
// the short flags, and switches. Repeating --Class.trait appends where the trait is a list, set or dict; the last one
// wins elsewhere. Errors: an unknown flag (with the nearest known one), a flag without its value, a stray argument.
// Unknown classes and traits are no error here: Load reports them.
func ParseArgs(argv []string) (Args, error) {
	p := &argsParser{argv: argv, aliases: aliases(), switches: switches()}
	for p.i < len(p.argv) {
		arg := p.argv[p.i]
		p.i++
		if arg == "--" && p.i == len(p.argv) {
			break
		}
		if !strings.HasPrefix(arg, "-") || arg == "-" || arg == "--" {
			return Args{}, fmt.Errorf("read the command line: unexpected argument %q; configuration is given as --Class.trait=value", arg)
		}
		if err := p.flag(arg); err != nil {
			return Args{}, fmt.Errorf("read the command line: %w", err)
		}
	}
	return p.args, nil
}

type argsParser struct {
	argv     []string
	i        int
	args     Args
	aliases  map[string]string
	switches map[string][2]string
}

func (p *argsParser) flag(arg string) error {
	name, value, hasValue := strings.Cut(strings.TrimLeft(arg, "-"), "=")
	dashes := len(arg) - len(strings.TrimLeft(arg, "-"))
	if dashes > 2 || (dashes == 1 && len(name) > 1 && !traitFlag.MatchString(name)) {
		return p.unknown(arg, name)
	}
	if sw, ok := p.switches[name]; ok {
		if hasValue {
			return fmt.Errorf("--%s takes no value", name)
		}
		p.note(name)
		p.put(sw[0], sw[1], false)
		return nil
	}
	switch name {
	case "h", "help":
		p.args.Help = true
		return nil
	case "help-all":
		p.args.HelpAll = true
		return nil
	case "version":
		p.args.Version = true
		return nil
	}
	trait, ok := p.aliases[name]
	if !ok {
		if !traitFlag.MatchString(name) {
			return p.unknown(arg, name)
		}
		trait = name
	}
	if !hasValue {
		var err error
		if value, err = p.next(name); err != nil {
			return err
		}
	}
	p.put(strings.Replace(trait, "Application.", "JupyterHub.", 1), value, !ok)
	return nil
}

// next takes the following argument as value. -y alone means yes.
func (p *argsParser) next(name string) (string, error) {
	if p.i < len(p.argv) {
		value := p.argv[p.i]
		isBool := value == "0" || value == "1" || strings.EqualFold(value, "true") || strings.EqualFold(value, "false")
		looksLikeFlag := strings.HasPrefix(value, "-") && len(value) > 1 && (value[1] < '0' || value[1] > '9')
		if name == "y" && !isBool {
			return "True", nil
		}
		if !looksLikeFlag {
			p.i++
			return value, nil
		}
	}
	if name == "y" {
		return "True", nil
	}
	dashes := "--"
	if len(name) == 1 {
		dashes = "-"
	}
	return "", fmt.Errorf("%s%s needs a value: %s%s=…", dashes, name, dashes, name)
}

func (p *argsParser) note(name string) {
	switch name {
	case "generate-config":
		p.args.GenerateConfig = true
	case "show-config":
		p.args.ShowConfig = true
	case "show-config-json":
		p.args.ShowConfigJSON = true
	}
}

// put adds a text to the trait; a short flag replaces what was there, --Class.trait appends.
func (p *argsParser) put(trait, text string, appends bool) {
	class, name, _ := strings.Cut(trait, ".")
	for i, o := range p.args.Overrides {
		if o.Class == class && o.Trait == name {
			if appends {
				p.args.Overrides[i].Texts = append(o.Texts, text)
			} else {
				p.args.Overrides[i].Texts = []string{text}
			}
			return
		}
	}
	p.args.Overrides = append(p.args.Overrides, Override{Class: class, Trait: name, Texts: []string{text}})
}

func (p *argsParser) unknown(arg, name string) error {
	known := []string{"help", "help-all", "version"}
	known = append(known, sortedKeys(p.aliases)...)
	known = append(known, sortedKeys(p.switches)...)
	flag, _, _ := strings.Cut(arg, "=")
	return fmt.Errorf("unknown flag %s; %s", flag, didYouMean(name, "--", known, "--help lists the flags"))
}
