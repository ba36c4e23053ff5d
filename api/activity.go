package api

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/minihub/minihub/hub"
	"github.com/minihub/minihub/internal/httpmw"
)

// postActivity stores what a server reports: when its user, and each of the user's servers, was last active.
func (a *API) postActivity(w http.ResponseWriter, r *http.Request) error {
	u, err := a.o.Hub.Users.Find(r.Context(), httpmw.Param(r, "user"))
	if err != nil {
		return err
	}
	report, err := readActivity(r)
	if err != nil {
		return err
	}
	if err := a.o.Hub.Acts.Post(r.Context(), u, report); err != nil {
		return err
	}
	return empty(w, http.StatusOK)
}

func readActivity(r *http.Request) (hub.ActivityReport, error) {
	var report hub.ActivityReport
	m, err := httpmw.ReadObject(r)
	if err != nil {
		return report, err
	}
	var last *string
	if _, err := httpmw.Field(m, "last_activity", &last); err != nil {
		return report, err
	}
	var servers map[string]map[string]json.RawMessage
	if _, err := httpmw.Field(m, "servers", &servers); err != nil {
		return report, invalid("servers must be a dict of the form {server_name: {last_activity: timestamp}}")
	}
	if (last == nil || *last == "") && len(servers) == 0 {
		return report, invalid("body must contain at least one of `last_activity` or `servers`")
	}
	if last != nil && *last != "" {
		if report.LastActivity, err = parseTime("last_activity", *last); err != nil {
			return report, err
		}
	}
	report.Servers = make(map[string]time.Time, len(servers))
	for name, info := range servers {
		var at string
		if ok, err := httpmw.Field(info, "last_activity", &at); err != nil || !ok {
			return report, invalid("servers must be a dict of the form {server_name: {last_activity: timestamp}}")
		}
		if report.Servers[name], err = parseTime("servers."+name+".last_activity", at); err != nil {
			return report, err
		}
	}
	return report, nil
}

// timeForms are the forms of a timestamp that clients send; one without offset is UTC.
var timeForms = []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999",
	"2006-01-02T15:04:05.999999999Z0700", "2006-01-02T15:04Z07:00", "2006-01-02T15:04", "2006-01-02", time.RFC1123, time.RFC1123Z, time.ANSIC}

func parseTime(field, text string) (time.Time, error) {
	for _, form := range timeForms {
		if t, err := time.Parse(form, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, &hub.Error{Kind: hub.Invalid, Message: "Not a valid timestamp: '" + shorten(text) + "'", Hint: "field " + field + " must be like 2026-11-22T17:30:00Z"}
}

func shorten(s string) string {
	if len(s) > 64 {
		return s[:64] + "..."
	}
	return s
}
