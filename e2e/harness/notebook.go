package harness

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// CodeCells are the sources of the code cells of a notebook file.
func CodeCells(t testing.TB, path string) []string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Cells []struct {
			Type   string   `json:"cell_type"`
			Source []string `json:"source"`
		}
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	var cells []string
	for _, cell := range file.Cells {
		if cell.Type == "code" {
			cells = append(cells, strings.Join(cell.Source, ""))
		}
	}
	return cells
}
