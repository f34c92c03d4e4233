"""load.py DIRECTORY: runs the modules of DIRECTORY/layout.json in wasmtime, on the memory that env.wasm makes."""
import json, pathlib, sys
from wasmtime import FuncType, Linker, Module, Store, ValType


def load(store, linker, directory):
    """What the modules export, by name. `linker` has what they import from the host."""
    layout = json.loads((directory / "layout.json").read_text())
    placed = {module["name"]: module for module in layout["modules"]}
    env = linker.instantiate(store, Module.from_file(store.engine, str(directory / "env.wasm")))
    linker.define_instance(store, "env", env)
    linker.allow_shadowing = True
    exports = {}
    for name in layout["instantiationOrder"]:
        module = Module.from_file(store.engine, str(directory / placed[name]["file"]))
        types = {(wanted.module, wanted.name): wanted.type for wanted in module.imports}
        for wanted in placed[name]["imports"]:
            key, source, what = (wanted["module"], wanted["name"]), wanted["from"], wanted["name"]
            if wanted["deferred"]:  # that module comes later
                linker.define_func(*key, types[key], lambda *args, f=source, n=what: exports[f][n](store, *args))
            elif source:
                linker.define(store, *key, exports[source][what])
        exports[name] = linker.instantiate(store, module).exports(store)
    for name in layout["instantiationOrder"]:
        if placed[name]["constructors"]:
            exports[name][placed[name]["constructors"]](store)
    return env.exports(store)["memory"], exports


if __name__ == "__main__":
    def text_at(address):
        return bytes(memory.read(store, address)).split(b"\0")[0].decode()

    store, i32 = Store(), ValType.i32()
    linker = Linker(store.engine)
    linker.define_func("host", "report", FuncType([i32, i32], []), lambda name, price: print(f"{text_at(name):8} {price:2}"))
    memory, exports = load(store, linker, pathlib.Path(sys.argv[1]))
    exports["stock"]["report_stock"](store)
    print("cheapest:", text_at(exports["stock"]["cheapest"](store)))
