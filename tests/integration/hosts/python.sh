# wasmtime, from Python: by layout.json, and by name, as `wasmtime run --preload` does; WASI; modules that call each other in a
# cycle.
. "$(dirname "$0")/lib.sh"
python=$scratch/python/bin/python
requirements=examples/hosts/python/requirements.txt
if ! cmp -s $requirements "$scratch/python/requirements.txt"; then
    python3 -m venv "$scratch/python"
    "$python" -m pip install --quiet --disable-pip-version-check -r $requirements
    cp $requirements "$scratch/python/"
fi
"$python" examples/hosts/python/load.py app >output.txt
diff expected.txt output.txt

cat >by_name.py <<'END'
import sys
from wasmtime import Engine, FuncType, Linker, Module, Store, ValType, WasiConfig

engine = Engine()
store, linker = Store(engine), Linker(engine)
def instantiate(directory, name):
    instance = linker.instantiate(store, Module.from_file(engine, f"{directory}/{name}.wasm"))
    linker.define_instance(store, name, instance)
    return instance.exports(store)
if sys.argv[1] == "wasi":
    config = WasiConfig()
    config.inherit_stdout()
    store.set_wasi(config)
    linker.define_wasi()
    instantiate("wasi", "env")
    hello = instantiate("wasi", "hello")
    hello["_initialize"](store)
    hello["hello"](store, 1)
else:
    memory = instantiate("app", "env")["memory"]
    text_at = lambda address: bytes(memory.read(store, address)).split(b"\0")[0].decode()
    linker.define_func("host", "report", FuncType([ValType.i32(), ValType.i32()], []),
                       lambda name, price: print(f"{text_at(name):8} {price:2}"))
    instantiate("app", "sort")
    stock = instantiate("app", "stock")
    stock["report_stock"](store)
    print("cheapest:", text_at(stock["cheapest"](store)))
END
"$python" by_name.py app >output.txt
diff expected.txt output.txt
"$python" by_name.py wasi >output.txt
diff expected-wasi.txt output.txt

cat >even.c <<'END'
static int zero(void) { return 0; }
static int (*volatile function)(void) = zero;
__attribute__((import_module("odd"), import_name("is_odd"))) int is_odd(int n);
__attribute__((export_name("is_even"))) int is_even(int n) { return n == function() || is_odd(n - 1); }
END
sed 's/odd/EVEN/g; s/even/odd/g; s/EVEN/even/g; s/n == function() ||/n != function() \&\&/' even.c >odd.c
for module in even odd; do
    clang-22 --target=wasm32 -O1 -nostdlib --no-wasm-opt -Wl,--no-entry,--emit-relocs,--import-memory,--import-table $module.c -o $module.wasm
done
wasmshare combine -o cycle --env cycle/env.wasm --table=shared even.wasm odd.wasm 2>warnings.log # a host by name could not
cat >cycle.py <<'END'
import pathlib, sys
sys.path.insert(0, "examples/hosts/python")
from load import load
from wasmtime import Linker, Store
store = Store()
_, exports = load(store, Linker(store.engine), pathlib.Path("cycle"))
is_even = exports["even"]["is_even"]
print(is_even(store, 10), is_even(store, 7))
END
[ "$("$python" cycle.py)" = '1 0' ] || fail 'the cycle'
