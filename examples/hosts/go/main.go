// main.go DIRECTORY: runs the modules of DIRECTORY/layout.json on one memory, in wazero. That links modules by name: env.wasm
// (combine --env) makes what they import from `env`.
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

type layout struct {
	InstantiationOrder []string
	Modules            []struct {
		Name, File   string
		Constructors *string
	}
}

// Instantiates env.wasm, and then all modules, each under its name; what the host gives is there.
func load(ctx context.Context, runtime wazero.Runtime, directory string) error {
	text, err := os.ReadFile(filepath.Join(directory, "layout.json"))
	if err != nil {
		return err
	}
	var layout layout
	if err := json.Unmarshal(text, &layout); err != nil {
		return err
	}
	files, constructors := map[string]string{"env": "env.wasm"}, map[string]*string{}
	for _, module := range layout.Modules {
		files[module.Name], constructors[module.Name] = module.File, module.Constructors
	}
	for _, name := range append([]string{"env"}, layout.InstantiationOrder...) {
		code, err := os.ReadFile(filepath.Join(directory, files[name]))
		if err != nil {
			return err
		}
		config := wazero.NewModuleConfig().WithName(name).WithStartFunctions()
		if _, err := runtime.InstantiateWithConfig(ctx, code, config); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	for _, name := range layout.InstantiationOrder {
		if constructors[name] != nil {
			if _, err := runtime.Module(name).ExportedFunction(*constructors[name]).Call(ctx); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return nil
}

func textAt(memory api.Memory, address uint32) string {
	rest, _ := memory.Read(address, memory.Size()-address)
	text, _, _ := bytes.Cut(rest, []byte{0})
	return string(text)
}

func main() {
	ctx := context.Background()
	runtime := wazero.NewRuntime(ctx)
	defer runtime.Close(ctx)
	report := func(ctx context.Context, name, price uint32) {
		fmt.Printf("%-8s %2d\n", textAt(runtime.Module("env").Memory(), name), price)
	}
	_, err := runtime.NewHostModuleBuilder("host").NewFunctionBuilder().WithFunc(report).Export("report").Instantiate(ctx)
	if err != nil {
		log.Fatal(err)
	}
	if err := load(ctx, runtime, os.Args[1]); err != nil {
		log.Fatal(err)
	}
	stock := runtime.Module("stock")
	if _, err := stock.ExportedFunction("report_stock").Call(ctx); err != nil {
		log.Fatal(err)
	}
	cheapest, err := stock.ExportedFunction("cheapest").Call(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("cheapest:", textAt(runtime.Module("env").Memory(), uint32(cheapest[0])))
}
