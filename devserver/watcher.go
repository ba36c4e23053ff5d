package devserver

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

// quiet is how long files have to rest after a change before a service is restarted: editors and checkouts write many at once.
const quiet = 250 * time.Millisecond

// maxFolders is how many folders are watched for one service. What has more is not somebody's source.
const maxFolders = 2000

// ignoredFolders are folders whose changes are not those of a developer, beside all whose names begin with a dot.
var ignoredFolders = []string{"__pycache__", "node_modules", "venv", "site-packages"}

// ignoredEndings are files that programs write while they run, or editors while somebody types.
var ignoredEndings = []string{".pyc", ".pyo", ".swp", ".swx", ".tmp", "~", ".log", ".pid", ".sqlite", ".db", "-wal", "-shm", "-journal"}

// ignored tells whether a path below a watched folder is of no interest.
func ignored(root, path string) bool {
	rel, err := filepath.Rel(root, path)
	if err != nil {
		return true
	}
	parts := strings.Split(filepath.ToSlash(rel), "/")
	for i, p := range parts {
		hidden := strings.HasPrefix(p, ".") && p != "." && p != ".."
		if slices.Contains(ignoredFolders, p) || hidden && (i < len(parts)-1 || p != ".env") {
			return true
		}
	}
	name := parts[len(parts)-1]
	return slices.ContainsFunc(ignoredEndings, func(end string) bool { return strings.HasSuffix(name, end) }) || name == "4913" // vim's probe
}

// watchedRoots are the folders of a service: the working directory, and those of arguments that are files or folders elsewhere.
func watchedRoots(dir string, command []string) []string {
	roots := []string{dir}
	for _, arg := range command {
		path := arg
		if !filepath.IsAbs(path) {
			path = filepath.Join(dir, arg)
		}
		info, err := os.Stat(path)
		if err != nil {
			continue
		}
		if !info.IsDir() {
			path = filepath.Dir(path)
		}
		inside := func(root string) bool {
			rel, err := filepath.Rel(root, path)
			return err == nil && rel != ".." && !strings.HasPrefix(rel, "../") && !ignored(root, filepath.Join(path, "x"))
		}
		system := slices.Contains([]string{"/bin", "/sbin", "/usr/bin", "/usr/local/bin", "/"}, path)
		if !system && !slices.ContainsFunc(roots, inside) {
			roots = append(roots, path)
		}
	}
	return roots
}

// watch calls changed with the path of a changed file, once for each batch of changes, until ctx ends.
func watch(ctx context.Context, roots []string, changed func(path string)) error {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return err
	}
	defer w.Close()
	folders := 0
	for _, root := range roots {
		if err := addFolders(w, root, root, &folders); err != nil {
			return err
		}
	}
	var path string
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case event, ok := <-w.Events:
			if !ok {
				return nil
			}
			root := rootOf(roots, event.Name)
			if event.Op == fsnotify.Chmod || ignored(root, event.Name) {
				continue
			}
			if info, err := os.Stat(event.Name); err == nil && info.IsDir() {
				if event.Has(fsnotify.Create) {
					_ = addFolders(w, root, event.Name, &folders) // a folder that is gone again, or one too many, is not watched
				}
				continue
			}
			path = event.Name
			timer.Reset(quiet)
		case err, ok := <-w.Errors:
			if !ok || errors.Is(err, fsnotify.ErrEventOverflow) {
				path = roots[0]
				timer.Reset(quiet)
			}
		case <-timer.C:
			changed(path)
		}
	}
}

// rootOf is the longest root that a path is in.
func rootOf(roots []string, path string) string {
	best := roots[0]
	for _, root := range roots {
		if strings.HasPrefix(path, root+string(filepath.Separator)) && len(root) > len(best) {
			best = root
		}
	}
	return best
}

var errTooMany = errors.New("there are too many folders to watch; start minihub dev in the folder of the service")

// addFolders watches a folder and what is below it.
func addFolders(w *fsnotify.Watcher, root, from string, count *int) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return nil // what cannot be read is not watched
		}
		if path != root && ignored(root, path) {
			return filepath.SkipDir
		}
		if *count++; *count > maxFolders {
			return errTooMany
		}
		return w.Add(path)
	})
}
