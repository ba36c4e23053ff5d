package config

import (
	"slices"
	"sort"
	"strings"
)

// Adoption sorts what a configuration says by what becomes of it in minihub. Every trait that was written is in exactly one list.
type Adoption struct {
	Native  []AdoptedTrait // Native traits are minihub's own.
	Python  []AdoptedTrait // Python traits are functions, classes and objects that live in a Python process, and sections of classes there.
	Noted   []Problem      // Noted are warnings: deprecated names, values without effect.
	Refused []Problem      // Refused are errors: minihub does not start with them.
}

// AdoptedTrait is one trait, or one section of a class that is not built in.
type AdoptedTrait struct {
	Trait string // Trait is Class.trait, with the path inside a container when only a part of the value counts.
	Line  int    // Line is where the file sets it; 0 when unknown.
	Note  string // Note says what is there, for example "function configuration.hook"; never a value. It is "" for plain values.
}

// Adopt sorts the traits that were written, with the findings of report.
func (c *Config) Adopt(report *Report) Adoption {
	out := Adoption{Noted: report.Warnings(), Refused: report.Errors()}
	taken, classes := map[string]bool{"JupyterHub.config_file": true}, map[string]bool{"JupyterHub.proxy_class": true}
	for _, p := range report.Problems {
		taken[baseTrait(p.Trait)] = true
	}
	for trait, ref := range map[string]ClassRef{"JupyterHub.authenticator_class": c.JupyterHub.AuthenticatorClass, "JupyterHub.spawner_class": c.JupyterHub.SpawnerClass} {
		classes[trait] = true
		if ref.Native == "" && !refused(report, trait) {
			taken[trait] = true
			out.Python = append(out.Python, AdoptedTrait{trait, report.lineOf(trait), "class " + ref.Given})
		}
	}
	for _, py := range c.Python {
		if base := baseTrait(py.Where); !classes[base] && !refused(report, base) {
			taken[base] = true
			line := report.lineOf(py.Where)
			if line == 0 {
				line = py.Line
			}
			out.Python = append(out.Python, AdoptedTrait{py.Where, line, py.Kind + " " + py.Qualname})
		}
	}
	for class, traits := range c.given {
		for trait := range traits {
			name := class + "." + trait
			_, foreign := c.Raw[class][trait]
			switch t := (AdoptedTrait{Trait: name, Line: report.lineOf(name)}); {
			case taken[name]:
			case foreign && c.ofRefusedProxy(class, report):
				out.Refused = append(out.Refused, Problem{Severity: SeverityError, Trait: name, Line: t.Line,
					Message: "it belongs to JupyterHub.proxy_class, which is refused", WayOut: "remove it"})
			case foreign:
				out.Python = append(out.Python, t)
			default:
				out.Native = append(out.Native, t)
			}
		}
	}
	for _, list := range [][]AdoptedTrait{out.Native, out.Python} {
		slices.SortStableFunc(list, func(a, b AdoptedTrait) int { return strings.Compare(a.Trait, b.Trait) })
	}
	for _, list := range [][]Problem{out.Noted, out.Refused} {
		sort.SliceStable(list, func(i, j int) bool { return list[i].Line < list[j].Line })
	}
	return out
}

// ofRefusedProxy tells whether a section that is not built in is one of a proxy in Python. An entry point does not tell the name of its class,
// nor of its parents: a name that ends like those of proxies is one.
func (c *Config) ofRefusedProxy(class string, report *Report) bool {
	return refused(report, "JupyterHub.proxy_class") && (strings.HasSuffix(c.JupyterHub.ProxyClass.Given, class) || strings.HasSuffix(class, "Proxy"))
}

func refused(report *Report, trait string) bool {
	return slices.ContainsFunc(report.Errors(), func(p Problem) bool { return baseTrait(p.Trait) == trait })
}

// baseTrait cuts the path inside a container off.
func baseTrait(where string) string {
	if end := strings.IndexAny(where, "["); end > 0 {
		return where[:end]
	}
	return where
}
