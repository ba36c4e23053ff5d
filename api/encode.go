package api

import (
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/minihub/minihub/internal/httpmw"
	"github.com/minihub/minihub/orm"
)

// jsonObject is a JSON object that is written key by key. Lists of users are long, and a map for each of them, which encoding/json sorts
// and looks through by reflection, costs more than all else that such an answer needs.
type jsonObject struct {
	b     []byte
	start int   // where the object begins in b
	err   error // the first value that could not be encoded
}

// beginObject begins an object behind b.
func beginObject(b []byte) jsonObject { return jsonObject{b: append(b, '{'), start: len(b)} }

// end returns the buffer with the finished object.
func (o *jsonObject) end() ([]byte, error) { return append(o.b, '}'), o.err }

func (o *jsonObject) empty() bool { return len(o.b) == o.start+1 }

// key writes a key, which must need no escapes.
func (o *jsonObject) key(name string) {
	if !o.empty() {
		o.b = append(o.b, ',')
	}
	o.b = append(o.b, '"')
	o.b = append(o.b, name...)
	o.b = append(o.b, '"', ':')
}

func (o *jsonObject) null(key string) {
	o.key(key)
	o.b = append(o.b, "null"...)
}

func (o *jsonObject) text(key, value string) {
	o.key(key)
	o.quote(value)
}

// orNull writes a text, null when it is empty.
func (o *jsonObject) orNull(key, value string) {
	if value == "" {
		o.null(key)
		return
	}
	o.text(key, value)
}

func (o *jsonObject) flag(key string, value bool) {
	o.key(key)
	o.b = strconv.AppendBool(o.b, value)
}

func (o *jsonObject) texts(key string, values []string) {
	o.key(key)
	o.b = append(o.b, '[')
	for i, v := range values {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		o.quote(v)
	}
	o.b = append(o.b, ']')
}

// time writes JupyterHub's form of a time: UTC, microseconds unless they are zero, "Z". nil is null.
func (o *jsonObject) time(key string, t *time.Time) {
	if t == nil {
		o.null(key)
		return
	}
	o.key(key)
	o.b = append(o.b, '"')
	o.b = appendTime(o.b, *t)
	o.b = append(o.b, '"')
}

// optional writes a text, null when there is none.
func (o *jsonObject) optional(key string, value *string) {
	if value == nil {
		o.null(key)
		return
	}
	o.text(key, *value)
}

// dict writes a stored object as nullable shows it.
func (o *jsonObject) dict(key string, value orm.JSONDict) {
	if value == nil {
		o.null(key)
		return
	}
	o.any(key, nullable(value))
}

// inner takes over the buffer, to which an object inside of this one was written.
func (o *jsonObject) inner(b []byte, err error) {
	o.b = b
	if o.err == nil {
		o.err = err
	}
}

// any writes whatever encoding/json can encode.
func (o *jsonObject) any(key string, value any) {
	o.key(key)
	o.value(value)
}

func (o *jsonObject) value(value any) {
	text, err := httpmw.EncodeJSON(value)
	if err != nil && o.err == nil {
		o.err = err
	}
	o.b = append(o.b, text...)
}

// quote writes a string as encoding/json does.
func (o *jsonObject) quote(s string) {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			o.value(s)
			return
		}
	}
	o.b = append(o.b, '"')
	o.b = append(o.b, s...)
	o.b = append(o.b, '"')
}

// appendTime is timestamp for a buffer. time.Format takes five times as long.
func appendTime(b []byte, t time.Time) []byte {
	t = t.UTC()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	if year < 0 || year > 9999 {
		return t.AppendFormat(b, "2006-01-02T15:04:05Z")
	}
	b = appendDigits(b, year, 4)
	b = appendDigits(append(b, '-'), int(month), 2)
	b = appendDigits(append(b, '-'), day, 2)
	b = appendDigits(append(b, 'T'), hour, 2)
	b = appendDigits(append(b, ':'), minute, 2)
	b = appendDigits(append(b, ':'), second, 2)
	if micro := t.Nanosecond() / 1000; micro != 0 {
		b = appendDigits(append(b, '.'), micro, 6)
	}
	return append(b, 'Z')
}

func appendDigits(b []byte, n, width int) []byte {
	b = append(b, "000000"[:width]...)
	for i := len(b) - 1; n > 0; i-- {
		b[i] = byte('0' + n%10)
		n /= 10
	}
	return b
}
