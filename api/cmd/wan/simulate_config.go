package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"

	"github.com/aimlvideo/wan-go/conformance/simulator"
)

// notConfigurable are the flags that a config file can't set.
var notConfigurable = []string{"config", "config-schema", "probe", "help"}

// readConfig sets the flags that the config file names and the command line doesn't.
func (o *simulateOptions) readConfig(flags *pflag.FlagSet) error {
	if o.config == "" {
		return nil
	}
	text, err := os.ReadFile(o.config)
	if err != nil {
		return fmt.Errorf("--config: %w", err)
	}
	var config struct {
		Prices map[string]simulator.Price `yaml:"prices"`
		Flags  map[string]any             `yaml:",inline"`
	}
	if err := yaml.Unmarshal(text, &config); err != nil {
		return fmt.Errorf("--config: %s: %w", o.config, err)
	}
	o.prices = config.Prices
	for name, value := range config.Flags {
		flag := flags.Lookup(name)
		if flag == nil || slices.Contains(notConfigurable, name) {
			return fmt.Errorf("--config: %s: unknown key %q", o.config, name)
		}
		if flag.Changed {
			continue
		}
		values, isList := value.([]any)
		if !isList {
			values = []any{value}
		} else if flag.Value.Type() != "stringArray" {
			return fmt.Errorf("--config: %s: %s isn't a list", o.config, name)
		}
		for _, v := range values {
			if err := flags.Set(name, fmt.Sprint(v)); err != nil {
				return fmt.Errorf("--config: %s: %s: %w", o.config, name, err)
			}
		}
	}
	return nil
}

// printConfigSchema prints the JSON Schema of the config file: the flags, and the prices.
func printConfigSchema(w io.Writer, flags *pflag.FlagSet) error {
	properties := map[string]any{"prices": map[string]any{
		"type": "object", "description": "prices by slug, as in the control API's spec", "additionalProperties": map[string]any{"type": "object"},
	}}
	flags.VisitAll(func(flag *pflag.Flag) {
		if slices.Contains(notConfigurable, flag.Name) {
			return
		}
		_, usage := pflag.UnquoteUsage(flag)
		property := map[string]any{"type": "string", "description": usage}
		switch flag.Value.Type() {
		case "bool":
			property["type"] = "boolean"
		case "float64":
			property["type"] = "number"
		case "int64", "uint64":
			property["type"] = "integer"
		case "stringArray":
			property["type"], property["items"] = "array", map[string]any{"type": "string"}
		}
		properties[flag.Name] = property
	})
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(map[string]any{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "wan simulate --config",
		"type": "object", "additionalProperties": false, "properties": properties,
	})
}

// runProbe returns an error unless a simulator responds. It serves health checks, so it accepts any certificate.
func runProbe(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(url, "/")+"/healthz", nil)
	if err != nil {
		return inputError(fmt.Errorf("--probe: %w", err))
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // nothing secret is sent
	defer transport.CloseIdleConnections()
	response, err := transport.RoundTrip(request)
	if err != nil {
		return fmt.Errorf("--probe: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return errors.New("--probe: status " + response.Status)
	}
	return nil
}
