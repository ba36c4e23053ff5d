package urlpath

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// Kinds of hosts that Subdomain names.
const (
	KindUser    = "user"
	KindService = "service"
)

// Subdomain hooks that JupyterHub has built in.
const (
	HookIDNA   = "idna"   // one DNS label per user and service; injective
	HookLegacy = "legacy" // mostly DNS-safe labels for users; one host, "services", for all services
)

// Subdomain returns the host of a user or service (kind) below domain. With HookLegacy it follows JupyterHub's old scheme;
// any other hook means HookIDNA: the name itself when it is a DNS label without "--", else its IDNA 2008
// form, else a stub with a hash; services get the suffix "--service".
//
// Two differences from JupyterHub's code, both where it accepts what is no DNS label by a flaw of its regular expression: a
// name with a trailing newline and names with letters that merely fold to ASCII ("ſ", "K", "ı", "İ") are not taken literally.
func Subdomain(name, domain, kind, hook string) string {
	if hook == HookLegacy {
		if kind == KindService {
			return "services." + domain
		}
		return legacyLabel(name) + "." + domain
	}
	label := idnaLabel(name)
	if kind != KindUser {
		label += "--" + kind
	}
	return label + "." + domain
}

func legacyLabel(name string) string {
	return strings.ReplaceAll(strings.ToLower(quote(name, "-.")), "%", "_")
}

func idnaLabel(name string) string {
	if strings.Contains(name, "--") {
		return hashLabel(name)
	}
	if dnsLabel(name) {
		return name
	}
	if l, ok := encodeIDNA(name); ok && dnsLabel(l) {
		return l
	}
	return hashLabel(name)
}

// hashLabel names anything: "u-", up to eight letters and digits of the name, "--" and seven digits of its hash.
func hashLabel(name string) string {
	stub := make([]byte, 0, 8)
	for _, r := range strings.ToLower(name) {
		if r < utf8.RuneSelf && lowerAlnum(byte(r)) && len(stub) < 8 {
			stub = append(stub, byte(r))
		}
	}
	if len(stub) == 0 {
		stub = append(stub, 'x') // "u---hash" would have hyphens where IDNA prefixes do (RFC 5891 §4.2.3.1)
	}
	sum := sha256.Sum256([]byte(name))
	return "u-" + string(stub) + "--" + hex.EncodeToString(sum[:])[:7]
}

func dnsLabel(s string) bool {
	if s == "" || len(s) > 63 || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	digits := true
	for i := range len(s) {
		c := s[i]
		if !lowerAlnum(c|0x20) && c != '-' || c >= utf8.RuneSelf || c < '-' {
			return false
		}
		digits = digits && '0' <= c && c <= '9'
	}
	return !digits
}

// encodeIDNA gives the A-label of one non-ASCII label. Unlike golang.org/x/net/idna it maps nothing (IDNA 2008 wants
// the caller's text as it is) and checks the CONTEXTO rules.
func encodeIDNA(name string) (string, bool) {
	ascii := true
	for _, r := range name {
		ascii = ascii && r < utf8.RuneSelf
		if strings.ContainsRune(".\u3002\uff0e\uff61", r) || !letterDigit(r) {
			return "", false // several labels never are one safe label
		}
	}
	if ascii || !utf8.ValidString(name) || !contextO([]rune(name)) {
		return "", false
	}
	p := idna.New(idna.ValidateForRegistration(), idna.StrictDomainName(true), idna.BidiRule(), idna.VerifyDNSLength(true))
	l, err := p.ToASCII(name)
	return l, err == nil && strings.HasPrefix(l, "xn--")
}

// letterDigit is LetterDigits of RFC 5892 §2.1 with its exceptions (§2.6) and joiners: UTS 46, which the library follows,
// allows symbols such as emoji, IDNA 2008 does not.
func letterDigit(r rune) bool {
	return unicode.In(r, unicode.Ll, unicode.Lu, unicode.Lo, unicode.Lm, unicode.Mn, unicode.Mc, unicode.Nd) ||
		strings.ContainsRune("-\u00b7\u0375\u05f3\u05f4\u06fd\u06fe\u0f0b\u3007\u30fb\u200c\u200d", r)
}

// contextO applies the contextual rules of RFC 5892 appendix A.3 to A.9.
func contextO(rs []rune) bool {
	at := func(i int) rune {
		if i < 0 || i >= len(rs) {
			return -1
		}
		return rs[i]
	}
	var arabicIndic, extended, katakanaDot, kana bool
	for i, r := range rs {
		switch {
		case r == 0x00b7: // middle dot, only between two l (Catalan)
			if at(i-1) != 'l' || at(i+1) != 'l' {
				return false
			}
		case r == 0x0375: // Greek keraia, before Greek
			if !unicode.Is(unicode.Greek, at(i+1)) {
				return false
			}
		case r == 0x05f3 || r == 0x05f4: // geresh and gershayim, after Hebrew
			if !unicode.Is(unicode.Hebrew, at(i-1)) {
				return false
			}
		case r == 0x30fb:
			katakanaDot = true
		case 0x0660 <= r && r <= 0x0669:
			arabicIndic = true
		case 0x06f0 <= r && r <= 0x06f9:
			extended = true
		}
		kana = kana || unicode.In(r, unicode.Hiragana, unicode.Katakana, unicode.Han)
	}
	return (!katakanaDot || kana) && !(arabicIndic && extended)
}
