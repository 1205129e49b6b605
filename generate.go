// Package wan is the root of wan-go and contains only the go:generate directives. The client is package api, the
// generated code is below gen, the OpenAPI specs are in package spec, and package conformance validates against them.
package wan

// One line per spec. go.mod pins the version of the generator.
//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen -config gen/generation.yaml spec/generation.yaml
//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen -config gen/account.yaml spec/account.yaml
//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen -config gen/animate-move.yaml spec/animate-move.yaml
//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen -config gen/animate-replace.yaml spec/animate-replace.yaml
//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen -config gen/vace-fun-pose.yaml spec/vace-fun-pose.yaml
//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen -config gen/vace-fun-reframe.yaml spec/vace-fun-reframe.yaml
