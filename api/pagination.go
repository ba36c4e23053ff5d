package api

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/internal/httpmw"
)

// paginationMedia is the media type by which a client asks for pages.
const paginationMedia = "application/jupyterhub-pagination+json"

// page is what a client asked for.
type page struct {
	offset, limit int
	wrapped       bool  // answer with items and _pagination
	last          int64 // the id after which the next page begins, 0 when it begins at an offset
	url           *url.URL
}

// accepts tells whether Accept lists the pagination media type exactly; parameters such as q break the match, as in JupyterHub.
func accepts(r *http.Request) bool {
	for _, line := range r.Header.Values("Accept") {
		for part := range strings.SplitSeq(line, ",") {
			if strings.ToLower(strings.TrimSpace(part)) == paginationMedia {
				return true
			}
		}
	}
	return false
}

// paging reads offset and limit. Negative values count as positive ones, a limit is between 1 and the maximum.
func (a *API) paging(r *http.Request) (page, error) {
	p := page{wrapped: accepts(r), url: r.URL, limit: a.o.Pages.Max}
	if p.wrapped {
		p.limit = a.o.Pages.Default
	}
	var err error
	if p.offset, err = intParam(r, "offset", 0); err != nil {
		return p, err
	}
	if p.limit, err = intParam(r, "limit", p.limit); err != nil {
		return p, err
	}
	p.limit = min(max(p.limit, 1), a.o.Pages.Max)
	return p, nil
}

// after reads the id after which a page of users begins, 0 without. Next links have it, so that nobody is left out when users of pages that
// were read are deleted meanwhile.
func after(r *http.Request) (int64, error) {
	text, given := argument(r, "after")
	if !given {
		return 0, nil
	}
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id <= 0 {
		return 0, invalid("after must be what the URL of the next page says, not '%s'", text)
	}
	return id, nil
}

// most is more than any table has rows; larger numbers count as this one.
const most = 1 << 40

func intParam(r *http.Request, name string, def int) (int, error) {
	text, given := argument(r, name)
	if !given {
		return def, nil
	}
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0, &hub.Error{Kind: hub.Invalid, Message: "Invalid argument type, offset and limit must be integers", Hint: name + " must be an integer"}
	}
	n = min(max(n, -most), most)
	return int(max(n, -n)), nil
}

// argument returns an argument of the query; the last one counts when it is given more than once, as in JupyterHub.
func argument(r *http.Request, name string) (value string, given bool) {
	values := r.URL.Query()[name]
	if len(values) == 0 {
		return "", false
	}
	return values[len(values)-1], true
}

// answer wraps items for clients that asked for pages.
func (p page) answer(r *http.Request, scheme string, items any, total int) any {
	if !p.wrapped {
		return items
	}
	return p.wrap(r, scheme, items, total)
}

// write answers with items that are encoded already, separated by commas.
func (p page) write(w http.ResponseWriter, r *http.Request, scheme string, items []byte, total int) error {
	body := make([]byte, 0, len(items)+512)
	if !p.wrapped {
		return httpmw.WriteEncoded(w, http.StatusOK, append(append(append(body, '['), items...), ']'))
	}
	info, err := httpmw.EncodeJSON(p.info(r, scheme, total))
	if err != nil {
		return err
	}
	body = append(append(append(body, `{"items":[`...), items...), `],"_pagination":`...)
	return httpmw.WriteEncoded(w, http.StatusOK, append(append(body, info...), '}'))
}

func (p page) wrap(r *http.Request, scheme string, items any, total int) any {
	return object{"items": items, "_pagination": p.info(r, scheme, total)}
}

func (p page) info(r *http.Request, scheme string, total int) object {
	info := object{"offset": p.offset, "limit": p.limit, "total": total, "next": nil}
	if next := p.offset + p.limit; next < total {
		info["next"] = object{"offset": next, "limit": p.limit, "url": p.nextURL(r, scheme, next)}
	}
	return info
}

// nextURL is the URL of this request with offset, limit and after replaced where they stand, or added at the end; other parameters stay, also
// those without a value.
func (p page) nextURL(r *http.Request, scheme string, offset int) string {
	replaced := map[string]string{"offset": strconv.Itoa(offset), "limit": strconv.Itoa(p.limit)}
	if p.last != 0 {
		replaced["after"] = strconv.FormatInt(p.last, 10)
	}
	var query []string
	add := func(key, value string) { query = append(query, url.QueryEscape(key)+"="+url.QueryEscape(value)) }
	for part := range strings.SplitSeq(p.url.RawQuery, "&") {
		rawKey, rawValue, _ := strings.Cut(part, "=")
		key, err1 := url.QueryUnescape(rawKey)
		value, err2 := url.QueryUnescape(rawValue)
		if part == "" || err1 != nil || err2 != nil {
			continue
		}
		if key != "offset" && key != "limit" && key != "after" {
			add(key, value)
		} else if n, first := replaced[key]; first {
			add(key, n)
			delete(replaced, key)
		}
	}
	for _, key := range []string{"offset", "limit", "after"} {
		if n, missing := replaced[key]; missing {
			add(key, n)
		}
	}
	return scheme + "://" + r.Host + p.url.EscapedPath() + "?" + strings.Join(query, "&")
}
