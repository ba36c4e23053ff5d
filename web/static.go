package web

import (
	"bytes"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"mime"
	"net/http"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
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
	disk     *diskFiles // nil: none
	started  time.Time  // stands for the files' modification time: embedded ones have none
	noCache  bool
	version  func() string                   // of all files together, for overrides of templates
	function func(*exec.VarArgs) *exec.Value // static_url of templates
}

func newAssets(hubPrefix string, look Look, spoken *languages) (*assets, error) {
	a := &assets{prefix: hubPrefix + "static/", files: map[string]*asset{}, logoFile: look.LogoFile, noCache: look.NoCacheStatic,
		started: time.Now().UTC().Truncate(time.Second)}
	disk, err := openDiskFiles(look.DataFiles)
	if err != nil {
		return nil, err
	}
	a.disk = disk
	versioned := versionedImports(staticFiles, "static/js/admin/*.js")
	err = fs.WalkDir(staticFiles, "static", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		a.add(strings.TrimPrefix(name, "static/"), func() ([]byte, error) {
			body, err := staticFiles.ReadFile(name)
			if err != nil {
				return nil, err
			}
			return versioned(name, body)
		})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list embedded static files: %w", err)
	}
	for _, w := range spoken.known {
		a.add("locale/"+w.lang+".js", w.script)
	}
	a.add(styleName, stylesheet)
	a.version = sync.OnceValue(a.sumOfAll)
	a.logo = a.files["images/jupyterhub-80.png"] // made from logo.svg; themes and tests expect a PNG of this name
	if a.logoFile != "" {
		a.logo = nil
	}
	a.function = a.staticURL
	return a, nil
}

func (a *assets) add(name string, read func() ([]byte, error)) { a.files[name] = newAsset(name, read) }

// sumOfAll is a version of all files together.
func (a *assets) sumOfAll() string {
	all := sha512.New()
	for _, name := range slices.Sorted(maps.Keys(a.files)) {
		_, _ = io.WriteString(all, a.files[name].sum()) // a hash never fails
	}
	return hex.EncodeToString(all.Sum(nil)[:8])
}

func contentType(name string) string {
	switch path.Ext(name) {
	case ".css":
		return "text/css"
	case ".ico":
		return "image/x-icon"
	case ".png": // as mime says, which would read the machine's tables first
		return "image/png"
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
	if versioned := argument(va, 1, "include_version"); a.noCache || versioned != nil && !versioned.IsTrue() {
		return exec.AsValue(a.prefix + name)
	}
	if sum := a.disk.sum(name); sum != "" {
		return exec.AsValue(a.prefix + name + "?v=" + sum)
	}
	if f := a.files[name]; f != nil {
		return exec.AsValue(a.prefix + name + "?v=" + f.sum())
	}
	return exec.AsValue(a.prefix + name)
}

// serve answers a static file.
func (s *Site) staticFile(w http.ResponseWriter, r *http.Request) error {
	name, sum := httpmw.Param(r, "*"), ""
	f := s.static.files[name]
	if own := s.static.disk.sum(name); own != "" {
		f, sum = nil, own
	} else if f != nil {
		sum = f.sum()
	} else {
		return &hub.Error{Kind: hub.NotFound}
	}
	h, version := w.Header(), r.URL.Query().Get("v")
	switch {
	case version == "" || s.static.noCache:
		h.Set("Cache-Control", "no-cache")
	case version == sum:
		h.Set("Cache-Control", fmt.Sprintf("public, max-age=%d, immutable", forever))
	default: // the version of an older hub, or of a theme
		h.Set("Cache-Control", fmt.Sprintf("max-age=%d", forever))
	}
	if f != nil {
		return s.static.send(w, r, f)
	}
	if !s.static.disk.serve(w, r, name) {
		return &hub.Error{Kind: hub.NotFound} // deleted this moment
	}
	return nil
}

func (a *assets) send(w http.ResponseWriter, r *http.Request, f *asset) error {
	body, err := f.body()
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", f.contentType)
	if packed := f.packed(); packed != nil {
		h.Add("Vary", "Accept-Encoding")
		if acceptsGzip(r) && r.Header.Get("Range") == "" {
			h.Set("Content-Encoding", "gzip")
			h.Set("Content-Length", strconv.Itoa(len(packed))) // ServeContent leaves it out for encoded bodies
			body = packed
		}
	}
	http.ServeContent(w, r, "", a.started, bytes.NewReader(body))
	return nil
}

// acceptsGzip reads Accept-Encoding (RFC 9110, section 12.5.3), without wildcards: no browser sends them.
func acceptsGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		coding, weight, _ := strings.Cut(part, ";")
		if strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			q := strings.TrimSpace(weight)
			return q != "q=0" && q != "q=0.0" && q != "q=0.00" && q != "q=0.000"
		}
	}
	return false
}

// logo answers logo_file, or the built-in logo.
func (s *Site) logo(w http.ResponseWriter, r *http.Request) error {
	if s.static.logo != nil {
		w.Header().Set("Cache-Control", "max-age=3600")
		return s.static.send(w, r, s.static.logo)
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
