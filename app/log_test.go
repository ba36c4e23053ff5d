package app_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/minihub/minihub/app"
)

func TestJSONLogHasDurationsInSeconds(t *testing.T) {
	var out bytes.Buffer
	app.NewLogger(&out, app.LogOptions{JSON: true}).InfoContext(t.Context(), "done", "duration", 1500*time.Millisecond, "user", "ann")
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatalf("%v in %s", err, out.String())
	}
	if line["duration"] != 1.5 || line["user"] != "ann" || line["msg"] != "done" || line["level"] != "INFO" {
		t.Errorf("line is %s", out.String())
	}
}
