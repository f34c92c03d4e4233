// In a browser (Chromium): layout.mjs loads the placed modules there, and 64-bit memories work, which Node 18 and 20
// cannot show.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { copyFileSync, createReadStream, existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { basename, extname, join } from 'node:path';
import { test } from 'node:test';
import { expected } from './modules/four-threads.mjs';
import { combine, linkFreestanding, linkThreads, projectDirectory, run, scratchDirectory, testsDirectory,
  tool } from './tools.mjs';

// Serves `directory` to Chromium, which imports the page's module and sends back what it exports as `result`.
async function resultInBrowser(directory, page, ...others) {
  for (const file of [page, ...others])
    copyFileSync(join(testsDirectory, 'node', 'modules', file), join(directory, file));
  const types = { '.mjs': 'text/javascript', '.wasm': 'application/wasm' };
  const document = `<!doctype html><script type="module">
    const report = text => fetch('/report', { method: 'POST', body: text });
    import('./${page}').then(({ result }) => report(JSON.stringify({ result })),
      error => report(JSON.stringify({ error: String(error) })));
  </script>`;

  let browser;
  const server = createServer();
  try {
    return await new Promise((resolve, reject) => {
      server.on('request', async (request, response) => {
        const path = join(directory, basename(request.url));
        // Shared memory is for pages that are isolated from others.
        response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
        response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
        if (request.url === '/report') {
          let body = '';
          for await (const chunk of request)
            body += chunk;
          response.end();
          const { result, error } = JSON.parse(body);
          return error ? reject(new Error(`in the browser: ${error}`)) : resolve(result);
        }
        if (request.url === '/')
          return response.setHeader('Content-Type', 'text/html').end(document);
        if (!existsSync(path)) {
          response.statusCode = 404;
          return response.end();
        }
        createReadStream(path).pipe(response.setHeader('Content-Type', types[extname(path)] ?? 'text/plain'));
      });
      server.listen(0, '127.0.0.1', () => {
        // --no-sandbox: containers and root, where CI runs, cannot have one; the page is our own
        browser = spawn(tool('CHROMIUM'), ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run',
          '--disable-background-networking', '--disable-component-update',
          `--user-data-dir=${scratchDirectory('profile')}`, `http://127.0.0.1:${server.address().port}/`],
          { stdio: 'ignore' });
        browser.once('error', reject);
        browser.once('exit', code => reject(new Error(`the browser ended with ${code} before it reported`)));
      });
    });
  } finally {
    browser?.removeAllListeners('exit');
    browser?.kill();
    server.closeAllConnections();
    server.close();
  }
}

test('the three modules run in a browser, loaded through layout.mjs', async () => {
  const directory = scratchDirectory('three-modules');
  run(join(projectDirectory, 'examples', 'three-modules', 'build.sh'), ['c', directory]);
  assert.deepEqual(await resultInBrowser(directory, 'three-modules-page.mjs'), ['1337', '2674']);
});

test('64-bit modules run in one 64-bit memory', async () => {
  const directory = scratchDirectory('memory64');
  const module = linkFreestanding('pointers64.c', join(directory, 'pointers64-input.wasm'), '--target=wasm64');
  await combine(directory, [`left=${module}`, `right=${module}`]);
  const copy = (name, stored) => ({ name, inside: true, sum: String(500 + stored), stored: String(stored),
    distance: '3', applied: ['42', '144'] });
  assert.deepEqual(await resultInBrowser(directory, 'memory64-page.mjs'),
    { memory64: true, heapBase: 'bigint', copies: [copy('left', 1000), copy('right', 2000)] });
});

test('four workers, each with a stack and thread-local variables that the loader hands out', async () => {
  const directory = scratchDirectory('threads');
  const module = linkThreads(join(directory, 'threads-input.wasm'));
  await combine(directory, [`left=${module}`, `right=${module}`], '--stack=shared', '--threads', '4');
  assert.deepEqual(await resultInBrowser(directory, 'threads-page.mjs', 'four-threads.mjs', 'thread-worker.mjs'),
    expected);
});
