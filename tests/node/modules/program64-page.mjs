// In the browser: two 64-bit modules of one program.

import { instantiate } from './layout.mjs';

const { instances } = await instantiate();
export const result = [0, 1, 2, 3, 4].map(which => String(instances.first.exports.run(which)));
