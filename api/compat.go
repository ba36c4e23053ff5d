package api

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/internal/httpmw"
	"github.com/minihub/minihub/orm"
)

// ownState are the keys by which minihub recognises its processes again; JupyterHub's state has the pid alone.
var ownState = []string{"marker", "start_time", "boot_id"}

// shownState is the state of a server without minihub's own keys.
func shownState(state orm.JSONDict) orm.JSONDict {
	if _, own := state["marker"]; !own {
		return state
	}
	out := maps.Clone(state)
	for _, key := range ownState {
		delete(out, key)
	}
	return out
}

// groupNames reads the names of new groups: a list, or an object whose keys they are, which JupyterHub takes too.
func groupNames(m map[string]json.RawMessage) (names []string, err error) {
	var byName map[string]json.RawMessage
	if json.Unmarshal(m["groups"], &byName) == nil {
		return slices.Sorted(maps.Keys(byName)), nil
	}
	_, err = httpmw.Field(m, "groups", &names)
	return names, err
}

// maxCookie is more than any browser stores, in bytes.
const maxCookie = 8 << 10

// bodyCookie reads the cookie of GET /authorizations/cookie/{name}, which older clients send as the body.
func bodyCookie(w http.ResponseWriter, r *http.Request) (string, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxCookie))
	if err != nil {
		return "", &hub.Error{Kind: hub.Invalid, Message: "The cookie in the body cannot be read", Err: err}
	}
	return string(body), nil
}

// pythonVersion is the sys.version that GET /info shows.
func pythonVersion(i *Info) string {
	if i.PythonVersion != nil {
		return i.PythonVersion()
	}
	return i.Python
}
