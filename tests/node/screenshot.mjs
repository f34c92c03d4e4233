// node screenshot.mjs DIRECTORY FILE.png: a picture of the example in a browser, for the README.

import { inBrowser } from './browser.mjs';

const [directory, file] = process.argv.slice(2);
await inBrowser(directory, async page => {
  await page.waitForFunction(() => document.querySelector('#chain').textContent.match(/(\d+) bumps/)?.[1] > 100);
  await page.screenshot({ path: file });
}, { viewport: { width: 1280, height: 800 }, colorScheme: 'dark' });
