# wazero, in Go; and WASI there.
. "$(dirname "$0")/lib.sh"
export GOMODCACHE=$scratch/go/modules GOCACHE=$scratch/go/cache GOFLAGS=-modcacherw
(cd examples/hosts/go && go vet . && go run . ../../../app) >output.txt
diff expected.txt output.txt

mkdir examples/hosts/go/wasi
cat >examples/hosts/go/wasi/main.go <<'END'
package main

import (
	"context"
	"os"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

func main() {
	ctx := context.Background()
	runtime := wazero.NewRuntime(ctx)
	wasi_snapshot_preview1.MustInstantiate(ctx, runtime)
	for _, name := range []string{"env", "hello"} {
		code, err := os.ReadFile(os.Args[1] + "/" + name + ".wasm")
		if err != nil {
			panic(err)
		}
		config := wazero.NewModuleConfig().WithName(name).WithStdout(os.Stdout).WithStartFunctions("_initialize")
		if _, err := runtime.InstantiateWithConfig(ctx, code, config); err != nil {
			panic(err)
		}
	}
	if _, err := runtime.Module("hello").ExportedFunction("hello").Call(ctx, 1); err != nil {
		panic(err)
	}
}
END
(cd examples/hosts/go && go run ./wasi ../../../wasi) >output.txt
diff expected-wasi.txt output.txt
