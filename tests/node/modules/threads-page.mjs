// In the browser: four Web Workers.

import { runFourThreads } from './four-threads.mjs';

export const result = await runFourThreads(new URL('layout.mjs', import.meta.url).href, message =>
  new Promise((resolve, reject) => {
    const worker = new Worker('thread-worker.mjs', { type: 'module' });
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message: text }) => reject(new Error(text));
    worker.postMessage(message);
  }));
