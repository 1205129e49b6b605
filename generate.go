// Package wan is the root of wan-go. It holds nothing but the recipe for the generated clients: the program's parts are
// api (the client), gen (the generated clients), spec (the documents) and conformance (validation and the simulator).
package wan

// One line for each document. The generator is pinned in go.mod.
//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen -config gen/generation.yaml spec/generation.yaml
//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen -config gen/animate-move.yaml spec/animate-move.yaml
//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen -config gen/animate-replace.yaml spec/animate-replace.yaml
//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen -config gen/vace-fun-pose.yaml spec/vace-fun-pose.yaml
//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen -config gen/vace-fun-reframe.yaml spec/vace-fun-reframe.yaml
