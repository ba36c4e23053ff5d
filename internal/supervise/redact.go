package supervise

import (
	"slices"
	"strings"
)

// hiddenText stands in the log where a process printed one of its own secrets.
const hiddenText = "[secret]"

// secretSuffixes end the names of environment variables whose values must not get into anybody's log.
var secretSuffixes = []string{"TOKEN", "SECRET", "PASSWORD", "CRYPT_KEY"}

// shortestSecret keeps ordinary words, which a variable may hold for a test, out of the replacements.
const shortestSecret = 8

// redactor returns what hides a process' own secrets in its output; nil when its environment has none. A server that prints its environment
// into its log would hand its API token to everybody who reads the hub's.
func redactor(env map[string]string) *strings.Replacer {
	var pairs []string
	for name, value := range env {
		if len(value) < shortestSecret || slices.Contains(pairs, value) { // too short to be one, or known by another name
			continue
		}
		if slices.ContainsFunc(secretSuffixes, func(end string) bool { return strings.HasSuffix(strings.ToUpper(name), end) }) {
			pairs = append(pairs, value, hiddenText)
		}
	}
	if pairs == nil {
		return nil
	}
	return strings.NewReplacer(pairs...)
}
