package web

import (
	"bytes"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"os"
	"path"
	"strings"
	"time"

	"github.com/nikolalohinski/gonja/v2/exec"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/internal/httpmw"
)

// forever is how long a browser may keep a static file whose address holds its hash: ten years, in seconds.
const forever = 10 * 365 * 24 * 60 * 60

// assets are the static files with their hashes.
type assets struct {
	prefix   string // {hub}static/
	files    map[string]*asset
	logo     *asset // nil: a file of the administrator's
	logoFile string
	started  time.Time // stands for the files' modification time: embedded ones have none
	noCache  bool
	version  string
	function func(*exec.VarArgs) *exec.Value // static_url of templates
}

type asset struct {
	body        []byte
	contentType string
	url         string // with version
}

func newAssets(hubPrefix string, look Look, spoken *languages) (*assets, error) {
	a := &assets{prefix: hubPrefix + "static/", files: map[string]*asset{}, logoFile: look.LogoFile, noCache: look.NoCacheStatic,
		started: time.Now().UTC().Truncate(time.Second)}
	all := sha512.New()
	err := fs.WalkDir(staticFiles, "static", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := staticFiles.ReadFile(name)
		if err != nil {
			return err
		}
		all.Write(a.add(strings.TrimPrefix(name, "static/"), body))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read embedded static files: %w", err)
	}
	for _, w := range spoken.known {
		body, err := w.script()
		if err != nil {
			return nil, fmt.Errorf("make the script with the texts in %s: %w", w.lang, err)
		}
		all.Write(a.add("locale/"+w.lang+".js", body))
	}
	a.version = hex.EncodeToString(all.Sum(nil)[:8])
	a.logo = a.files["images/jupyterhub-80.png"] // made from logo.svg; themes and tests expect a PNG of this name
	if a.logoFile != "" {
		a.logo = nil
	}
	a.function = a.staticURL
	return a, nil
}

// add keeps a file and returns its hash.
func (a *assets) add(rel string, body []byte) []byte {
	sum := sha512.Sum512(body)
	a.files[rel] = &asset{body: body, contentType: contentType(rel), url: a.prefix + rel + "?v=" + hex.EncodeToString(sum[:])}
	return sum[:]
}

func contentType(name string) string {
	switch path.Ext(name) {
	case ".css":
		return "text/css"
	case ".ico":
		return "image/x-icon"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	return mime.TypeByExtension(path.Ext(name))
}

// staticURL is static_url(path, include_version=True) of templates.
func (a *assets) staticURL(va *exec.VarArgs) *exec.Value {
	name := ""
	if v := argument(va, 0, "path"); v != nil {
		name = v.String()
	}
	versioned := argument(va, 1, "include_version")
	if f := a.files[name]; f != nil && !a.noCache && (versioned == nil || versioned.IsTrue()) {
		return exec.AsValue(f.url)
	}
	return exec.AsValue(a.prefix + name)
}

// serve answers a static file.
func (s *Site) staticFile(w http.ResponseWriter, r *http.Request) error {
	f := s.static.files[httpmw.Param(r, "*")]
	if f == nil {
		return &hub.Error{Kind: hub.NotFound}
	}
	h := w.Header()
	if !r.URL.Query().Has("v") || s.static.noCache {
		h.Set("Cache-Control", "no-cache")
	} else {
		h.Set("Cache-Control", fmt.Sprintf("max-age=%d", forever))
		h.Set("Expires", time.Now().Add(forever*time.Second).UTC().Format(http.TimeFormat))
	}
	s.static.send(w, r, f)
	return nil
}

func (a *assets) send(w http.ResponseWriter, r *http.Request, f *asset) {
	w.Header().Set("Content-Type", f.contentType)
	http.ServeContent(w, r, "", a.started, bytes.NewReader(f.body))
}

// logo answers logo_file, or the built-in logo.
func (s *Site) logo(w http.ResponseWriter, r *http.Request) error {
	if s.static.logo != nil {
		w.Header().Set("Cache-Control", "max-age=3600")
		s.static.send(w, r, s.static.logo)
		return nil
	}
	file, err := os.Open(s.static.logoFile)
	if err != nil {
		return &hub.Error{Kind: hub.NotFound, Message: "The logo cannot be read", Err: err}
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	http.ServeContent(w, r, s.static.logoFile, info.ModTime(), file)
	return nil
}
