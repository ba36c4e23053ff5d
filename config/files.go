package config

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/pelletier/go-toml/v2"
)

// defaultName is the file that is read when no path is given; the other formats are tried when it does not exist.
const defaultName = "jupyterhub_config"

var extensions = []string{".py", ".json", ".yaml", ".yml", ".toml"}

// ErrNoFile is wrapped by the error of Load when the path that was asked for does not exist.
var ErrNoFile = errors.New("the configuration file does not exist")

// find returns the file to read, or "" when the default one does not exist.
func (s Source) find() (string, error) {
	path := s.Path
	if path == "" {
		path = s.Args.ConfigFile()
	}
	if path == "" {
		for _, ext := range extensions {
			candidate := filepath.Join(s.Dir, defaultName+ext)
			if _, err := os.Stat(candidate); err == nil {
				return candidate, nil
			}
		}
		return "", nil
	}
	if s.Dir != "" && !filepath.IsAbs(path) {
		path = filepath.Join(s.Dir, path)
	}
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) && filepath.Ext(path) == "" {
		path += ".py"
		info, err = os.Stat(path)
	}
	switch {
	case errors.Is(err, os.ErrNotExist):
		return "", fmt.Errorf("read configuration %s: %w; check the path given with -f, or leave -f out to start with defaults", path, ErrNoFile)
	case err != nil:
		return "", fmt.Errorf("read configuration: %w", err)
	case info.IsDir():
		return "", fmt.Errorf("read configuration %s: it is a folder; name the file in it", path)
	}
	return path, nil
}

// read returns the sections of a file as they are, not yet normalized.
func (s Source) read(ctx context.Context, path string) (map[string]map[string]any, error) {
	ext := strings.ToLower(filepath.Ext(path))
	if ext == ".py" {
		if s.Evaluate == nil {
			return nil, fmt.Errorf("read configuration %s: nothing here evaluates Python; use JSON, YAML or TOML", path)
		}
		sections, err := s.Evaluate(ctx, path)
		if err != nil {
			return nil, fmt.Errorf("read configuration %s: %w", path, err)
		}
		return sections, nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	var doc map[string]any
	switch ext {
	case ".json":
		doc, err = decodeJSON(data)
	case ".yaml", ".yml":
		err = yaml.Unmarshal(data, &doc)
		err = yamlError(err)
	case ".toml":
		err = toml.Unmarshal(data, &doc)
		err = tomlError(err)
	default:
		err = fmt.Errorf("unknown extension %q; use one of %s", ext, strings.Join(extensions, " "))
	}
	if err != nil {
		return nil, fmt.Errorf("read configuration %s: %w", path, err)
	}
	return toSections(path, doc)
}

func decodeJSON(data []byte) (map[string]any, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var doc map[string]any
	err := dec.Decode(&doc)
	if errors.Is(err, io.EOF) {
		return nil, errors.New("the file is empty; write {} for no settings")
	}
	if err != nil {
		offset := dec.InputOffset()
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			offset = min(syntax.Offset, int64(len(data)))
		}
		return nil, fmt.Errorf("not JSON at byte %d (line %d): %s", offset, 1+bytes.Count(data[:offset], []byte("\n")), jsonReason(err))
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("not JSON: more text after the value")
	}
	return doc, nil
}

// jsonReason leaves out what encoding/json quotes of the document, except single characters.
func jsonReason(err error) string {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) || errors.Is(err, io.ErrUnexpectedEOF) {
		return err.Error()
	}
	return "the document must be an object of classes"
}

// yamlError keeps the position and the reason, without the excerpt of the file that may show a secret.
func yamlError(err error) error {
	if err == nil {
		return nil
	}
	var pretty yaml.Error
	if errors.As(err, &pretty) && pretty.GetToken() != nil {
		return fmt.Errorf("not YAML at line %d, column %d", pretty.GetToken().Position.Line, pretty.GetToken().Position.Column)
	}
	return errors.New("not YAML, or not a mapping of classes")
}

// tomlError keeps the position only, for the same reason.
func tomlError(err error) error {
	if err == nil {
		return nil
	}
	var decode *toml.DecodeError
	if errors.As(err, &decode) {
		line, column := decode.Position()
		return fmt.Errorf("not TOML at line %d, column %d: %s", line, column, decode.Error())
	}
	return errors.New("not TOML")
}

func toSections(path string, doc map[string]any) (map[string]map[string]any, error) {
	sections := make(map[string]map[string]any, len(doc))
	for name, body := range doc {
		if body == nil {
			continue
		}
		n, err := normalize(body)
		if err != nil {
			return nil, fmt.Errorf("read configuration %s: section %s: %w", path, name, err)
		}
		m, ok := n.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("read configuration %s: section %s: expected a mapping of traits, got %s; write Class: {trait: value}",
				path, name, describe(n))
		}
		sections[name] = m
	}
	return sections, nil
}
