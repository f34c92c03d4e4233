// In a browser (Chromium): modules are placed as a page loads them.

import assert from 'node:assert/strict';
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { inBrowser } from './browser.mjs';
import { projectDirectory, run, scratchDirectory, testsDirectory } from './tools.mjs';

const directory = scratchDirectory('example');
run(join(projectDirectory, 'examples', 'load-time', 'build.sh'), [directory]);

test('the example: two modules at the start, and one more while they run', async () => {
  const [first, second] = await inBrowser(directory, async page => {
    await page.locator('li').first().waitFor(); // until then nobody listens to the button
    await page.click('button');
    return page.locator('li').nth(1).waitFor().then(() => page.locator('li').allTextContents());
  });
  assert.equal(first, '1337');
  assert.match(second, /^2674, doubled by a module at \d+$/);
});

test('the example of the predecessor\'s README runs with another import', async () => {
  const served = scratchDirectory('predecessor');
  const copy = (from, to) => cpSync(from, join(served, to), { recursive: true });
  copy(join(testsDirectory, 'node', 'modules', 'predecessor-readme.mjs'), 'readme.mjs');
  copy(join(testsDirectory, 'node', 'modules', 'predecessor-fs.mjs'), 'fs.mjs');
  copy(join(projectDirectory, 'js'), 'wasmshare');
  for (const name of ['common', 'a', 'b'])
    copy(join(directory, `${name}.wasm`), join('output', `${name}.wasm`));
  writeFileSync(join(served, 'index.html'), `<!doctype html><link rel="icon" href="data:,">
    <script type="importmap">{ "imports": { "fs": "./fs.mjs", "wasmshare": "./wasmshare/index.js" } }</script>`);
  const said = await inBrowser(served, page => page.evaluate(async () => {
    const numbers = [];
    console.log = number => numbers.push(String(number));
    await import('/readme.mjs');
    return numbers;
  }));
  assert.deepEqual(said, ['1337', '2674']);
});
