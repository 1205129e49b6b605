//go:build tools

package wan

// The programs that go generate runs, so that go.mod pins their versions.
import (
	_ "github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen"
)
