// A page in a browser: Chromium.

import { spawn } from 'node:child_process';
import { copyFileSync, createReadStream, existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { scratchDirectory, testsDirectory, tool } from './tools.mjs';

// Serves `directory` to Chromium, which imports the page's module and sends back what it exports as `result`.
export async function resultInBrowser(directory, page, ...others) {
  const source = file => join(testsDirectory, 'node', 'modules', file);
  for (const file of [page, ...others].filter(file => existsSync(source(file))))
    copyFileSync(source(file), join(directory, file));
  const types = { '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.wasm': 'application/wasm' };
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
        const path = join(directory, new URL(request.url, 'http://localhost').pathname);
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
