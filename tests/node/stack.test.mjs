// Each module keeps a stack of its own, in its own place.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { combine, instantiateAll, linkFreestanding, moduleNamed, scratchDirectory } from './tools.mjs';

const linkedStack = 65536;

for (const order of ['stack-first', 'no-stack-first']) {
  test(`own stacks of modules linked with --${order}`, async t => {
    const directory = scratchDirectory(order);
    const module = linkFreestanding('stack.c', join(directory, 'stack-input.wasm'), `-Wl,--${order}`);

    // Fills all but a little of both modules' stacks, one while the other is done.
    async function useStacks(layout, stackSize) {
      const { left, right } = await instantiateAll(layout);
      const depth = Math.floor(stackSize / 1100) - 1;
      left.fill(111);
      right.fill(222);
      for (const [name, exports] of Object.entries({ left, right })) {
        const { stackLow, stackPointer } = moduleNamed(layout, name);
        assert.equal(stackPointer - stackLow, stackSize);
        const lowest = exports.use_stack(depth);
        assert.ok(lowest >= stackLow && lowest < stackLow + stackSize / 8, `${name} went down to ${lowest}`);
        assert.ok(exports.use_stack(0) >= stackPointer - 4096);
      }
      assert.equal(left.count_changes(111), 0);
      assert.equal(right.count_changes(222), 0);
    }

    await t.test('hold what the linker gave them', async () => {
      await useStacks(await combine(directory, [`left=${module}`, `right=${module}`]), linkedStack);
    });

    await t.test('hold more with --extra-stack', async () => {
      const extra = scratchDirectory(order, 'extra');
      await useStacks(await combine(extra, [`left=${module}`, `right=${module}`], '--extra-stack', '100K'),
        linkedStack + 100 * 1024);
    });
  });
}
