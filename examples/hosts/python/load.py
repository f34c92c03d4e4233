"""load.py DIRECTORY: runs the modules of DIRECTORY/layout.json on one memory, in wasmtime."""
import json, pathlib, sys
from wasmtime import (Func, FuncType, Global, GlobalType, Instance, Limits, Memory, MemoryType, Module, Store, Table, TableType,
                      Val, ValType)


def load(store, directory, host):
    """The memory, and the instances by name. `host` has what modules import from it: {(module, name): Func}."""
    layout = json.loads((directory / "layout.json").read_text())
    memory = Memory(store, MemoryType(Limits(layout["pages"], layout["maximumPages"])))
    shared = {}
    if layout["stackPointer"] is not None:
        shared["__stack_pointer"] = Global(store, GlobalType(ValType.i32(), mutable=True), Val.i32(layout["stackPointer"]))
    if layout["tableSize"] is not None:
        shared["__indirect_function_table"] = make_table(store, layout["tableSize"])
    placed = {module["name"]: module for module in layout["modules"]}
    instances = {}

    def find(module, wanted):
        name = wanted.name
        if (wanted.module, name) == tuple(module["memoryImport"].values()):
            return memory
        if wanted.module == "env" and name in shared:
            return shared[name]
        if (wanted.module, name) == ("env", "__indirect_function_table"):  # of its own
            return make_table(store, module["tableBase"] + module["tableSize"])
        source = next(i for i in module["imports"] if (i["module"], i["name"]) == (wanted.module, name))
        if source["from"] is None:
            return host[wanted.module, name]
        if source["deferred"]:  # that module comes later
            return Func(store, wanted.type, lambda *args: instances[source["from"]].exports(store)[name](store, *args))
        return instances[source["from"]].exports(store)[name]

    for name in layout["instantiationOrder"]:
        module = Module.from_file(store.engine, str(directory / placed[name]["file"]))
        instances[name] = Instance(store, module, [find(placed[name], wanted) for wanted in module.imports])
    for name in layout["instantiationOrder"]:
        if placed[name]["constructors"]:
            instances[name].exports(store)[placed[name]["constructors"]](store)
    return memory, instances


def make_table(store, size):
    return Table(store, TableType(ValType.funcref(), Limits(size, None)), None)


if __name__ == "__main__":
    def text_at(address):
        return bytes(memory.read(store, address)).split(b"\0")[0].decode()

    def report(name, price):
        print(f"{text_at(name):8} {price:2}")

    store = Store()
    i32 = ValType.i32()
    memory, instances = load(store, pathlib.Path(sys.argv[1]),
                             {("host", "report"): Func(store, FuncType([i32, i32], []), report)})
    stock = instances["stock"].exports(store)
    stock["report_stock"](store)
    print("cheapest:", text_at(stock["cheapest"](store)))
