# wasm.h, from C: wasmi behind it, and wasmtime, whose library the Python package brings.
. "$(dirname "$0")/lib.sh"
export CARGO_TARGET_DIR=$scratch/cargo
manifest=examples/hosts/c/wasmi/Cargo.toml
cargo build --quiet --locked --manifest-path $manifest
api=$(cargo metadata --locked --format-version 1 --manifest-path $manifest |
    grep -o '"manifest_path":"[^"]*wasmi_c_api_impl[^"]*Cargo.toml"' | cut -d '"' -f 4)
build="cc -std=c11 -Wall -Wextra -Werror -O2 -Iapp -I$(dirname "$api")/include examples/hosts/c/load.c"
$build "$scratch/cargo/debug/libwasmi_c.a" -lm -lpthread -ldl -o load
./load app >output.txt
diff expected.txt output.txt

library=$(find "$scratch/python" -name _libwasmtime.so 2>/dev/null)
if [ -n "$library" ]; then
    $build "$library" "-Wl,-rpath,$(dirname "$library")" -o load-wasmtime
    ./load-wasmtime app >output.txt
    diff expected.txt output.txt
fi
