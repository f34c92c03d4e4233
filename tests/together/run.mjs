// Modules that were linked apart do what one static link of the same objects does: as modules of one program
// (`combine --link`), and as one file (`combine --single`).
//
//     node run.mjs --wasmshare PATH --clang PATH --clangxx PATH --work DIR PROGRAM.test...
//
// A program is one file, in parts that begin with `//--- NAME`. Before the first part it says what it shows, and how it is
// built:
//
//     // flags: ...    for compiling all of it
//     // linked: ...   for linking each module; libraries are for the static link, too; `linked NAME: ...` for one of them
//     // each: ...     sources that every module is linked with, as it is with a C library of its own; runtime/NAME is here
//     // include: ...  a directory of headers in /usr/include that it uses
//     // only: ...     it is built in this way alone
//     // also: lto     it is built with link-time optimisation, too
//     // own: ...      names that modules have for themselves: the static link gets them with the module's name in front
//     // later: ...    modules that are loaded when run() has returned, before then() is called; they are the last
//
// Each C or C++ source that `each` does not name is a module; `output` is what the program prints, and `[exit N]` if N is not 0.
// It has main(), or else the functions run() and, perhaps, then(). It is built at several levels of optimisation, with modules
// that are stripped of names, and with the modules in the opposite order, where nothing is compared with `output`, since
// constructors then run in that order, too. Exceptions are tried in both encodings, if this Node has both.

import { readFileSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { basename, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { Exit, host } from './host.mjs';

const path = { type: 'string' };
const { values: tools, positionals: files } = parseArgs({
  allowPositionals: true, options: { wasmshare: path, clang: path, clangxx: path, work: path },
});
const legacy = ['-mllvm', '-wasm-use-legacy-eh=1'], exnref = ['-mllvm', '-wasm-use-legacy-eh=0'];
const builds = [
  { name: 'O0', flags: ['-O0', '-g'] },
  { name: 'O2', flags: ['-O2'] },
  { name: 'stripped', flags: ['-Os', '-g'], linked: ['-Wl,--strip-all'] },
  { name: 'opposite', flags: ['-O2'], opposite: true },
  { name: 'lto', flags: ['-O2', '-flto'], lto: true },
  { name: 'exnref', flags: ['-O2'], encoding: exnref },
];
// (module (tag) (func try_table end))
const hasExnref = WebAssembly.validate(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 10, 8, 1, 6, 0,
  0x1f, 0x40, 0, 0x0b, 0x0b]));

