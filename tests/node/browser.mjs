// A directory's page in headless Chromium.

import assert from 'node:assert/strict';
import { copyFileSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { serve } from '../../examples/web/serve.mjs';
import { testsDirectory, tool } from './tools.mjs';

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

// What a script of tests/node/modules, put into the directory with others that it needs, exports as `result`.
export async function resultInBrowser(directory, script, ...others) {
  for (const file of [script, ...others])
    copyFileSync(join(testsDirectory, 'node', 'modules', file), join(directory, file));
  if (!existsSync(join(directory, 'index.html')))
    writeFileSync(join(directory, 'index.html'), '<!doctype html><link rel="icon" href="data:,">');
  return inBrowser(directory, page => page.evaluate(async url => (await import(url)).result, `/${script}`));
}
