// The npm package on any system, without a compiler: node smoke.mjs DIRECTORY-OF-THE-TARBALL. It is installed, and combines a
// module, given by relative and absolute paths, as this system writes them.

import assert from 'node:assert/strict';
import { execSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

// static int words[3] = {10, 20, 30}; int get(int i) { return words[i]; } as clang links it with --emit-relocs --import-memory
const linked = Buffer.from('AGFzbQEAAAABBgFgAX8BfwIPAQNlbnYGbWVtb3J5AgACAwIBAAQFAXABAQEGCAF/AUGAgAQLBwcBA2dldAAAChMBEQAgAEECdEGAgISAAGooAgALCxQBAEGAgAQLDAoAAAAUAAAAHgAAAABJB2xpbmtpbmcCCDEDAKQBAANnZXQFBAAZX19pbmRpcmVjdF9mdW5jdGlvbl90YWJsZQECBXdvcmRzAAAMBQsBBy5yb2RhdGECAAARCnJlbG9jLkNPREUGAQQJAgAAOgRuYW1lAAsKc21va2Uud2FzbQEGAQADZ2V0BxIBAA9fX3N0YWNrX3BvaW50ZXIJCgEABy5yb2RhdGEAOQlwcm9kdWNlcnMBDHByb2Nlc3NlZC1ieQEMRGViaWFuIGNsYW5nEjIyLjEuOCAoMX5kZWIxMnUxKQCUAQ90YXJnZXRfZmVhdHVyZXMIKwtidWxrLW1lbW9yeSsPYnVsay1tZW1vcnktb3B0KxZjYWxsLWluZGlyZWN0LW92ZXJsb25nKwptdWx0aXZhbHVlKw9tdXRhYmxlLWdsb2JhbHMrE25vbnRyYXBwaW5nLWZwdG9pbnQrD3JlZmVyZW5jZS10eXBlcysIc2lnbi1leHQ=', 'base64');

const from = resolve(process.argv[2]), tarball = join(from, readdirSync(from).find(name => name.endsWith('.tgz')));
const work = mkdtempSync(join(tmpdir(), 'wasmshare-'));
const sh = command => execSync(command, { cwd: work, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
try {
  writeFileSync(join(work, 'package.json'), '{}');
  sh(`npm install --offline --no-audit --no-fund "${tarball}"`);
  writeFileSync(join(work, 'words.wasm'), linked);
  const absolute = join(work, 'absolute');
  sh(`npx --offline wasmshare combine -o ${join('relative', 'placed')} ${join('.', 'words.wasm')} again=${join(work, 'words.wasm')}`);
  sh(`npx --offline wasmshare combine -o "${absolute}" "${join(work, 'words.wasm')}" again=words.wasm`);
  for (const name of ['layout.json', 'layout.mjs', 'words.wasm', 'again.wasm'])
    assert.deepEqual(readFileSync(join(absolute, name)), readFileSync(join(work, 'relative', 'placed', name)), name);
  sh(`npx --offline wasmshare verify "${absolute}"`);
  sh(`npx --offline wasmshare combine --single "${join(work, 'one.wasm')}" -o ${join('relative', 'one')} words.wasm`);
  assert.equal(JSON.parse(readFileSync(join(work, 'relative', 'one', 'layout.json'))).single.file, '../../one.wasm');
  assert.throws(() => sh('npx --offline wasmshare combine missing.wasm'), ({ stderr }) =>
    /^wasmshare: error: missing\.wasm: cannot open: No such file or directory\r?\n$/.test(stderr));
  const { instantiate } = await import(pathToFileURL(join(absolute, 'layout.mjs')));
  const { instances: { words, again } } = await instantiate();
  assert.deepEqual([words.exports.get(0), again.exports.get(2)], [10, 30]);
  const full = await import(pathToFileURL(join(work, 'node_modules', 'wasmshare', 'full-node.js')));
  assert.equal((await full.combine([linked])).modules.length, 1);
} finally {
  rmSync(work, { recursive: true, force: true });
}
