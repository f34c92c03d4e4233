// Makes the modules that are measured, in build/bench, and keeps them until something that they are made of changes.

import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';

export const work = 'build/bench';
const clang = process.env.CLANG;
export const sqliteDirectory = 'build/node/node_modules/better-sqlite3/deps/sqlite3';
const placeable = ['-Wl,--import-memory,--emit-relocs', '--no-wasm-opt'];
const wasi = ['--target=wasm32-wasi', '-Wno-deprecated'];
const reactor = [...wasi, '-mexec-model=reactor'];
export const sqliteOptions = ['-DSQLITE_THREADSAFE=0', '-DSQLITE_OMIT_LOAD_EXTENSION', '-DSQLITE_OMIT_WAL',
  '-D_WASI_EMULATED_GETPID', '-D_WASI_EMULATED_MMAN'];
const emulation = ['-lwasi-emulated-getpid', '-lwasi-emulated-mman'];

export function run(command, args, options = {}) {
  return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], ...options });
}

const compilerVersion = run(clang, ['--version']).split('\n')[0];

// Runs a command that makes `output`, unless it was made by the same command and compiler from the same sources.
export async function make(output, sources, command, args) {
  const stamp = `${output}.made-by`;
  const how = [compilerVersion, command, ...args].join('\n');
  const upToDate = existsSync(output) && existsSync(stamp) && readFileSync(stamp, 'utf8') === how
    && sources.every((source) => statSync(source).mtimeMs <= statSync(output).mtimeMs);
  if (upToDate) return output;
  console.error(`making ${output}`);
  mkdirSync(dirname(output), { recursive: true });
  rmSync(stamp, { force: true });
  await new Promise((done, failed) => {
    const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
    child.on('error', failed);
    child.on('close', (status) => (status === 0 ? done() : failed(new Error(`${command} failed for ${output}`))));
  });
  writeFileSync(stamp, how);
  return output;
}

// A text that is written only when it changes, so that what is made of it stays.
export function source(path, text) {
  mkdirSync(dirname(path), { recursive: true });
  if (!existsSync(path) || readFileSync(path, 'utf8') !== text) writeFileSync(path, text);
  return path;
}

// As the tests build it: the whole library, optimised, for a host that calls it.
export async function sqlite() {
  const amalgamation = join(sqliteDirectory, 'sqlite3.c');
  const host = 'tests/sqlite/database.c';
  return make(join(work, 'sqlite.wasm'), [amalgamation, host], clang, [...reactor, '-O2', ...sqliteOptions, ...placeable,
    `-I${sqliteDirectory}`, host, amalgamation, ...emulation, '-o', join(work, 'sqlite.wasm')]);
}

// A debug build of more than 50 MB: many copies of SQLite, each static in a file of its own, with DWARF.
export async function large() {
  const copies = 18;
  const amalgamation = join(sqliteDirectory, 'sqlite3.c');
  const objects = Array.from({ length: copies }, (_, i) => join(work, 'large', `copy${i}.o`));
  const pending = objects.map((object, i) => async () => {
    const copy = source(join(work, 'large', `copy${i}.c`), `#define SQLITE_API static
#include "sqlite3.c"

__attribute__((export_name("query${i}"))) int query${i}(const char *sql) {
  sqlite3 *database;
  sqlite3_stmt *statement;
  int sum = 0;
  if (sqlite3_open(":memory:", &database) != SQLITE_OK)
    return -1;
  if (sqlite3_prepare_v2(database, sql, -1, &statement, 0) == SQLITE_OK)
    while (sqlite3_step(statement) == SQLITE_ROW)
      sum += sqlite3_column_int(statement, 0);
  sqlite3_finalize(statement);
  sqlite3_close(database);
  return sum;
}
`);
    await make(object, [copy, amalgamation], clang, [...wasi, '-O0', '-g', '-w', ...sqliteOptions,
      `-I${sqliteDirectory}`, '-c', copy, '-o', object]);
  });
  await Promise.all(Array.from({ length: availableParallelism() }, async () => {
    while (pending.length > 0) await pending.shift()();
  }));
  const output = join(work, 'large.wasm');
  return make(output, objects, clang, [...reactor, ...placeable, ...objects, ...emulation, '-o', output]);
}

// A module that is little but a zeroed buffer of 1 MiB.
export async function buffer() {
  const text = source(join(work, 'buffer.c'), `static unsigned char buffer[1 << 20];
__attribute__((export_name("at"))) unsigned char *at(int index) { return &buffer[index]; }
`);
  const output = join(work, 'buffer.wasm');
  return make(output, [text], clang, ['--target=wasm32', '-O2', '-nostdlib', '-Wl,--no-entry', ...placeable, text,
    '-o', output]);
}

// The three modules of the example; build.sh says where they are.
export function threeModules(language) {
  const output = join(work, `three-${language}`);
  run('examples/three-modules/build.sh', [language, output],
    { env: { ...process.env, WASMSHARE: 'build/release/wasmshare' } });
  return ['common', 'a', 'b'].map((name) => join(output, 'unplaced', `${name}.wasm`));
}

// Modules of Rust with its standard library, each a plugin that keeps words in a map of its own; and the archives of the
// objects that they are linked from.
export function plugins(count) {
  const workspace = join(work, 'plugins');
  const names = Array.from({ length: count }, (_, i) => `plugin${i}`);
  source(join(workspace, 'Cargo.toml'), `[workspace]\nmembers = ${JSON.stringify(names)}\nresolver = "2"\n`);
  source(join(workspace, '.cargo/config.toml'),
    readFileSync('examples/three-modules/rust/.cargo/config.toml', 'utf8'));
  names.forEach((name, i) => {
    source(join(workspace, name, 'Cargo.toml'), `[package]
name = "${name}"
version = "0.1.0"
edition = "2021"
publish = false

[lib]
crate-type = ["cdylib", "staticlib"]
`);
    source(join(workspace, name, 'src/lib.rs'), `use std::collections::HashMap;
use std::sync::Mutex;

static TITLES: [&str; 4] = ["${name}", "one", "two", "three"];
static WORDS: Mutex<Option<HashMap<u32, String>>> = Mutex::new(None);

#[no_mangle]
pub extern "C" fn learn${i}(number: u32) -> usize {
    let mut words = WORDS.lock().unwrap();
    let words = words.get_or_insert_with(HashMap::new);
    words.insert(number, format!("{} {}", TITLES[number as usize % TITLES.len()], number + ${i}));
    words.values().map(String::len).sum()
}
`);
  });
  const target = resolve(process.env.CARGO_TARGET_DIR ?? 'build/cargo');
  run(resolve('examples/cargo-wasm.sh'), ['build', '--release', '--quiet'],
    { cwd: workspace, env: { ...process.env, CARGO_TARGET_DIR: target } });
  return names.map((name) => join(target, 'wasm32-unknown-unknown/release', `${name}.wasm`));
}
export const archiveOf = (plugin) => join(dirname(plugin), `lib${basename(plugin, '.wasm')}.a`);
