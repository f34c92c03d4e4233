// Builds a case's objects and links them at the two places that a move lies between.

import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));

export class Toolbox {
  // `tools` has the paths of clang, linker and wasmshare, and `work`, a directory of this run's own.
  constructor(tools) {
    this.tools = tools;
    this.log = []; // commands, so that a failure can be repeated
  }

  run(command, args, settings = {}) {
    this.log.push([command, ...args].join(' '));
    try {
      return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], ...settings });
    } catch (error) {
      throw new Error(`${error.status ?? error.signal}: ${error.stderr || error.message}`);
    }
  }

  compile(entry) {
    this.work = join(this.tools.work, entry.name);
    rmSync(this.work, { recursive: true, force: true });
    mkdirSync(this.work, { recursive: true });
    if (entry.rust) return this.rustLibrary(entry.rust);
    const system = entry.libraries ? `${entry.target}-wasi` : `${entry.target}-unknown-unknown`;
    return entry.compile.map(([source, ...flags]) => {
      const path = this.source(source);
      const object = join(this.work, `${basename(path)}.o`);
      const language = path.endsWith('.s') ? [] : ['-fno-exceptions'];
      this.run(this.tools.clang,
        [`--target=${system}`, '-Wno-deprecated', ...language, ...flags, '-c', path, '-o', object]);
      return object;
    });
  }

  source(name) {
    const generated = /^functions-(\d+)$/.exec(name);
    if (!generated) return join(here, 'inputs', name);
    const path = join(this.work, `${name}.c`);
    writeFileSync(path, manyFunctions(Number(generated[1])));
    return path;
  }

  // One static library for all the Rust cases of a profile. Cargo knows when it is up to date.
  rustLibrary(profile) {
    const target = process.env.CARGO_TARGET_DIR ?? join(here, '../../build/cargo');
    this.run(join(here, '../../examples/cargo-wasm.sh'), ['build', '--quiet', '--profile', profile],
      { cwd: join(here, 'inputs/rust'), env: { ...process.env, CARGO_TARGET_DIR: target } });
    return [join(target, 'wasm32-unknown-unknown', profile, 'liboracle_rust.a')];
  }

  // Before LLVM 22, data came first unless --stack-first was given, and there was no flag to say so.
  place(flags) {
    this.help ??= execFileSync(this.tools.linker, ['--help'], { encoding: 'utf8' });
    return flags.filter((flag) => flag !== '--no-stack-first' || this.help.includes(flag));
  }

  // Links `objects` with the flags of a place, to `name` in the case's directory.
  link(entry, objects, place, name, relocations = entry.relocations) {
    const output = join(this.work, name);
    const flags = ['--import-memory', ...entry.link, ...this.place(place), '-o', output];
    if (relocations) flags.push('--emit-relocs');
    if (entry.target === 'wasm64') flags.push('-mwasm64');
    if (entry.rust) flags.push(...(entry.exports ?? rustExports()).map((symbol) => `--export=${symbol}`));
    if (!entry.libraries) {
      this.run(this.tools.linker, ['--no-entry', ...flags, ...objects]);
      return output;
    }
    const ask = (question) => this.run(this.tools.clang, ['--target=wasm32-wasi', '-Wno-deprecated', question]).trim();
    const start = ask(`-print-file-name=crt1-${entry.command ? 'command' : 'reactor'}.o`);
    if (!entry.command) flags.push('--entry=_initialize');
    this.run(this.tools.linker, [...flags, start, ...objects, `-L${dirname(start)}`,
      ...entry.libraries.map((library) => `-l${library}`), ask('-print-libgcc-file-name')]);
    return output;
  }

  // Makes what the oracle compares: a link that wasmshare moved (at once, and in two steps), the same objects linked
  // there, and, if those links have no relocations, one there that has.
  move(entry, objects, { offset, tableOffset, before, after }, name) {
    const input = this.link(entry, objects, before, `${name}-input.wasm`);
    const relink = this.link(entry, objects, after, `${name}-relink.wasm`);
    const reference = entry.relocations ? null : this.link(entry, objects, after, `${name}-reference.wasm`, true);
    const relocate = (from, to, by, tableBy, ...flags) => {
      const output = join(this.work, `${name}-${to}.wasm`);
      const said = this.run(this.tools.wasmshare,
        ['relocate', from, '-o', output, '--offset', `${by}`, '--table-offset', `${tableBy}`, ...flags]);
      if (said !== '') throw new Error(`wasmshare is not quiet on success: ${said}`);
      return output;
    };
    const moved = relocate(input, 'moved', offset, tableOffset);
    if (entry.relocations) {
      // In two steps of which the first keeps the relocations, it comes to the same place.
      const [first, tableFirst] = [Math.trunc(offset / 512) * 256, Math.trunc(tableOffset / 3)];
      const halfway = relocate(input, 'halfway', first, tableFirst, '--keep-relocs');
      const arrived = relocate(halfway, 'arrived', offset - first, tableOffset - tableFirst);
      if (!readFileSync(moved).equals(readFileSync(arrived))) throw new Error(`${arrived} is not ${moved}`);
    }
    return { moved, relink, reference };
  }
}

function rustExports() {
  const source = readFileSync(join(here, 'inputs/rust/src/lib.rs'), 'utf8');
  return [...source.matchAll(/extern "C" fn (\w+)/g)].map(([, symbol]) => symbol);
}

// A module of exactly `count` functions, with a pointer, and a .bss that is worth clearing.
function manyFunctions(count) {
  const lines = ['static int bss[100];', 'int *pointer = bss;'];
  for (let i = 0; i < count; ++i) {
    lines.push(`__attribute__((export_name("f${i}"))) int f${i}(int n) { return bss[n] + *pointer + ${i}; }`);
  }
  return lines.join('\n');
}
