// A directory's page in headless Chromium.

import assert from 'node:assert/strict';
import { pathToFileURL } from 'node:url';
import { serve } from '../../examples/web/serve.mjs';
import { tool } from './tools.mjs';

// Gives `work` the page, and returns what it returns. What the page complains of in its console is an error.
export async function inBrowser(directory, work, options = {}) {
  const { chromium } = await import(pathToFileURL(tool('PLAYWRIGHT')));
  const server = await serve(directory);
  const browser = await chromium.launch({ executablePath: tool('CHROMIUM') });
  try {
    const page = await browser.newPage(options);
    const complaints = [];
    page.on('pageerror', error => complaints.push(error.stack));
    page.on('console', message => {
      if (['error', 'warning'].includes(message.type()))
        complaints.push(`${message.text()} (${message.location().url})`);
    });
    await page.goto(server.url);
    const result = await work(page, server.url);
    assert.deepEqual(complaints, []);
    return result;
  } finally {
    await browser.close();
    server.close();
  }
}
