//go:build tools

package wan

// Programs that go generate runs. Importing them pins their versions in go.mod.
import (
	_ "github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen"
)
