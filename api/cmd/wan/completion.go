package main

import (
	"fmt"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/aimlvideo/wan-go/conformance/simulator"
	"github.com/aimlvideo/wan-go/spec"
)

// mediaFiles are the file extensions that a shell completes.
var mediaFiles = map[string][]string{
	"video": {"mp4", "mov", "m4v", "webm", "mkv", "avi", "mpg", "mpeg", "ts", "mts", "m2ts"},
	"image": {"png", "jpg", "jpeg", "webp", "gif", "bmp", "tif", "tiff", "avif", "heic"},
	"audio": {"mp3", "wav", "m4a", "aac", "flac", "ogg", "opus"},
}

// complete sets what a shell completes for each flag and argument: the values of enums, files where a file is meant,
// and nothing else.
func complete(c *console, command *cobra.Command) {
	command.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Value.Type() == "bool" {
			return
		}
		values, directive := flagValues(f)
		err := command.RegisterFlagCompletionFunc(f.Name, cobra.FixedCompletions(values, directive))
		if err != nil { // the flag is missing, which it can't be
			panic(err)
		}
	})
	if command.ValidArgsFunction == nil && !command.DisableFlagParsing {
		command.ValidArgsFunction = cobra.NoFileCompletions
		if name := command.Name(); name == "wait" || name == "get" {
			command.ValidArgsFunction = c.completeIDs
		}
	}
}

func flagValues(f *pflag.Flag) ([]string, cobra.ShellCompDirective) {
	if p, ok := f.Value.(*property); ok {
		if spec.IsMedia(p.Schema) {
			for kind, extensions := range mediaFiles {
				if strings.Contains(f.Name, kind) {
					return extensions, cobra.ShellCompDirectiveFilterFileExt
				}
			}
			return nil, cobra.ShellCompDirectiveDefault
		}
		var values []string
		if p.Schema.Type.Is(openapi3.TypeBoolean) {
			values = []string{"true", "false"}
		}
		for _, v := range p.Schema.Enum {
			if v != nil {
				values = append(values, fmt.Sprint(v))
			}
		}
		return values, cobra.ShellCompDirectiveNoFileComp
	}
	switch f.Name {
	case "output":
		return []string{"mp4"}, cobra.ShellCompDirectiveFilterFileExt
	case "file":
		return []string{"json"}, cobra.ShellCompDirectiveFilterFileExt
	case "prompt-file", "junit", "html", "json", "deviations":
		return nil, cobra.ShellCompDirectiveDefault
	case "strictness":
		return []string{"lenient", "documented", "exact"}, cobra.ShellCompDirectiveNoFileComp
	case "log":
		return []string{"text", "json", "none"}, cobra.ShellCompDirectiveNoFileComp
	case "fault":
		return faultValues(), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
	return nil, cobra.ShellCompDirectiveNoFileComp
}

// faultValues are all operations with all effects that the help names.
func faultValues() (values []string) {
	for line := range strings.Lines(simulator.EffectHelp()) {
		if name, _, _ := strings.Cut(strings.TrimSpace(line), " "); name != "" {
			for _, operation := range []simulator.Operation{simulator.Submit, simulator.Poll, simulator.Download} {
				values = append(values, string(operation)+"="+strings.TrimSuffix(name, ","))
			}
		}
	}
	return values
}

// completeIDs completes the ids of the journal, the last one first.
func (c *console) completeIDs(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	records, _ := c.jobs()
	ids := []string{"LAST"}
	for i := len(records) - 1; i >= 0 && len(ids) < 50; i-- {
		if records[i].ID != "" {
			ids = append(ids, records[i].ID+"\t"+records[i].Model+" "+records[i].Outcome)
		}
	}
	return ids, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
}
