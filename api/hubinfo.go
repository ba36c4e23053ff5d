package api

import (
	"net/http"

	"github.com/minihub/minihub/internal/httpmw"
)

func (a *API) root(w http.ResponseWriter, _ *http.Request) error {
	allowAnyOrigin(w.Header())
	return httpmw.WriteJSON(w, http.StatusOK, object{"version": Version})
}

// rootOptions lets pages of other origins ask for the version.
func (a *API) rootOptions(w http.ResponseWriter, _ *http.Request) error {
	allowAnyOrigin(w.Header())
	w.Header().Set("Allow", "GET, OPTIONS")
	w.Header().Set("Access-Control-Allow-Methods", "GET, OPTIONS")
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusOK)
	return nil
}

// allowAnyOrigin is JupyterHub's default for its root; tornado_settings.headers may say something else.
func allowAnyOrigin(h http.Header) {
	if h.Get("Access-Control-Allow-Origin") == "" {
		h.Set("Access-Control-Allow-Origin", "*")
	}
}

// health answers with nothing: that is all there is to know.
func (a *API) health(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "text/html")
	w.WriteHeader(http.StatusOK)
	return nil
}

func (a *API) info(w http.ResponseWriter, _ *http.Request) error {
	i := &a.o.Info
	return httpmw.WriteJSON(w, http.StatusOK, object{
		"version": Version, "python": pythonVersion(i), "sys_executable": i.SysExecutable,
		"spawner":       object{"class": i.SpawnerClass, "version": i.SpawnerVersion},
		"authenticator": object{"class": i.AuthenticatorClass, "version": i.AuthenticatorVersion},
	})
}

// shutdown answers first and stops then; absent keys keep the configured clean-up.
func (a *API) shutdown(w http.ResponseWriter, r *http.Request) error {
	m, err := httpmw.ReadObject(r)
	if err != nil {
		return err
	}
	var flags [2]*bool
	for i, key := range []string{"proxy", "servers"} {
		switch raw := string(m[key]); raw {
		case "":
		case "true", "1":
			flags[i] = ptr(true)
		case "false", "0":
			flags[i] = ptr(false)
		default:
			return invalid("%s must be true or false, got %s", key, shorten(raw))
		}
	}
	if err := httpmw.WriteJSON(w, http.StatusAccepted, object{"message": "Shutting down Hub"}); err != nil {
		return err
	}
	_ = http.NewResponseController(w).Flush()
	a.o.Info.Shutdown(flags[0], flags[1])
	return nil
}

func ptr[T any](v T) *T { return &v }
