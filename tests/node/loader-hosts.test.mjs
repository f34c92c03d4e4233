// layout.mjs in hosts that are neither Node nor a page: Cloudflare's workerd, an AudioWorklet, and what Vite makes of it.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { inBrowser } from './browser.mjs';
import { combine, linkFreestanding, projectDirectory, run, scratchDirectory, tool } from './tools.mjs';

const require = createRequire(join(tool('NODE_MODULES'), 'x'));
const inputs = scratchDirectory('inputs');
// in a cycle, so that JavaScript is in between too
const modules = ['even', 'odd'].map(name =>
  linkFreestanding(join('loader', `${name}.c`), join(inputs, `${name}.wasm`), '-Wl,--allow-undefined'));

async function combined(name, files) {
  const directory = scratchDirectory(name);
  await combine(directory, modules);
  for (const [file, text] of Object.entries(files))
    writeFileSync(join(directory, file), text);
  return directory;
}

// The example of that kind in the documentation.
const documented = (language, has) => {
  const text = readFileSync(join(projectDirectory, 'docs', 'hosts.md'), 'utf8');
  const blocks = [...text.matchAll(/^```(\w+)\n(.*?)^```/gms)].filter(block => block[1] === language && block[2].includes(has));
  assert.equal(blocks.length, 1, `${language} with ${has}`);
  return blocks[0][2];
};

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
