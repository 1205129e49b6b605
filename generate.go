// Package wan holds the go:generate directives of the generated clients. The packages of wan-go are api (the client), gen
// (the generated types), spec (the OpenAPI specs) and conformance (validation and the simulator).
package wan

// One line per spec. go.mod pins the generator.
//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen -config gen/generation.yaml spec/generation.yaml
//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen -config gen/account.yaml spec/account.yaml
//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen -config gen/model.yaml -package animatemove -o gen/animatemove/animatemove.gen.go spec/animate-move.yaml
//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen -config gen/model.yaml -package animatereplace -o gen/animatereplace/animatereplace.gen.go spec/animate-replace.yaml
//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen -config gen/model.yaml -package vacefunpose -o gen/vacefunpose/vacefunpose.gen.go spec/vace-fun-pose.yaml
//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen -config gen/model.yaml -package vacefunreframe -o gen/vacefunreframe/vacefunreframe.gen.go spec/vace-fun-reframe.yaml
//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen -config gen/model.yaml -package vacefundepth -o gen/vacefundepth/vacefundepth.gen.go spec/vace-fun-depth.yaml
//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen -config gen/model.yaml -package vacefuninpainting -o gen/vacefuninpainting/vacefuninpainting.gen.go spec/vace-fun-inpainting.yaml
//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen -config gen/model.yaml -package vacefunoutpainting -o gen/vacefunoutpainting/vacefunoutpainting.gen.go spec/vace-fun-outpainting.yaml
