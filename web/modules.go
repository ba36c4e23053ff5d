package web

import (
	"crypto/sha512"
	"encoding/hex"
	"io/fs"
	"path"
	"regexp"
	"sync"
)

var relativeImport = regexp.MustCompile(`(?m)^((?:import|export)\b.*\bfrom "\./[\w-]+\.js)"`)

// versionedImports returns a function that adds a version to the imports of scripts that are modules, since static_url, which does it for
// addresses in templates, does not see them. The version is the hash of all modules, so that none of them meets another one's older copy.
func versionedImports(files fs.FS, glob string) func(name string, body []byte) ([]byte, error) {
	version := sync.OnceValues(func() ([]byte, error) {
		names, err := fs.Glob(files, glob)
		if err != nil {
			return nil, err
		}
		all := sha512.New()
		for _, name := range names {
			body, err := fs.ReadFile(files, name)
			if err != nil {
				return nil, err
			}
			all.Write(body)
		}
		return []byte(`$1?v=` + hex.EncodeToString(all.Sum(nil)[:16]) + `"`), nil
	})
	return func(name string, body []byte) ([]byte, error) {
		if ok, err := path.Match(glob, name); !ok || err != nil {
			return body, err
		}
		v, err := version()
		if err != nil {
			return nil, err
		}
		return relativeImport.ReplaceAll(body, v), nil
	}
}
