// main.go DIRECTORY: runs the modules of DIRECTORY/layout.json in wazero, on the memory that env.wasm makes.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

var ctx = context.Background()

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

// Instantiates env.wasm, and then all modules, each under its name, by which wazero finds what they import. What the host gives
// is there.
func load(runtime wazero.Runtime, directory string) {
	var layout struct {
		InstantiationOrder []string
		Modules            []struct{ Name, Constructors string }
	}
	must(0, json.Unmarshal(must(os.ReadFile(filepath.Join(directory, "layout.json"))), &layout))
	for _, name := range append([]string{"env"}, layout.InstantiationOrder...) {
		code := must(os.ReadFile(filepath.Join(directory, name+".wasm")))
		must(runtime.InstantiateWithConfig(ctx, code, wazero.NewModuleConfig().WithName(name).WithStartFunctions()))
	}
	for _, name := range layout.InstantiationOrder {
		for _, module := range layout.Modules {
			if module.Name == name && module.Constructors != "" {
				must(runtime.Module(name).ExportedFunction(module.Constructors).Call(ctx))
			}
		}
	}
}

func textAt(memory api.Memory, address uint32) string {
	rest, _ := memory.Read(address, memory.Size()-address)
	text, _, _ := bytes.Cut(rest, []byte{0})
	return string(text)
}

func main() {
	runtime := wazero.NewRuntime(ctx)
	defer runtime.Close(ctx)
	report := func(name, price uint32) {
		fmt.Printf("%-8s %2d\n", textAt(runtime.Module("env").Memory(), name), price)
	}
	must(runtime.NewHostModuleBuilder("host").NewFunctionBuilder().WithFunc(report).Export("report").Instantiate(ctx))
	load(runtime, os.Args[1])
	stock := runtime.Module("stock")
	must(stock.ExportedFunction("report_stock").Call(ctx))
	cheapest := must(stock.ExportedFunction("cheapest").Call(ctx))
	fmt.Println("cheapest:", textAt(runtime.Module("env").Memory(), uint32(cheapest[0])))
}
