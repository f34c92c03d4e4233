// A directory's page in Chromium: what it leaves in `result` says that nothing was wrong.
import assert from 'node:assert/strict';
import { inBrowser } from '../../../node/browser.mjs';

const result = await inBrowser(process.argv[2], async page => {
  await page.waitForFunction(() => globalThis.result, null, { timeout: 60000 });
  return page.evaluate(() => globalThis.result);
});
assert.deepEqual(result.wrong, []);
console.log('all on one memory, in a browser');
