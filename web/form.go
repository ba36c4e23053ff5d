package web

import (
	"cmp"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/internal/httpmw"
)

// Limits of forms beyond httpmw.MaxBody.
const (
	maxFields = 1000
	maxFiles  = 100
)

// readForm reads the body of a form; the query does not count. Invalid: it is not a form, or too large.
func readForm(r *http.Request) (url.Values, map[string][]hub.FormFile, error) {
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if r.PostForm == nil && r.MultipartForm == nil {
		r.Body = http.MaxBytesReader(nil, r.Body, httpmw.MaxBody)
	}
	if media == "multipart/form-data" {
		return readMultipart(r)
	}
	if err := r.ParseForm(); err != nil {
		return nil, nil, formError(err)
	}
	if len(r.PostForm) > maxFields {
		return nil, nil, &hub.Error{Kind: hub.Invalid, Message: "The form has too many fields"}
	}
	return r.PostForm, nil, nil
}

func readMultipart(r *http.Request) (url.Values, map[string][]hub.FormFile, error) {
	if err := r.ParseMultipartForm(httpmw.MaxBody); err != nil {
		return nil, nil, formError(err)
	}
	defer func() { _ = r.MultipartForm.RemoveAll() }()
	if len(r.MultipartForm.Value) > maxFields || len(r.MultipartForm.File) > maxFiles {
		return nil, nil, &hub.Error{Kind: hub.Invalid, Message: "The form has too many fields"}
	}
	files := map[string][]hub.FormFile{}
	for field, headers := range r.MultipartForm.File {
		for _, header := range headers {
			f, err := header.Open()
			if err != nil {
				return nil, nil, formError(err)
			}
			body, err := io.ReadAll(f)
			_ = f.Close()
			if err != nil {
				return nil, nil, formError(err)
			}
			files[field] = append(files[field], hub.FormFile{Filename: header.Filename, ContentType: cmp.Or(header.Header.Get("Content-Type"), "application/unknown"), Body: body})
		}
	}
	return r.MultipartForm.Value, files, nil
}

func formError(err error) error {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return &hub.Error{Kind: hub.Invalid, Status: http.StatusRequestEntityTooLarge, Message: "The form is too large", Err: err}
	}
	return &hub.Error{Kind: hub.Invalid, Message: "The form could not be read", Err: err}
}
