# Two modules that have a crate in common: with `link` or `single` they have its statics and one heap as one program would;
# without, each has its own.
. "$(dirname "$0")/../lib.sh"
use_rust

for package in guests left right; do
    mkdir -p $package/src
    printf '[package]\nname = "%s"\nversion = "0.1.0"\nedition = "2021"\n' $package >$package/Cargo.toml
done
for package in left right; do
    printf '[lib]\ncrate-type = ["cdylib"]\n[dependencies]\nguests = { path = "../guests" }\n' >>$package/Cargo.toml
done
cat >guests/src/lib.rs <<'END'
use std::cell::Cell;
use std::sync::{Mutex, OnceLock};

static BOOK: Mutex<Vec<String>> = Mutex::new(Vec::new());
static FIRST: OnceLock<char> = OnceLock::new();
thread_local! { static SIGNED: Cell<u32> = const { Cell::new(0) }; }

pub fn sign(name: &str) -> usize {
    SIGNED.set(SIGNED.get() + 1);
    FIRST.get_or_init(|| name.chars().next().unwrap());
    let mut book = BOOK.lock().unwrap();
    book.push(name.to_owned());
    book.len()
}

pub fn signed() -> u32 {
    SIGNED.get()
}

pub fn first() -> u32 {
    FIRST.get().map_or(0, |first| *first as u32)
}
END
cat >left/src/lib.rs <<'END'
#[unsafe(no_mangle)]
pub extern "C" fn sign_left() -> usize {
    guests::sign("left")
}

#[unsafe(no_mangle)]
pub extern "C" fn count_to(n: usize) -> *mut () {
    Box::into_raw(Box::new((1..=n).collect::<Vec<_>>())).cast()
}
END
cat >right/src/lib.rs <<'END'
#[link(wasm_import_module = "left")]
unsafe extern "C" {
    fn count_to(n: usize) -> *mut ();
}

#[unsafe(no_mangle)]
pub extern "C" fn sign_right() -> usize {
    guests::sign("right")
}

#[unsafe(no_mangle)]
pub extern "C" fn signed() -> u32 {
    guests::signed()
}

#[unsafe(no_mangle)]
pub extern "C" fn first() -> u32 {
    guests::first()
}

/// Frees what the other module has allocated.
#[unsafe(no_mangle)]
pub extern "C" fn sum_to(n: usize) -> usize {
    let numbers = unsafe { Box::from_raw(count_to(n).cast::<Vec<usize>>()) };
    numbers.iter().sum()
}
END
cat >guests.mjs <<'END'
import { existsSync, readFileSync } from 'node:fs';
const file = new URL('out/app.wasm', import.meta.url);
async function separate() {
  const { instances, memory } = await (await import('./out/layout.mjs')).instantiate();
  return { memory, ...instances.left.exports, ...instances.right.exports };
}
const program = existsSync(file) ? new WebAssembly.Instance(new WebAssembly.Module(readFileSync(file))).exports : await separate();
const { memory, sign_left, sign_right, signed, first, sum_to } = program;
console.log(sign_left(), sign_right(), sign_left(), signed(), String.fromCodePoint(first()));
if (signed() === 3) {
  sum_to(1000);
  const size = memory.buffer.byteLength;
  for (let i = 0; i < 10000; i++)
    if (sum_to(1000) !== 500500)
      throw new Error('the sum is wrong');
  console.log(memory.buffer.byteLength === size ? 'all is freed' : 'memory is lost');
}
END

# combined OPTION: what the program says, with it in the configuration
combined() {
    printf '[workspace]\nmembers = ["guests", "left", "right"]\nresolver = "2"\n[workspace.metadata.wasmshare]\n%s\n%s\n' \
        "out-dir = 'out'" "$1" >Cargo.toml
    rm -rf out
    cargo wasmshare build --release 2>&1 | tee build.log
    node guests.mjs | tee output.log
}

combined 'print-map = false'
expect '1 1 2 1 r' output.log
expect 'note: left, right have a guests::BOOK each (and 2 more like it): one program has one' build.log
expect 'In Cargo.toml, [workspace.metadata.wasmshare]: link = true' build.log
# a module that makes the memory, for hosts that link by name; it is an output as others are
combined 'env = "host.wasm"'
node -e "
const { readFileSync } = require('fs');
const instantiate = (name, imports) => new WebAssembly.Instance(new WebAssembly.Module(readFileSync('out/' + name + '.wasm')), imports).exports;
const env = instantiate('host'), left = instantiate('left', { env }), right = instantiate('right', { env, left });
console.log('linked by name:', left.sign_left(), right.sum_to(4));" | tee output.log
expect 'linked by name: 1 10' output.log
cargo wasmshare build --release 2>&1 | tee build.log
expect '       Fresh left, right (' build.log
rm out/host.wasm
cargo wasmshare build --release 2>&1 | tee build.log
expect '   Combining left, right (' build.log
[ -s out/host.wasm ] || fail 'what env says is not made again'
for option in 'link = true' 'single = "app.wasm"'; do
    combined "$option"
    expect '1 2 3 3 l' output.log
    expect 'all is freed' output.log
    expect_no 'note:' build.log
done
[ "$(ls out)" = app.wasm ] || fail 'there is more than one module'
