// The page of examples/front-end, used.
import assert from 'node:assert/strict';
import { inBrowser } from '../../../node/browser.mjs';

await inBrowser(process.argv[2], async page => {
  const add = async text => {
    await page.fill('#text', text);
    await page.press('#text', 'Enter');
  };
  await page.waitForFunction(() => document.getElementById('count').textContent);
  await page.waitForLoadState('networkidle');
  await add('Buy bread and butter');
  await add('Bread rises');
  await page.waitForFunction(() => document.getElementById('count').textContent === '2 notes, 5 words');
  await page.fill('#query', 'bre');
  assert.deepEqual(await page.locator('li').allTextContents(), ['Buy bread and butter', 'Bread rises']);
  await page.fill('#query', 'bread bu');
  assert.deepEqual(await page.locator('li').allTextContents(), ['Buy bread and butter']);
  console.log('found');
});
