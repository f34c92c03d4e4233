# One file, in engines that link nothing: wasmtime, wasm3 and wasm2c's C, as it is written, and after wasm-opt. No loader has a
# part in it.
. "$(dirname "$0")/lib.sh"
python=$scratch/single/bin/python
if ! cmp -s examples/hosts/python/requirements.txt "$scratch/single/requirements.txt"; then
    python3 -m venv "$scratch/single"
    "$python" -m pip install --quiet --disable-pip-version-check -r examples/hosts/python/requirements.txt pywasm3==0.5.0
    cp examples/hosts/python/requirements.txt "$scratch/single/"
fi

# wasm3 takes the number of a table for one byte, which compilers give five where they know reference types
flags="--target=wasm32 -O2 -nostdlib --no-wasm-opt -Wl,--no-entry,--emit-relocs,--import-memory"
flags+=" -mno-reference-types -mno-call-indirect-overlong"
clang-22 $flags examples/c-host/sort.c -o sort.wasm
clang++-22 $flags -std=c++17 -fno-exceptions -fno-rtti -Wno-non-virtual-dtor examples/c-host/stock.cpp -o stock.wasm
wasmshare combine --single simple.wasm --host-imports host stock.wasm sort.wasm
wasmshare combine --single one.wasm --host-imports host app/unplaced/stock.wasm app/unplaced/sort.wasm
for name in simple one; do
    wasm-opt -O2 $name.wasm -o $name-optimised.wasm
done

cat >in_wasmtime.py <<'END'
import sys
from wasmtime import Engine, FuncType, Linker, Module, Store, ValType
engine = Engine()
store, linker = Store(engine), Linker(engine)
text_at = lambda address: bytes(exports["memory"].read(store, address)).split(b"\0")[0].decode()
linker.define_func("host", "report", FuncType([ValType.i32(), ValType.i32()], []),
                   lambda name, price: print(f"{text_at(name):8} {price:2}"))
exports = linker.instantiate(store, Module.from_file(engine, sys.argv[1])).exports(store)
if "_initialize" in exports:
    exports["_initialize"](store)
exports["report_stock"](store)
print("cheapest:", text_at(exports["cheapest"](store)))
END
cat >in_wasm3.py <<'END'
import sys, wasm3
runtime = wasm3.Environment().new_runtime(65536)
with open(sys.argv[1], "rb") as file:
    module = wasm3.Environment().parse_module(file.read())
runtime.load(module)
text_at = lambda address: bytes(runtime.get_memory(0)[address:address + 20]).split(b"\0")[0].decode()
module.link_function("host", "report", "v(ii)", lambda name, price: print(f"{text_at(name):8} {price:2}"))
if sys.argv[2:]:
    runtime.find_function("_initialize")()
runtime.find_function("report_stock")()
print("cheapest:", text_at(runtime.find_function("cheapest")()))
END
cat >host.c <<'END'
#include <stdio.h>
#include "program.h"
struct Z_host_instance_t { Z_one_instance_t program; };
static const char *text_at(struct Z_host_instance_t *host, u32 address) { return (char *)host->program.w2c_memory.data + address; }
void Z_hostZ_report(struct Z_host_instance_t *host, u32 name, u32 price) { printf("%-8s %2u\n", text_at(host, name), price); }
int main(void) {
  struct Z_host_instance_t host;
  wasm_rt_init();
  Z_one_init_module();
  Z_one_instantiate(&host.program, &host);
#ifdef INITIALIZE
  Z_oneZ__initialize(&host.program);
#endif
  Z_oneZ_report_stock(&host.program);
  printf("cheapest: %s\n", text_at(&host, Z_oneZ_cheapest(&host.program)));
}
END
in_wasm2c() {
    wasm2c -n one "$1" -o program.c
    cc -w ${2:+-DINITIALIZE} -I/usr/share/wabt/wasm2c host.c program.c /usr/share/wabt/wasm2c/wasm-rt-impl.c -lm -o host
    ./host
}
for name in one one-optimised simple simple-optimised; do
    initialize=$(wasm-objdump -x -j Export $name.wasm | grep -o _initialize | head -n 1) || true
    "$python" in_wasmtime.py $name.wasm >output.txt
    diff expected.txt output.txt || fail "wasmtime, $name.wasm"
    in_wasm2c $name.wasm $initialize >output.txt
    diff expected.txt output.txt || fail "wasm2c, $name.wasm"
    [ $name != one ] || continue
    "$python" in_wasm3.py $name.wasm $initialize >output.txt
    diff expected.txt output.txt || fail "wasm3, $name.wasm"
done

# A program of WASI's, with a C library in each module.
cat >words.c <<'END'
#include <errno.h>
#include <string.h>
__attribute__((export_name("copy_word"))) char *copy_word(const char *word) {
  errno = 42;
  return strdup(word);
}
END
cat >main.c <<'END'
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
char *copy_word(const char *word);
int main(void) {
  char *line = malloc(100), *word = copy_word("one program");
  snprintf(line, 100, "%s, errno %d", word, errno);
  puts(line);
  free(line);
  free(word);
}
END
flags="--target=wasm32-wasi -Wno-deprecated -O2 -Wl,--allow-undefined,--emit-relocs,--import-memory --no-wasm-opt"
clang-22 $flags -mexec-model=reactor words.c -o words.wasm
clang-22 $flags main.c -o main.wasm
wasmshare combine --single program.wasm words.wasm main.wasm
wasm-opt -O2 program.wasm -o program-optimised.wasm
cat >command.py <<'END'
import sys
from wasmtime import Engine, Linker, Module, Store, WasiConfig
engine = Engine()
store, linker, config = Store(engine), Linker(engine), WasiConfig()
config.inherit_stdout()
store.set_wasi(config)
linker.define_wasi()
linker.instantiate(store, Module.from_file(engine, sys.argv[1])).exports(store)["_start"](store)
END
for name in program program-optimised; do
    [ "$("$python" command.py $name.wasm)" = 'one program, errno 42' ] || fail "wasmtime, $name.wasm"
done