function readProgram(file) {
  const [head, ...parts] = readFileSync(file, 'utf8').split(/^\/\/--- /m);
  const listed = key => head.match(new RegExp(`^// ${key}: (.*)`, 'm'))?.[1].split(' ') ?? [];
  const program = { name: basename(file, '.test'), flags: listed('flags'), linked: listed('linked'), each: listed('each'), own: listed('own'),
    also: listed('also'), only: listed('only'), include: listed('include'), later: listed('later'), parts: {} };
  for (const part of parts) {
    const end = part.indexOf('\n');
    program.parts[part.slice(0, end)] = part.slice(end + 1);
  }
  program.sources = Object.keys(program.parts).filter(part => /\.cc?$/.test(part) && !program.each.includes(part));
  program.linkedAlone = name => listed(`linked ${name}`);
  program.hasMain = source => /^int main\(/m.test(program.parts[source]);
  program.throws = program.flags.some(flag => flag.includes('exception') && flag !== '-fno-exceptions');
  program.cxx = program.sources.some(source => source.endsWith('.cc'));
  return program;
}

class Build {
  constructor(program, { name, flags, linked = [], opposite, encoding = legacy }) {
    this.program = program;
    this.linked = linked;
    this.sources = opposite ? program.sources.toReversed() : program.sources;
    this.flags = ['--target=wasm32-wasi', '-Wno-deprecated', '-fvisibility=default', ...flags, ...program.flags,
      ...(program.throws ? encoding : [])];
    this.directory = join(resolve(tools.work), program.name, name);
    if (program.include.length > 0)
      this.flags.push('-isystem', this.directory);
    this.commands = [];
    rmSync(this.directory, { recursive: true, force: true });
    mkdirSync(this.directory, { recursive: true });
    for (const [part, text] of Object.entries(program.parts))
      writeFileSync(this.file(part), text);
    for (const headers of program.include) // alone: the others there are this machine's
      symlinkSync(join('/usr/include', headers), this.file(headers));
  }

  file(name) { return join(this.directory, name); }

  source(name) { return name.startsWith('runtime/') ? join(import.meta.dirname, name) : this.file(name); }

  run(command, ...args) {
    this.commands.push([command, ...args].join(' '));
    execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  }

  compile(source, object, ...more) {
    const [compiler, standard] = source.endsWith('.cc') ? [tools.clangxx, ['-std=c++20']] : [tools.clang, []];
    this.run(compiler, ...this.flags, ...(source.endsWith('.s') ? [] : standard), ...more, '-c', this.source(source), '-o', this.file(object));
    return this.file(object);
  }

  link(output, objects, isProgram, ...more) {
    this.run(this.program.cxx ? tools.clangxx : tools.clang, '--target=wasm32-wasi', '-Wno-deprecated', '--no-wasm-opt',
      ...(isProgram ? [] : ['-mexec-model=reactor']), '-Wl,--export-dynamic', ...more, ...objects, '-o', this.file(output));
    return this.file(output);
  }

  combine(...args) {
    this.run(tools.wasmshare, 'combine', '--host-import', 'env.say', ...args, ...this.modules);
  }

  // The static link, and the modules.
  make() {
    const { linked, linkedAlone, each, own, hasMain } = this.program;
    const library = each.map(source => this.compile(source, `${basename(source)}.o`));
    const name = source => source.replace(/\.cc?$/, '');
    const objects = this.sources.map(source => this.compile(source, `${name(source)}.o`));
    const renamed = own.length === 0 ? objects : this.sources.map(source =>
      this.compile(source, `${name(source)}-renamed.o`, ...own.map(word => `-D${word}=${name(source)}_${word}`)));
    this.static = this.link('static.wasm', [...renamed, ...library], this.sources.some(hasMain), '-Wl,--allow-undefined',
      ...[linked, ...this.sources.map(source => linkedAlone(name(source)))].flat().filter(flag => flag.startsWith('-l')));
    this.modules = this.sources.map((source, i) => this.link(`${name(source)}.wasm`, [objects[i], ...library],
      hasMain(source), '-Wl,--emit-relocs,--import-memory,--allow-undefined', ...linked, ...linkedAlone(name(source)), ...this.linked));
  }

  // What each way of linking does: the text that it prints.
  async outputs() {
    this.make();
    this.combine('--single', this.file('single.wasm'));
    this.combine('--link', '-o', this.file('linked'));
    this.run(tools.wasmshare, 'verify', this.file('linked'));
    return {
      static: await runModule(this.static),
      link: await runLayout(this.file('linked'), this.program.later),
      single: await runModule(this.file('single.wasm')),
    };
  }
}

async function steps(output, exported, load = () => {}) {
  try {
    if (exported('_start')) {
      exported('_start')();
    } else {
      exported('run')();
      await load();
      exported('then')?.();
    }
  } catch (error) {
    if (!(error instanceof Exit))
      throw error;
    output.push(`[exit ${error.code}]\n`);
  }
  return output.join('');
}

async function runModule(file) {
  const { imports, output, use } = host();
  const { instance: { exports } } = await WebAssembly.instantiate(readFileSync(file), imports);
  use(exports.memory);
  exports._initialize?.();
  return steps(output, name => exports[name]);
}

async function runLayout(directory, later) {
  const { createMemory, instantiate, modules } = await import(pathToFileURL(join(directory, 'layout.mjs')));
  const { imports, output, use } = host(), memory = createMemory();
  use(memory);
  const now = modules.map(({ name }) => name).filter(name => !later.includes(name));
  const { instances, load } = await instantiate(imports, { memory, modules: now });
  const exported = name => Object.values(instances).map(({ exports }) => exports[name]).find(Boolean);
  return steps(output, exported, () => Promise.all(later.map(name => load(name))));
}

async function examine(program, how) {
  const build = new Build(program, how);
  try {
    const outputs = await build.outputs();
    const { output } = program.parts;
    const wrong = Object.entries(outputs).filter(([, text]) => text !== outputs.static);
    if (!how.opposite && outputs.static !== output)
      wrong.unshift(['static', outputs.static], ['expected', output]);
    if (wrong.length === 0)
      return true;
    for (const [way, text] of [...(wrong[0][0] === 'static' ? [] : [['static', outputs.static]]), ...wrong])
      console.error(`${program.name} ${how.name}, ${way}:\n${text.replace(/^/gm, '  ')}`);
  } catch (error) {
    console.error(`${program.name} ${how.name}: ${error.stderr || error.stack}`);
  }
  for (const command of build.commands)
    console.error(`  $ ${command}`);
  return false;
}

// Whether a program is built so.
function applies(program, { name, opposite, lto, encoding }) {
  if (program.only.length > 0)
    return program.only.includes(name);
  return (!opposite || program.later.length === 0) && (!lto || program.also.includes('lto')) && (!encoding || (program.throws && hasExnref));
}

let ok = true;
for (const file of files) {
  const program = readProgram(file);
  for (const how of builds.filter(how => applies(program, how)))
    ok = await examine(program, how) && ok;
}
process.exitCode = ok ? 0 : 1;
