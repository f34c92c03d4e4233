// node serve.mjs DIRECTORY [PORT]
//
// Serves a directory to this machine's browsers, with the headers that a page needs to have shared memory.

import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const types = { '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.css': 'text/css',
  '.wasm': 'application/wasm', '.json': 'application/json' };

// A server that listens: its `url`, and `close()`.
export async function serve(directory, port = 0) {
  const server = createServer(async ({ url }, response) => {
    // A URL's path has no "..", and what is escaped in it stays so.
    const { pathname } = new URL(url, 'http://localhost');
    const path = join(directory, pathname, pathname.endsWith('/') ? 'index.html' : '');
    if (!(await stat(path).catch(() => null))?.isFile())
      return response.writeHead(404).end();
    response.writeHead(200, {
      'Content-Type': types[extname(path)] ?? 'text/plain',
      'Cache-Control': 'no-store',
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Embedder-Policy': 'require-corp',
    });
    createReadStream(path).pipe(response);
  });
  await new Promise((listening, failed) => server.once('error', failed).listen(port, '127.0.0.1', listening));
  return { url: `http://127.0.0.1:${server.address().port}/`, close: () => {
    server.closeAllConnections();
    server.close();
  } };
}

if (resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const [directory, port = '8080'] = process.argv.slice(2);
  const { url } = await serve(directory, Number(port)).catch(error => {
    const known = {
      EADDRINUSE: `port ${port} is taken: ./run web ${Number(port) + 1}`,
      ERR_SOCKET_BAD_PORT: `${port} is no port: ./run web 8080`,
    };
    console.error(known[error.code] ?? error.message);
    process.exit(1);
  });
  console.log(`${url}   (Ctrl+C ends it)`);
}
