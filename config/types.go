package config

import (
	"encoding/json"
	"fmt"
	"sort"
	"strings"
)

// masked is what is shown in place of a secret.
const masked = "<hidden>"

// Secret is a text that never shows itself: fmt, encoding/json and log/slog print a mask. Use string(s) for the value.
type Secret string

// String returns a mask, or "" for an empty secret.
func (s Secret) String() string { return mask(len(s)) }

// GoString returns the same mask as String.
func (s Secret) GoString() string { return mask(len(s)) }

// MarshalText returns the same mask as String, for encoders.
func (s Secret) MarshalText() ([]byte, error) { return []byte(mask(len(s))), nil }

// SecretBytes is a binary Secret. Use []byte(s) for the value.
type SecretBytes []byte

// String returns a mask, or "" for an empty secret.
func (s SecretBytes) String() string { return mask(len(s)) }

// GoString returns the same mask as String.
func (s SecretBytes) GoString() string { return mask(len(s)) }

// MarshalText returns the same mask as String, for encoders.
func (s SecretBytes) MarshalText() ([]byte, error) { return []byte(mask(len(s))), nil }

// Format masks every verb: %x of a byte slice would otherwise bypass String.
func (s SecretBytes) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(mask(len(s)))) }

// Format masks every verb, %x and %q included.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(mask(len(s)))) }

// SecretKeys is a map whose keys are secrets (tokens) and whose values are names.
type SecretKeys map[string]string

// String lists the names only.
func (m SecretKeys) String() string {
	names := make([]string, 0, len(m))
	for _, name := range m {
		names = append(names, masked+": "+name)
	}
	sort.Strings(names)
	return "{" + strings.Join(names, ", ") + "}"
}

// GoString returns the same text as String.
func (m SecretKeys) GoString() string { return m.String() }

// Format prints String for every verb.
func (m SecretKeys) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(m.String())) }

// MarshalJSON shows the sorted names without their tokens.
func (m SecretKeys) MarshalJSON() ([]byte, error) {
	names := make([]string, 0, len(m))
	for _, name := range m {
		names = append(names, name)
	}
	sort.Strings(names)
	return json.Marshal(names)
}

// SecretGroups is a map from a password to the groups it gives (SharedPasswordAuthenticator.password_groups).
type SecretGroups map[string][]string

// String shows the number of passwords only.
func (m SecretGroups) String() string { return fmt.Sprintf("{%d passwords}", len(m)) }

// GoString returns the same text as String.
func (m SecretGroups) GoString() string { return m.String() }

// Format prints String for every verb.
func (m SecretGroups) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(m.String())) }

// MarshalJSON shows the number of passwords only.
func (m SecretGroups) MarshalJSON() ([]byte, error) { return json.Marshal(m.String()) }

// CryptKeys are the keys that encrypt auth_state, 32 bytes each; the first one encrypts, all of them decrypt.
// In configuration a key is 32 raw bytes, 64 hex digits or 44 characters of URL-safe base64.
type CryptKeys []SecretBytes

// Command is an argument list; a single text in configuration is a list of one argument (it is not split).
type Command []string

// Profiles is a profile_list: dicts. A dict of dicts is taken as a list in the order of its keys, which are the slugs where there is no slug.
type Profiles []any

// ByteSize is a number of bytes; in configuration a number, or a text with the suffix K, M, G or T (powers of 1024).
type ByteSize int64

// URLPrefix is a URL path that starts and ends with a slash, which are added where they are missing.
type URLPrefix string

// LogLevel is Python's numeric log level: 10 debug, 20 info, 30 warning, 40 error, 50 critical. Names are accepted too.
type LogLevel int

// Python stands for a value that exists only in a Python process: a function, class or other object of the .py file.
type Python struct {
	Kind     string // Kind is "function", "class" or "object".
	Qualname string // Qualname is the dotted name with its module, for example "jupyterhub.auth.DummyAuthenticator".
	Line     int    // Line is where the object was defined in the configuration file; 0 when unknown.
	Where    string // Where is the trait that holds it, with the path inside a container: `Spawner.environment["X"]`.
}

// ClassRef is the value of authenticator_class, spawner_class and proxy_class.
type ClassRef struct {
	Native string  // Native is our own short name (pam, simple, minihub, …); "" when the class is not built in.
	Class  string  // Class is the section that configures it, for example PAMAuthenticator.
	Given  string  // Given is what the configuration said: a short name, a dotted name or the name of a class object.
	Python *Python // Python is set when the configuration gave a class object.
}

// String returns the native name, or what was given.
func (c ClassRef) String() string {
	if c.Native != "" {
		return c.Native
	}
	return c.Given
}

// MarshalText returns String, for encoders.
func (c ClassRef) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

func mask(n int) string {
	if n == 0 {
		return ""
	}
	return masked
}
