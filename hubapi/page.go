package hubapi

import (
	"context"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"strconv"
)

// paginated is the media type with which JupyterHub answers one page and where the next one is.
const paginated = "application/jupyterhub-pagination+json"

// pageSize is how many items one request of an iterator asks for: JupyterHub's own maximum by default.
const pageSize = 200

// page is one page of a list.
type page[T any] struct {
	Items      []T `json:"items"`
	Pagination struct {
		Total int `json:"total"`
		Next  *struct {
			Offset int    `json:"offset"`
			Limit  int    `json:"limit"`
			URL    string `json:"url"`
		} `json:"next"`
	} `json:"_pagination"`
}

// all asks for one page after the other while somebody wants more. After an error it ends.
func all[T any](ctx context.Context, c *Client, path string, query url.Values) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		q := url.Values{}
		maps.Copy(q, query)
		q.Set("limit", strconv.Itoa(pageSize))
		for {
			var p page[T]
			if _, err := c.do(ctx, request{method: http.MethodGet, path: path, query: q, accept: paginated}, &p); err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, item := range p.Items {
				if !yield(item, nil) {
					return
				}
			}
			if p.Pagination.Next == nil {
				return
			}
			q.Set("offset", strconv.Itoa(p.Pagination.Next.Offset))
			q.Set("limit", strconv.Itoa(p.Pagination.Next.Limit))
			if u, err := url.Parse(p.Pagination.Next.URL); err == nil && u.Query().Has("after") { // minihub's lists of users
				q.Set("after", u.Query().Get("after"))
			}
		}
	}
}

// Collect makes a slice of a list, up to the first error.
func Collect[T any](list iter.Seq2[T, error]) ([]T, error) {
	var out []T
	for item, err := range list {
		if err != nil {
			return out, err
		}
		out = append(out, item)
	}
	return out, nil
}
