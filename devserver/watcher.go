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

// patience is how long a batch of changes may go on before it counts.
const patience = 2 * time.Second

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
	w := &watcher{roots: roots}
	var err error
	if w.Watcher, err = fsnotify.NewWatcher(); err != nil {
		return err
	}
	defer w.Close()
	for _, root := range roots {
		if _, err := w.add(root, root); err != nil {
			return err
		}
	}
	var path string
	var first time.Time // of the batch; zero between batches
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
			if file := w.file(event); file != "" {
				path = file
			} else {
				continue
			}
		case err, ok := <-w.Errors:
			if ok && !errors.Is(err, fsnotify.ErrEventOverflow) {
				continue
			}
			path = roots[0]
		case <-timer.C:
			first = time.Time{}
			changed(path)
			continue
		}
		if first.IsZero() {
			first = time.Now()
		}
		if time.Since(first) < patience { // what changes all the time must not keep the rest from being noticed
			timer.Reset(quiet)
		}
	}
}

// watcher watches folders and what is made in them.
type watcher struct {
	*fsnotify.Watcher
	roots   []string
	folders int
}

// file is the file that an event is about, "" when it is of no interest.
func (w *watcher) file(event fsnotify.Event) string {
	root := rootOf(w.roots, event.Name)
	if event.Op == fsnotify.Chmod || ignored(root, event.Name) {
		return ""
	}
	info, err := os.Stat(event.Name)
	if err != nil || !info.IsDir() {
		return event.Name
	}
	if !event.Has(fsnotify.Create) {
		return ""
	}
	file, _ := w.add(root, event.Name) // a folder that is gone again, or one too many, is not watched
	return file                        // what was in it before it was watched
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

// add watches a folder and what is below it, and returns one of the files there.
func (w *watcher) add(root, from string) (file string, err error) {
	err = filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil // what cannot be read is not watched
		}
		if path != root && ignored(root, path) {
			if d.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		if !d.IsDir() {
			file = path
			return nil
		}
		if w.folders++; w.folders > maxFolders {
			return errTooMany
		}
		return w.Add(path)
	})
	return file, err
}
