package httpmw

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Why a signed value was not accepted; for logs and for choosing to clear a cookie, never for the client.
var (
	ErrNotSigned     = errors.New("not a signed value")
	ErrWrongSign     = errors.New("the signature does not fit: made with another cookie secret, or changed on the way")
	ErrWrongName     = errors.New("signed for another cookie")
	ErrSignedTooLong = errors.New("signed too long ago")
	ErrSignedAhead   = errors.New("signed in the future: was the clock set back?")
)

const (
	// maxSignedLength bounds the work that an unauthenticated client can ask for; browsers keep no larger cookies.
	maxSignedLength = 8192
	// signedSkew is how far ahead of this machine's clock a signature may be.
	signedSkew = 24 * time.Hour
	// signedSkewV1 is Tornado's own bound for v1.
	signedSkewV1 = 31 * 24 * time.Hour
)

// Signer signs cookie values as Tornado's set_signed_cookie does, so that JupyterHub and minihub accept each other's
// cookies when they share the cookie secret.
type Signer struct {
	Secret []byte
	Now    func() time.Time // nil: time.Now
}

func (s Signer) now() time.Time {
	if s.Now == nil {
		return time.Now()
	}
	return s.Now()
}

// Sign returns the value in Tornado's format 2, bound to the cookie's name and to the time:
//
//	2|1:0|<len>:<unix time>|<len>:<name>|<len>:<base64 value>|<hex hmac-sha256>
//
// Lengths are decimal byte counts; the HMAC covers everything up to and including the last "|".
func (s Signer) Sign(name, value string, at time.Time) string {
	var b strings.Builder
	b.WriteString("2|1:0|") // format version, key version
	for _, field := range []string{strconv.FormatInt(at.Unix(), 10), name, base64.StdEncoding.EncodeToString([]byte(value))} {
		fmt.Fprintf(&b, "%d:%s|", len(field), field)
	}
	return b.String() + s.hmac256(b.String())
}

// Verify returns the value that was signed for this cookie name at most maxAge ago. Only format 2 is accepted. The error is
// one of the Err… values.
func (s Signer) Verify(name, signed string, maxAge time.Duration) (string, error) {
	if len(signed) > maxSignedLength || !strings.HasPrefix(signed, "2|") {
		return "", ErrNotSigned
	}
	var fields [4]string // key version, time, name, value
	rest := signed[2:]
	for i := range fields {
		var ok bool
		if fields[i], rest, ok = cutSignedField(rest); !ok {
			return "", ErrNotSigned
		}
	}
	if !hmac.Equal([]byte(rest), []byte(s.hmac256(signed[:len(signed)-len(rest)]))) {
		return "", ErrWrongSign
	}
	if fields[2] != name {
		return "", ErrWrongName
	}
	if err := checkSignedTime(fields[1], s.now(), maxAge, signedSkew); err != nil {
		return "", err
	}
	return decodeSigned(fields[3])
}

// VerifyLogin is Verify for the login cookie, whose readers in JupyterHub still take Tornado's format 1:
//
//	<base64 value>|<unix time>|<hex hmac-sha1 of name, base64 value and time>
func (s Signer) VerifyLogin(name, signed string, maxAge time.Duration) (string, error) {
	if strings.HasPrefix(signed, "2|") || len(signed) > maxSignedLength {
		return s.Verify(name, signed, maxAge)
	}
	parts := strings.Split(signed, "|")
	if len(parts) != 3 {
		return "", ErrNotSigned
	}
	mac := hmac.New(sha1.New, s.Secret)
	mac.Write([]byte(name + parts[0] + parts[1]))
	if !hmac.Equal([]byte(parts[2]), []byte(hex.EncodeToString(mac.Sum(nil)))) {
		return "", ErrWrongSign
	}
	// The signature does not separate value and time: digits could be moved from one to the other. As Tornado: no leading
	// zero, and not far in the future.
	if strings.HasPrefix(parts[1], "0") {
		return "", ErrNotSigned
	}
	if err := checkSignedTime(parts[1], s.now(), maxAge, signedSkewV1); err != nil {
		return "", err
	}
	return decodeSigned(parts[0])
}

func (s Signer) hmac256(text string) string {
	mac := hmac.New(sha256.New, s.Secret)
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil))
}

// cutSignedField splits "<len>:<field>|" off.
func cutSignedField(s string) (field, rest string, ok bool) {
	length, rest, ok := strings.Cut(s, ":")
	if !ok {
		return "", "", false
	}
	n, err := strconv.ParseUint(length, 10, 16)
	if err != nil || n >= uint64(len(rest)) || rest[n] != '|' {
		return "", "", false
	}
	return rest[:n], rest[n+1:], true
}

func checkSignedTime(text string, now time.Time, maxAge, skew time.Duration) error {
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return ErrNotSigned
	}
	at := time.Unix(seconds, 0)
	switch {
	case at.Before(now.Add(-maxAge)):
		return ErrSignedTooLong
	case at.After(now.Add(skew)):
		return ErrSignedAhead
	}
	return nil
}

func decodeSigned(text string) (string, error) {
	value, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return "", ErrNotSigned
	}
	return string(value), nil
}
