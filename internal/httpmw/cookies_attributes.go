package httpmw

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// cookieAttributes are the keyword arguments of Tornado's set_cookie that a configuration may fix; nil leaves one alone.
type cookieAttributes struct {
	domain, sameSite, path *string
	httpOnly, secure       *bool
	expiresDays            *float64
	expires                *time.Time
	noExpiry               bool // expires_days: None makes a session cookie
	maxAge                 *int
}

// apply lays the attributes over a cookie.
func (a cookieAttributes) apply(c *setCookie) {
	setAttribute(&c.domain, a.domain)
	setAttribute(&c.sameSite, a.sameSite)
	setAttribute(&c.path, a.path)
	setAttribute(&c.httpOnly, a.httpOnly)
	setAttribute(&c.secure, a.secure)
	setAttribute(&c.maxAge, a.maxAge)
	switch {
	case a.expires != nil:
		c.expires = *a.expires
	case a.expiresDays != nil:
		c.expires = time.Now().Add(time.Duration(*a.expiresDays * float64(24*time.Hour)))
	case a.noExpiry:
		c.expires = time.Time{}
	}
}

func setAttribute[T any](field *T, value *T) {
	if value != nil {
		*field = *value
	}
}

// parseCookieAttributes reads a dictionary of tornado_settings. Names are taken in any case, as Tornado does. All problems
// are in the error, each with the dictionary's name.
func parseCookieAttributes(trait string, in map[string]any) (cookieAttributes, error) {
	var out cookieAttributes
	var problems []error
	for _, key := range slices.Sorted(maps.Keys(in)) {
		if err := out.parse(strings.ReplaceAll(strings.ToLower(key), "-", "_"), in[key]); err != nil {
			problems = append(problems, fmt.Errorf("JupyterHub.tornado_settings[%q][%q]: %w", trait, key, err))
		}
	}
	return out, errors.Join(problems...)
}

func (a *cookieAttributes) parse(key string, value any) (err error) {
	switch key {
	case "domain":
		a.domain, err = cookieText(value)
	case "path":
		a.path, err = cookieText(value)
	case "samesite":
		if a.sameSite, err = cookieText(value); err == nil && *a.sameSite != "" &&
			!slices.Contains([]string{"strict", "lax", "none"}, strings.ToLower(*a.sameSite)) {
			err = fmt.Errorf("must be Strict, Lax or None, not %q", *a.sameSite)
		}
	case "httponly":
		a.httpOnly, err = cookieFlag(value)
	case "secure":
		a.secure, err = cookieFlag(value)
	case "expires_days":
		if value == nil {
			a.noExpiry = true
			return nil
		}
		a.expiresDays, err = cookieNumber(value)
	case "expires":
		var unix *float64
		if at, ok := value.(time.Time); ok {
			a.expires = &at
		} else if unix, err = cookieNumber(value); err == nil {
			a.expires = new(time.Unix(int64(*unix), 0))
		}
	case "max_age":
		var seconds *float64
		if seconds, err = cookieNumber(value); err == nil {
			a.maxAge = new(int(*seconds))
		}
	default:
		err = errors.New("not a cookie attribute: known are domain, expires, expires_days, httponly, max_age, path, samesite, secure")
	}
	return err
}

// cookieText refuses what would end the attribute and begin another one.
func cookieText(value any) (*string, error) {
	if value == nil {
		return new(""), nil
	}
	text, ok := value.(string)
	if !ok {
		return nil, fmt.Errorf("must be a string, not %T", value)
	}
	for i := 0; i < len(text); i++ {
		if text[i] <= ' ' || text[i] == ';' || text[i] == 0x7f {
			return nil, fmt.Errorf("must not contain %q", text[i])
		}
	}
	return &text, nil
}

func cookieFlag(value any) (*bool, error) {
	switch v := value.(type) {
	case bool:
		return &v, nil
	case nil:
		return new(false), nil
	}
	if number, err := cookieNumber(value); err == nil {
		return new(*number != 0), nil
	}
	return nil, fmt.Errorf("must be true or false, not %T", value)
}

func cookieNumber(value any) (*float64, error) {
	var f float64
	switch v := value.(type) {
	case int:
		f = float64(v)
	case int64:
		f = float64(v)
	case uint64:
		f = float64(v)
	case float64:
		f = v
	case json.Number:
		var err error
		if f, err = v.Float64(); err != nil {
			return nil, fmt.Errorf("must be a number, not %q", v)
		}
	default:
		return nil, fmt.Errorf("must be a number, not %T", value)
	}
	// Beyond this a date has no four-digit year, which is all that browsers read.
	if math.IsNaN(f) || math.Abs(f) > 253402300799 {
		return nil, fmt.Errorf("the number %v is out of range", f)
	}
	return &f, nil
}
