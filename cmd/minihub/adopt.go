package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/minihub/minihub/app"
	"github.com/minihub/minihub/config"
)

// adopt reports what minihub makes of the configuration and the database of a JupyterHub, and changes nothing. The error, and with it the
// exit code 1, says that minihub would not start.
func adopt(ctx context.Context, c *cli, argv []string) error {
	args, err := config.ParseArgs(argv)
	if err != nil {
		return &usageError{err}
	}
	if done, err := help(c, args); done {
		return err
	}
	cfg, report, err := app.Load(ctx, args, c.err)
	if report == nil {
		return err
	}
	stock, dbErr := app.TakeStock(ctx, cfg)
	if cfg.Child != nil {
		dbErr = errors.Join(dbErr, cfg.Child.Close())
	}
	p := &adoption{w: c.out, cfg: cfg, found: cfg.Adopt(report), stock: stock, dbErr: dbErr}
	p.configuration()
	p.database()
	p.people()
	return p.steps()
}

// adoption writes the report.
type adoption struct {
	w     io.Writer
	cfg   *config.Config
	found config.Adoption
	stock app.Stock
	dbErr error
}

func (p *adoption) line(format string, args ...any) { fmt.Fprintf(p.w, format+"\n", args...) }

func (p *adoption) title(text string) { p.line("\n%s", text) }

func (p *adoption) configuration() {
	file := p.cfg.File
	if file == "" {
		file = "no file, all defaults"
	}
	p.line("Configuration: %s", file)
	p.title(fmt.Sprintf("Native: %s; %s", number(len(p.found.Native), "setting"), p.classes()))
	for _, section := range bySection(p.found.Native) {
		p.line("  %s", section)
	}
	if len(p.found.Python) > 0 {
		python := ""
		if p.stock.Plugins != "" {
			python = ", with " + p.stock.Plugins
		}
		p.title(fmt.Sprintf("In a Python process: %s%s", number(len(p.found.Python), "setting"), python))
		plain := []config.AdoptedTrait{}
		for _, t := range p.found.Python {
			if t.Note == "" {
				plain = append(plain, t)
				continue
			}
			p.line("  %s%s: %s", t.Trait, lineNumber(t.Line), t.Note)
		}
		for _, section := range bySection(plain) {
			p.line("  %s", section)
		}
	}
	p.problems(p.found.Noted, "Noted, and no obstacle: %s")
	p.problems(p.found.Refused, "Not supported, to be changed first: %s")
}

// classes names what stands for authenticator, spawner and proxy.
func (p *adoption) classes() string {
	h := &p.cfg.JupyterHub
	var texts []string
	for _, c := range []struct {
		what string
		ref  config.ClassRef
	}{{"authenticator", h.AuthenticatorClass}, {"spawner", h.SpawnerClass}, {"proxy", h.ProxyClass}} {
		switch {
		case c.ref.Native != "":
			texts = append(texts, c.what+" "+c.ref.Native)
		case c.what == "proxy":
			texts = append(texts, "proxy not supported")
		default:
			texts = append(texts, c.what+" in Python")
		}
	}
	return strings.Join(texts, ", ")
}

func (p *adoption) problems(list []config.Problem, title string) {
	if len(list) == 0 {
		return
	}
	p.title(fmt.Sprintf(title, number(len(list), "setting")))
	for _, problem := range list {
		text := problem.Message
		if problem.WayOut != "" {
			text += "; " + problem.WayOut
		}
		p.line("  %s%s: %s", problem.Trait, lineNumber(problem.Line), text)
	}
}

func lineNumber(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(" (line %d)", n)
}

// bySection gives one text per class, with the names of its traits and their lines.
func bySection(traits []config.AdoptedTrait) []string {
	var out []string
	last := ""
	for _, t := range traits {
		class, name, _ := strings.Cut(t.Trait, ".")
		if t.Line > 0 {
			name += fmt.Sprintf(":%d", t.Line)
		}
		if class == last {
			out[len(out)-1] += ", " + name
		} else {
			out = append(out, class+": "+name)
		}
		last = class
	}
	return out
}
