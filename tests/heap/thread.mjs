// A thread of the heap tests: hammers one module's allocator, and says which blocks are left.

import { parentPort, workerData } from 'node:worker_threads';
import { Hammer } from './hammer.mjs';

const { layout, name, seed, thread } = workerData;
const { instantiate } = await import(layout);
const { memory, instances } = await instantiate({}, { thread });
const hammer = new Hammer(memory, { [name]: instances[name] }, [], seed);
hammer.begin([name]);
hammer.run(2700);
parentPort.postMessage(hammer.blocks.map(({ at, size, pattern }) => ({ at, size, fill: pattern[0] })));
