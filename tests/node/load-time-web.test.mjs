// In a browser (Chromium): modules are placed as a page loads them.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { inBrowser, resultInBrowser } from './browser.mjs';
import { projectDirectory, run, scratchDirectory } from './tools.mjs';

const directory = scratchDirectory();
run(join(projectDirectory, 'examples', 'load-time', 'build.sh'), [directory]);

test('the example: two modules at the start, and one more while they run', async () => {
  const [first, second] = await inBrowser(directory, async page => {
    await page.click('button');
    return page.locator('li').nth(1).waitFor().then(() => page.locator('li').allTextContents());
  });
  assert.equal(first, '1337');
  assert.match(second, /^2674, doubled by a module at \d+$/);
});

test('the example of the predecessor runs with another import', async () => {
  assert.deepEqual(await resultInBrowser(directory, 'predecessor-page.mjs'), ['1337', '2674']);
});
