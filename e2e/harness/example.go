package harness

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// examplePorts are the fixed ports in JupyterHub's examples. 8000 is the hub's own.
var examplePorts = []string{"8000", "10101", "10102", "10202", "9999", "5555", "9000"}

// Sdist is the folder of JupyterHub's unpacked source distribution.
func Sdist(t testing.TB) string {
	t.Helper()
	found, _ := filepath.Glob(filepath.Join(Root(), ".cache", "sdist", "jupyterhub-*", "examples"))
	if len(found) != 1 {
		t.Fatal("JupyterHub's source distribution is not there: run scripts/setup.sh sdist")
	}
	return filepath.Dir(found[0])
}

// copyExample copies an example into the hub's folder. Nothing is changed but the fixed ports, so that examples
// can run at the same time: "http://127.0.0.1:10101" becomes the same address with a free port.
func (h *Hub) copyExample(t testing.TB, port int) {
	t.Helper()
	h.ports = map[string]string{"8000": strconv.Itoa(port)}
	for _, fixed := range examplePorts[1:] {
		h.ports[fixed] = strconv.Itoa(FreePort(t))
	}
	source := filepath.Join(Sdist(t), "examples", h.opts.Example)
	fixed := regexp.MustCompile(`\b(` + strings.Join(examplePorts, "|") + `)\b`)
	err := filepath.WalkDir(source, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(source, name)
		target := filepath.Join(h.Dir, rel)
		if entry.IsDir() {
			return os.MkdirAll(target, 0o755)
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if ext := filepath.Ext(name); ext == ".py" || ext == ".sh" {
			data = fixed.ReplaceAllFunc(data, func(b []byte) []byte { return []byte(h.ports[string(b)]) })
		}
		return os.WriteFile(target, data, 0o755)
	})
	if err != nil {
		t.Fatal(err)
	}
}
