package web

import (
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// diskFiles are the static files of JupyterHub.data_files_path. They come before the built-in ones, and may change while the hub runs.
type diskFiles struct {
	root *os.Root // nothing outside of the folder is ever opened

	mu   sync.Mutex
	sums map[string]diskSum
}

// diskSum is the hash of a file as it was.
type diskSum struct {
	modified time.Time
	size     int64
	sum      string
}

// openDiskFiles returns nil when the folder has no static files.
func openDiskFiles(dataFiles string) (*diskFiles, error) {
	if dataFiles == "" {
		return nil, nil
	}
	root, err := os.OpenRoot(filepath.Join(dataFiles, "static"))
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open the static files of JupyterHub.data_files_path: %w", err)
	}
	return &diskFiles{root: root, sums: map[string]diskSum{}}, nil
}

// open opens a regular file; nil when there is none.
func (d *diskFiles) open(name string) (*os.File, os.FileInfo) {
	if d == nil || !filepath.IsLocal(filepath.FromSlash(name)) {
		return nil, nil
	}
	if info, err := d.root.Stat(filepath.FromSlash(name)); err != nil || !info.Mode().IsRegular() {
		return nil, nil // looked at before it is opened: opening a pipe would wait
	}
	file, err := d.root.Open(filepath.FromSlash(name))
	if err != nil {
		return nil, nil
	}
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		_ = file.Close()
		return nil, nil
	}
	return file, info
}

// sum returns the hash of a file, "" when there is no such file.
func (d *diskFiles) sum(name string) string {
	if d == nil {
		return ""
	}
	file, info := d.open(name)
	if file == nil {
		return ""
	}
	defer file.Close()
	d.mu.Lock()
	known := d.sums[name]
	d.mu.Unlock()
	if known.modified.Equal(info.ModTime()) && known.size == info.Size() {
		return known.sum
	}
	hash := sha512.New()
	if _, err := io.Copy(hash, file); err != nil {
		return ""
	}
	sum := hex.EncodeToString(hash.Sum(nil))
	d.mu.Lock()
	d.sums[name] = diskSum{info.ModTime(), info.Size(), sum}
	d.mu.Unlock()
	return sum
}

// serve answers with a file and reports whether there is one.
func (d *diskFiles) serve(w http.ResponseWriter, r *http.Request, name string) bool {
	file, info := d.open(name)
	if file == nil {
		return false
	}
	defer file.Close()
	if kind := contentType(name); kind != "" {
		w.Header().Set("Content-Type", kind)
	}
	http.ServeContent(w, r, name, info.ModTime(), file)
	return true
}
