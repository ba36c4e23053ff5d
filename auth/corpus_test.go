package auth_test

import (
	"encoding/json"
	"os"
	"testing"
)

// corpus is what JupyterHub 6.1.1 answered; testdata/corpus.py records it.
type corpus struct {
	Lower    [][2]string
	Names    [][2]any
	Patterns [][3]any
	Rules    []rulesCase
	Fernet   struct {
		Key    string
		Tokens []struct {
			JSON  json.RawMessage
			Token string
		}
	}
}

type rulesCase struct {
	Allowed, Blocked, Admins, Users []string
	AllowAll                        *bool `json:"allow_all"`
	Existing                        *bool
	Cls                             string
	Want                            map[string]*struct {
		Name  string
		Admin *bool
	}
}

func loadCorpus(t *testing.T) corpus {
	t.Helper()
	raw, err := os.ReadFile("testdata/corpus.json")
	if err != nil {
		t.Fatal(err)
	}
	var c corpus
	if err := json.Unmarshal(raw, &c); err != nil {
		t.Fatal(err)
	}
	return c
}
