module github.com/aimlvideo/wan-go

go 1.26.0

// What a program links that imports api: the generated clients need runtime, and media types are told by mimetype.
require (
	github.com/gabriel-vasile/mimetype v1.4.16
	github.com/oapi-codegen/runtime v1.9.0
)

// What spec, conformance and the command add: kin-openapi loads the documents and validates, cobra and pflag are the
// command line, term tells whether there is a terminal and how wide it is, yaml reads the suite's cases and the documents
// that drift is given.
require (
	github.com/getkin/kin-openapi v0.153.0
	github.com/spf13/cobra v1.10.2
	github.com/spf13/pflag v1.0.10
	go.yaml.in/yaml/v3 v3.0.5
	golang.org/x/term v0.47.0
)

// What tests run the command with.
require github.com/rogpeppe/go-internal v1.16.0

// What go generate runs. No package links it.
require github.com/oapi-codegen/oapi-codegen/v2 v2.8.2

require (
	github.com/apapsch/go-jsonmerge/v2 v2.0.0 // indirect
	github.com/dprotaso/go-yit v0.0.0-20220510233725-9ba8df137936 // indirect
	github.com/go-openapi/jsonpointer v0.23.1 // indirect
	github.com/go-openapi/swag/jsonname v0.26.0 // indirect
	github.com/google/uuid v1.6.0 // indirect
	github.com/inconshreveable/mousetrap v1.1.0 // indirect
	github.com/santhosh-tekuri/jsonschema/v6 v6.0.3 // indirect
	github.com/speakeasy-api/jsonpath v0.6.3 // indirect
	github.com/speakeasy-api/openapi v1.24.0 // indirect
	github.com/vmware-labs/yaml-jsonpath v0.3.2 // indirect
	go.yaml.in/yaml/v4 v4.0.0 // indirect
	golang.org/x/mod v0.38.0 // indirect
	golang.org/x/sync v0.22.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/text v0.40.0 // indirect
	golang.org/x/tools v0.48.0 // indirect
	gopkg.in/yaml.v3 v3.0.1 // indirect
)
