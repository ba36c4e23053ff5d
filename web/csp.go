package web

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// Content-Security-Policy. Scripts and styles run only with the nonce of the answer that they are part of. Tags written in a template, or
// in HTML of the configuration (options_form, custom_html, announcements), get it by themselves, so that inline scripts of people's own
// templates go on working; tags that come out of data, a user name for example, do not have it. A tag that a template puts together
// otherwise can use the variable csp_nonce.

// tagsWithNonce are the elements that the policy refuses without a nonce.
var tagsWithNonce = regexp.MustCompile(`(?i)<(?:script|style|link)\b`)

// handlerAttribute finds HTML such as onclick="...", which no nonce can allow.
var handlerAttribute = regexp.MustCompile(`(?i)<[^>]*\son[a-z]+\s*=`)

// nonceMark stands for the nonce in parsed templates. It is a secret of the process, since data that has it would be trusted; no answer
// ever contains it.
type nonceMark string

func newNonceMark() nonceMark {
	var b [20]byte
	_, _ = rand.Read(b[:]) // never fails
	return nonceMark("x" + hex.EncodeToString(b[:]))
}

// inTags gives the tags of trusted HTML a nonce. The attribute has no quotes: the HTML may stand in a string of a template.
func (m nonceMark) inTags(html string) string {
	return tagsWithNonce.ReplaceAllString(html, "${0} nonce="+string(m))
}

// fill replaces the mark by a new nonce, which it returns.
func (m nonceMark) fill(page *bytes.Buffer) string {
	var b [18]byte
	_, _ = rand.Read(b[:])
	nonce := base64.RawURLEncoding.EncodeToString(b[:])
	old, was := page.Bytes(), []byte(m)
	filled := old[:0] // in place: the nonce is shorter than its mark, so that what is written never overtakes what is read
	for {
		i := bytes.Index(old, was)
		if i < 0 {
			break
		}
		filled = append(append(filled, old[:i]...), nonce...)
		old = old[i+len(was):]
	}
	filled = append(filled, old...)
	page.Truncate(len(filled))
	return nonce
}

// pageNeeds is what a page has that is not minihub's own.
type pageNeeds struct {
	custom   bool // templates or HTML of the administrator
	handlers bool // with attributes such as onclick
}

func (n *pageNeeds) add(html string) {
	if html != "" {
		n.custom = true
		n.handlers = n.handlers || handlerAttribute.MatchString(html)
	}
}

// and is what two parts of a page need together.
func (n pageNeeds) and(other pageNeeds) pageNeeds {
	return pageNeeds{custom: n.custom || other.custom, handlers: n.handlers || other.handlers}
}

// leaving are the pages whose forms may end on another host: browsers apply form-action to redirects as well.
var leaving = []string{"login.html", "spawn.html", "oauth.html", "accept-share.html"}

// protect sets the policy of a page, unless the configuration has one of its own (tornado_settings.headers).
func (s *Site) protect(h http.Header, template, nonce string, needs pageNeeds) {
	const name = "Content-Security-Policy"
	basic := "frame-ancestors 'none'; report-uri " + s.hub + "security/csp-report"
	if h.Get(name) != basic {
		return
	}
	policy := []string{basic, "default-src 'none'", "base-uri 'none'"}
	if needs.custom {
		policy = append(policy, "script-src 'nonce-"+nonce+"' 'strict-dynamic'", "style-src 'self' 'unsafe-inline' https:",
			"img-src * data: blob:", "font-src * data:", "media-src *", "frame-src *", "connect-src 'self' https:", "manifest-src 'self'")
		if needs.handlers {
			policy = append(policy, "script-src-attr 'unsafe-inline'")
		}
	} else {
		policy = append(policy, "script-src 'nonce-"+nonce+"'", "style-src 'nonce-"+nonce+"'", "img-src 'self'", "connect-src 'self'")
		if !slices.Contains(leaving, template) {
			policy = append(policy, "form-action 'self'")
		}
	}
	h.Set(name, strings.Join(policy, "; "))
}

// htmlOfConfig are the variables that hold HTML of the administrator.
var htmlOfConfig = [...]string{"announcement", "announcement_login", "announcement_spawn", "announcement_home", "announcement_logout",
	"spawner_options_form"}

// trustHTML lets the administrator's HTML have scripts, and tells what it has.
func (s *Site) trustHTML(vars map[string]any) (needs pageNeeds) {
	for _, name := range htmlOfConfig {
		if html, ok := vars[name].(string); ok && html != "" {
			needs.add(html)
			vars[name] = s.engine.nonce.inTags(html)
		}
	}
	if html, ok := vars["custom_html"].(string); ok { // its tags were given the nonce when it was parsed
		needs.add(html)
	}
	return needs
}

// withoutNonce takes the mark out of what an error quotes of a template.
func (m nonceMark) withoutNonce(err error) error {
	var broken *TemplateError
	if errors.As(err, &broken) && strings.Contains(broken.Err.Error(), string(m)) {
		return &TemplateError{File: broken.File, Line: broken.Line, Err: errors.New(strings.ReplaceAll(broken.Err.Error(), " nonce="+string(m), ""))}
	}
	return err
}
