package auth

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// MaxNameLength is the size of the name columns in JupyterHub's schema, in characters.
const MaxNameLength = 255

// shownNameLength bounds what of a stranger's input may reach a log line or a page (GHSA-p43p-whwx-q52h).
const shownNameLength = 32

// ShortName returns a submitted name for logs and pages: unchanged up to 32 characters, else its first 16 and its length.
// A password typed into the wrong field, or half a megabyte of it, is not repeated in full.
func ShortName(name string) string {
	if len(name) <= shownNameLength {
		return name
	}
	count := utf8.RuneCountInString(name)
	if count <= shownNameLength {
		return name
	}
	head := make([]rune, 0, 16)
	for _, c := range name {
		if head = append(head, c); len(head) == cap(head) {
			break
		}
	}
	return fmt.Sprintf("%s...(%d chars)", string(head), count)
}

// ValidateUserName tells why a normalised name cannot be a user's; nil when it can. Rules.Validate adds username_pattern.
// The first four checks are JupyterHub's (GHSA-93gc-h923-mp36 for the dots), the others keep names unambiguous in URLs and logs.
func ValidateUserName(name string) error {
	if strings.Contains(name, "/") {
		return errors.New(`name must not contain "/"`)
	}
	if err := validateEdges(name); err != nil {
		return err
	}
	return validateText(name)
}

// ValidateServiceName tells why a name cannot be a service's; nil when it can. A service's name stands in URLs as it is, so
// percent escapes are refused too.
func ValidateServiceName(name string) error {
	if strings.Contains(name, "/") {
		return errors.New(`name must not contain "/"`)
	}
	if err := validateEdges(name); err != nil {
		return err
	}
	if i := percentEscape(name); i >= 0 {
		return fmt.Errorf("name must not contain percent escapes like %q", name[i:i+3])
	}
	return validateText(name)
}

// ValidateGroupName tells why a name cannot be a group's; nil when it can. JupyterHub does not restrict group names at all;
// what is refused here could not be addressed by a URL or stored.
func ValidateGroupName(name string) error {
	if name == "" {
		return errors.New("name must not be empty")
	}
	if onlyDots(name) {
		return errors.New("name must not consist of dots only")
	}
	return validateCharacters(name)
}

// validateEdges holds the checks that users and services share: empty, dots, outer spaces.
func validateEdges(name string) error {
	switch {
	case name == "":
		return errors.New("name must not be empty")
	case onlyDots(name):
		return errors.New("name must not consist of dots only, escaped or not")
	case strings.TrimSpace(name) != name:
		return errors.New("name must not start or end with a space")
	}
	return nil
}

// validateText refuses what JupyterHub lets through and minihub does not: two spellings of one name, and invisible characters.
func validateText(name string) error {
	if err := validateCharacters(name); err != nil {
		return err
	}
	if !norm.NFC.IsNormalString(name) {
		return errors.New("name must be in Unicode normalisation form NFC")
	}
	return nil
}

func validateCharacters(name string) error {
	if !utf8.ValidString(name) {
		return errors.New("name must be valid UTF-8")
	}
	if n := utf8.RuneCountInString(name); n > MaxNameLength {
		return fmt.Errorf("name must not be longer than %d characters, this one has %d", MaxNameLength, n)
	}
	for _, c := range name {
		if unicode.IsControl(c) {
			return fmt.Errorf("name must not contain the control character %U", c)
		}
	}
	return nil
}

// onlyDots reports whether a name is a run of dots, also after one percent-decoding: such a path segment would be
// resolved away by clients and proxies.
func onlyDots(name string) bool {
	plain := strings.NewReplacer("%2e", ".", "%2E", ".").Replace(name)
	return plain != "" && strings.Trim(plain, ".") == ""
}

// percentEscape returns the index of the first "%XX" in s, or -1.
func percentEscape(s string) int {
	for i := 0; i+2 < len(s); i++ {
		if s[i] == '%' && isHex(s[i+1]) && isHex(s[i+2]) {
			return i
		}
	}
	return -1
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}
