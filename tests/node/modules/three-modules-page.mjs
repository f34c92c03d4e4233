// In the browser: the three modules of the example, loaded as a page would.

import { instantiate } from './layout.mjs';

const { instances } = await instantiate();
const { common, a, b } = Object.fromEntries(Object.entries(instances).map(([name, { exports }]) => [name, exports]));

const object = common.create_object(1337n);
const before = a.get_value(object);
b.double(object);
export const result = [before, a.get_value(object)].map(String);
