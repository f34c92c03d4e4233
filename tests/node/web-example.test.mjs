// examples/web in Chromium: the three modules work on the same objects, and the page's map of their memory is true.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { serve } from '../../examples/web/serve.mjs';
import { inBrowser } from './browser.mjs';
import { moduleNamed, projectDirectory, run, scratchDirectory, tool } from './tools.mjs';

const directory = scratchDirectory();
run(join(projectDirectory, 'examples', 'web', 'build.sh'), [directory]);
const layout = JSON.parse(readFileSync(join(directory, 'layout.json')));
const [world, shapes, motion] = ['world', 'shapes', 'motion'].map(name => moduleNamed(layout, name));
const hex = (number, digits = 8) => `0x${number.toString(16).padStart(digits, '0')}`;
const inPage = (work, options) => inBrowser(directory, async page => {
  await page.locator('#chain li').nth(5).waitFor(); // it runs
  return work(page);
}, { viewport: { width: 1280, height: 900 }, ...options });

const cellBytes = 16;

async function placeOf(page, address) {
  const { x, y, width, height } = await page.locator('#map').boundingBox();
  const columns = Number(await page.locator('#map').getAttribute('data-columns'));
  const size = await page.evaluate(async () => (await import('/run.mjs')).memory.buffer.byteLength);
  const cell = Math.floor(address / cellBytes);
  return [x + (cell % columns + 0.5) * width / columns,
    y + (Math.floor(cell / columns) + 0.5) * height / (size / cellBytes / columns)];
}

// What the page says about the cell of an address: its address, its bytes, and what is there.
async function pointAt(page, address) {
  await page.mouse.move(...await placeOf(page, address));
  const start = hex(address - address % cellBytes);
  await page.waitForFunction(text => document.getElementById('tip').innerText.startsWith(text), start);
  const [shown, bytes, ...rest] = (await page.locator('#tip').innerText()).split('\n');
  return { start: Number(shown), bytes: Buffer.from(bytes.replace(/ /g, ''), 'hex'), rest };
}

// The rows of "follow a pointer": [what, where as a number, sentence]
async function chain(page) {
  const rows = await page.locator('#chain li').evaluateAll(items =>
    items.map(item => [...item.children].map(({ textContent }) => textContent)));
  return rows.map(([what, at, who]) => [what, Number(at.replace('function ', '')), who]);
}

// The colour in which the map's cell of an address is drawn now.
const colourAt = (page, address) => page.evaluate(([index, cells]) => {
  const map = document.getElementById('map');
  const columns = Number(map.dataset.columns);
  const [width, height] = [map.width / columns, map.height / (cells / columns)];
  const copy = new OffscreenCanvas(1, 1).getContext('2d');
  const [x, y] = [(index % columns + 0.5) * width, (Math.floor(index / columns) + 0.5) * height].map(Math.floor);
  copy.drawImage(map, x, y, 1, 1, 0, 0, 1, 1);
  return [...copy.getImageData(0, 0, 1, 1).data].join();
}, [Math.floor(address / cellBytes), layout.pages * layout.pageSize / cellBytes]);

const frames = (page, number) => page.evaluate(left => new Promise(resolve => {
  const next = () => left-- > 0 ? requestAnimationFrame(next) : resolve();
  next();
}), number);

const bumps = async page => Number(/([\d,]+) bumps/.exec((await chain(page))[5][2])[1].replace(',', ''));
const within = (start, size, at) => at >= start && at < start + size;
const coloursOfMap = page => page.evaluate(() => document.getElementById('map').toDataURL());

test('pointers to objects, vtables and functions cross between the modules', () => inPage(async page => {
  const [kept, object, vtable, method, trail, callback] = await chain(page);
  assert.deepEqual([kept[0], object[0], vtable[0], method[0], callback[0]],
    ['shapes[0]', 'Circle', 'vtable for Circle', 'Circle::reach() const', 'bumped']);
  assert.ok(within(world.dataBase, world.dataEnd - world.dataBase, kept[1]), 'C\'s list lies in C\'s data');
  assert.ok(within(layout.heapBase, layout.heapEnd - layout.heapBase, object[1]), 'the C++ object lies in the heap');
  assert.ok(within(shapes.dataBase, shapes.dataEnd - shapes.dataBase, vtable[1]), 'the vtable lies in C++\'s data');
  assert.ok(within(shapes.tableBase, shapes.tableSize, method[1]), 'the method is in C++\'s range of the table');
  assert.ok(within(layout.heapBase, layout.heapEnd - layout.heapBase, trail[1]), 'Rust\'s trail lies in C\'s heap');
  assert.ok(within(world.tableBase, world.tableSize, callback[1]), 'the callback is in C\'s range of the table');

  // in the memory, too: list -> object -> vtable -> method
  const pointer = async at => (await pointAt(page, at)).bytes.readUInt32LE(at % cellBytes);
  assert.equal(await pointer(kept[1]), object[1]);
  assert.equal(await pointer(object[1]), vtable[1] + 8);
  assert.equal(await pointer(vtable[1] + 8), method[1]);

  // Rust moves what C++ made, and calls C
  const before = await pointAt(page, object[1]);
  const first = await bumps(page);
  await page.waitForFunction(enough => Number(/([\d,]+) bumps/.exec(document.getElementById('chain').textContent)[1]
    .replace(',', '')) > enough, first + 3);
  assert.notDeepEqual((await pointAt(page, object[1])).bytes, before.bytes);
}));

test('the map has every region of the layout, where it is', () => inPage(async page => {
  const shown = await page.locator('#regions li').evaluateAll(items => items.map(item =>
    ({ name: item.querySelector('b').textContent, start: Number(item.dataset.start), end: Number(item.dataset.end),
      range: item.querySelector('span').textContent, top: item.getBoundingClientRect().top })));
  const regions = shown.filter(({ name }) => !name.startsWith('unused'));
  assert.deepEqual(regions.map(({ name, start, end }) => [name, start, end]), [
    ['the stack', layout.stackLow, layout.stackPointer],
    ['world, in C', world.dataBase, world.dataEnd],
    ['shapes, in C++', shapes.dataBase, shapes.dataEnd],
    ['motion, in Rust', motion.dataBase, motion.dataEnd],
    ['the heap', layout.heapBase, layout.heapEnd],
  ]);
  assert.deepEqual(shown.map(({ start }) => start), [0, ...shown.slice(0, -1).map(({ end }) => end)],
    'there are no gaps');
  assert.equal(shown.at(-1).end, layout.pages * layout.pageSize);
  for (const { name, start, end, range } of regions) {
    assert.equal(range, `${hex(start, 5)}–${hex(end, 5)}`);
    for (const address of [start, end - 1]) {
      const { rest, start: cell } = await pointAt(page, address);
      assert.equal(cell, address - address % cellBytes);
      assert.ok(rest.includes(name), `${hex(address)} is said to be in ${rest}`);
    }
  }
  // and the cells are drawn: those of one region alike, those of another otherwise
  const stack = await colourAt(page, layout.stackLow);
  assert.equal(await colourAt(page, layout.stackLow + 4096), stack);
  assert.notEqual(await colourAt(page, layout.heapEnd - 4096), stack);
}));

test('pointing at the map tells the address and the symbol', () => inPage(async page => {
  const [{ name, from, address }] = motion.bindings;
  assert.deepEqual([name, from], ['arena', 'world']);
  const arena = await pointAt(page, address);
  assert.deepEqual([arena.start, ...arena.rest.filter(line => line !== 'unused, for alignment')],
    [address, 'world, in C', 'arena', 'arena is named and used by motion']);
  // what Rust reads there is what the page told C: the width of the stage
  const { width } = await page.locator('#stage').boundingBox();
  assert.equal(arena.bytes.readFloatLE(address % cellBytes), width);

  const [, object, vtable] = await chain(page);
  assert.deepEqual((await pointAt(page, vtable[1])).rest.slice(0, 2), ['shapes, in C++', 'vtable for Circle']);
  assert.deepEqual((await pointAt(page, object[1])).rest.filter(line => line.startsWith('Circle 0')),
    ['vtable', 'x', 'y', 'vx'].map(field => `Circle 0: ${field}`).slice(0, (cellBytes - object[1] % cellBytes) / 4));
  // a symbol of a libc, at its size: malloc's state, which nothing exports
  const [, start] = /^(\w+) \w+ d _gm_$/m.exec(readFileSync(join(directory, 'world.symbols'), 'utf8'));
  assert.ok((await pointAt(page, parseInt(start, 16) + world.offset + cellBytes)).rest[1].startsWith('_gm_ + 0x'));

  await page.mouse.move(0, 0);
  await page.locator('#tip').waitFor({ state: 'hidden' });

  // by the keyboard
  await page.locator('#map').focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await page.waitForFunction(() => document.getElementById('tip').innerText.startsWith('0x00000010'));
}));

test('pointing at the function table tells whose function it is', () => inPage(async page => {
  const { x, y, width, height } = await page.locator('#table').boundingBox();
  const tell = async index => {
    await page.mouse.move(x + (index + 0.5) * width / layout.tableSize, y + height / 2);
    return (await page.locator('#tip').innerText()).split('\n');
  };
  assert.deepEqual(await tell(0), ['function 0', 'null']);
  assert.deepEqual(await tell(world.tableBase),
    [`function ${world.tableBase}`, 'world: a function of the C module', 'bumped']);
  const methods = [];
  for (let i = 0; i < shapes.tableSize; i++) {
    const [, owner, name] = await tell(shapes.tableBase + i);
    assert.equal(owner, 'shapes: a function of the C++ module');
    methods.push(name);
  }
  for (const kind of ['Circle', 'Square', 'Star'])
    assert.ok(methods.includes(`${kind}::outline(float (*) [2]) const`), methods.join());
  const [, owner] = await tell(layout.tableSize - 1);
  assert.equal(owner, 'motion: a function of the Rust module');
}));

test('the map is alive: cells whose bytes change light up, and others do not', () => inPage(async page => {
  const [, object, vtable] = await chain(page);
  const still = [await colourAt(page, vtable[1]), await colourAt(page, layout.stackLow)];
  await page.waitForFunction(() => Number(document.getElementById('changes').textContent) > 100);
  const one = await coloursOfMap(page);
  await frames(page, 5);
  assert.notEqual(await coloursOfMap(page), one);
  assert.deepEqual([await colourAt(page, vtable[1]), await colourAt(page, layout.stackLow)], still);

  // paused, the cells cool down, and nothing changes
  const lit = await colourAt(page, object[1]);
  await page.getByRole('button', { name: 'Pause' }).click();
  await frames(page, 100);
  assert.equal(await page.locator('#changes').textContent(), '0');
  assert.notEqual(await colourAt(page, object[1]), lit);
  const cool = await coloursOfMap(page);
  await frames(page, 5);
  assert.equal(await coloursOfMap(page), cool);

  await page.getByRole('button', { name: 'Run' }).click();
  await page.waitForFunction(() => Number(document.getElementById('changes').textContent) > 100);
}));

test('shapes are made and freed by those who look at the page, and the map grows with the memory', () =>
  inPage(async page => {
    const count = () => page.evaluate(async () => (await import('/run.mjs')).count());
    const press = (name, times) => page.getByRole('button', { name }).evaluate((button, left) => {
      while (left-- > 0)
        button.click();
    }, times);
    const start = await count();
    await page.locator('#stage').click({ position: { x: 3, y: 3 } });
    assert.equal(await count(), start + 1);
    await frames(page, 2);
    assert.equal((await chain(page))[0][0], `shapes[${start}]`, 'the new one is followed');

    await press('Add a shape', 96 - start);
    assert.equal(await count(), 96, 'there is room for no more');
    await frames(page, 2);
    const grown = await page.locator('#regions li', { hasText: 'the heap, grown' }).evaluate(({ dataset }) =>
      [Number(dataset.start), Number(dataset.end)]);
    assert.deepEqual(grown, [layout.heapEnd, layout.heapEnd + layout.pageSize]);
    assert.deepEqual((await pointAt(page, layout.heapEnd)).rest.includes('the heap, grown'), true);

    await press('Free one', 97);
    assert.equal(await count(), 0);
    await frames(page, 2);
    assert.deepEqual(await chain(page), []);
    await press('Add a shape', 1);
    await frames(page, 2);
    assert.equal((await chain(page)).length, 6);
  }));

test('the page is light or dark as the reader has it, and still for those who want no motion', async () => {
  const colours = [];
  for (const colorScheme of ['light', 'dark'])
    await inPage(async page => {
      await frames(page, 2);
      colours.push(await page.evaluate(() => getComputedStyle(document.body).backgroundColor),
        await colourAt(page, layout.stackLow));
      assert.equal(await page.getByRole('button', { name: 'Run' }).count(), 1);
      assert.equal(await page.locator('#changes').textContent(), '0');
    }, { colorScheme, reducedMotion: 'reduce' });
  assert.equal(new Set(colours).size, 4);
});

const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 3 };

test('on a phone, the map has the width of the screen, and the list of regions is below it', () => inPage(async page => {
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 390);
  const [map, table, regions] = await Promise.all(['#map', '#table', '#regions'].map(each => page.locator(each).boundingBox()));
  assert.ok(map.width >= 256, `the map is ${map.width} px wide`);
  assert.ok(map.width / Number(await page.locator('#map').getAttribute('data-columns')) >= 8, 'a cell can be touched');
  assert.ok(table.y >= map.y + map.height && regions.y >= table.y + table.height);
  const items = await page.locator('#regions li:visible').evaluateAll(all => all.map(each => each.getBoundingClientRect().toJSON()));
  assert.equal(items.length, 5);
  for (const [i, a] of items.entries())
    for (const b of items.slice(0, i))
      assert.ok(a.left >= b.right || a.top >= b.bottom, 'regions do not overlap');
}, phone));

test('a finger that touches the map is told what is there, until it touches something else', () => inPage(async page => {
  const tip = page.locator('#tip');
  const touch = async address => {
    await page.locator('#map').scrollIntoViewIfNeeded();
    await frames(page, 3);
    await page.touchscreen.tap(...await placeOf(page, address));
    await page.waitForFunction(text => document.getElementById('tip').innerText.startsWith(text), hex(address - address % cellBytes));
    await frames(page, 5); // it stays
    assert.ok(await tip.isVisible());
    const { x, y, width, height } = await tip.boundingBox();
    assert.ok(x >= 0 && x + width <= 390 && y >= 0 && y + height <= 844, 'all of it is on the screen');
    return (await tip.innerText()).split('\n');
  };
  assert.ok((await touch(world.dataBase)).includes('world, in C'));
  assert.ok((await touch(layout.heapBase + 64)).includes('the heap'));
  await page.locator('#table').scrollIntoViewIfNeeded();
  await frames(page, 3);
  const { x, y, width } = await page.locator('#table').boundingBox();
  await page.touchscreen.tap(x + 1.5 * width / layout.tableSize, y + 4);
  assert.deepEqual((await tip.innerText()).split('\n'), ['function 1', 'world: a function of the C module', 'bumped']);
  await page.locator('#regions').tap();
  await tip.waitFor({ state: 'hidden' });
}, phone));

test('on a laptop, all of it is on the screen', () => inPage(async page => {
  const heights = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.scrollHeight]);
  assert.deepEqual(heights, [1280, 800]);
  const { y, height } = await page.locator('#table').boundingBox();
  assert.ok(y + height < 790);
}, { viewport: { width: 1280, height: 800 } }));

test('on a large screen, the shapes have the room that the map leaves, and are in it', () => inPage(async page => {
  const [stage, map, pointer] = await Promise.all(['#stage', '#memory', '#pointer'].map(each => page.locator(each).boundingBox()));
  assert.ok(stage.height > 300, `${stage.height}`);
  assert.equal(pointer.y + pointer.height, map.y + map.height);
  const shapes = await page.evaluate(async () => {
    const { count, floats, shapeAt } = await import('/run.mjs');
    return Array.from({ length: count() }, (_, i) => [...floats.subarray(shapeAt(i) / 4).subarray(1, 3)]);
  });
  assert.equal(shapes.length, 24);
  for (const [x, y] of shapes)
    assert.ok(x >= 0 && x <= stage.width && y >= 0 && y <= stage.height, `a shape at ${x}, ${y}`);
}, { viewport: { width: 1920, height: 1080 } }));

test('the page shows what was there before, and the command that made it', () => inPage(async page => {
  const before = await page.locator('#before li').evaluateAll(items => items.map(item =>
    [item.querySelector('b').textContent, ...[...item.querySelectorAll('span')].map(({ title }) => title)]));
  const inspected = ['world', 'shapes', 'motion'].map(name =>
    JSON.parse(run(tool('WASMSHARE'), ['inspect', '--json', join(directory, 'unplaced', `${name}.wasm`)]))[0]);
  assert.deepEqual(before, inspected.map(({ stack, data }, i) => [['C', 'C++', 'Rust'][i],
    `${hex(stack.low, 5)}–${hex(stack.pointer, 5)}`, `${hex(data.base, 5)}–${hex(data.end, 5)}`]));
  for (const { stack } of inspected)
    assert.equal(stack.low, 0, 'each at address 0');

  const [program, ...args] = (await page.locator('#command').innerText()).trim().split(/\s+/);
  assert.equal(program, 'wasmshare');
  run(tool('WASMSHARE'), args, { cwd: join(directory, 'unplaced') });
  for (const name of ['world.wasm', 'shapes.wasm', 'motion.wasm', 'layout.json'])
    assert.ok(readFileSync(join(directory, 'unplaced', 'web', name)).equals(readFileSync(join(directory, name))), name);

  for (const href of await page.locator('footer a').evaluateAll(links => links.map(link => link.getAttribute('href'))))
    assert.ok(existsSync(join(directory, href)), href);
}));

test('the server serves what is in its directory, and nothing else', () => inBrowser(directory, async (_, url) => {
  const status = path => new Promise(resolve => get(url, { path }, response => resolve(response.resume().statusCode)));
  assert.equal(await status('/layout.mjs'), 200);
  assert.ok(existsSync(join(directory, '..', 'web-example', 'layout.mjs')));
  for (const path of ['/nothing', '/unplaced', '/../web-example/layout.mjs', '/..%2fweb-example%2flayout.mjs',
    '/%2e%2e/web-example/layout.mjs'])
    assert.equal(await status(path), 404, path);
}));

test('what is served is exactly placed', () => {
  run(tool('WASMSHARE'), ['verify', directory]);
});

test('a port that is taken, or is none, is said in one line', async t => {
  const { url, close } = await serve(directory);
  t.after(close);
  const port = Number(new URL(url).port);
  for (const [given, said] of [[port, `port ${port} is taken: ./run web ${port + 1}\n`],
    ['abc', 'abc is no port: ./run web 8080\n'], [65536, '65536 is no port: ./run web 8080\n']]) {
    const { status, stdout, stderr } = spawnSync(process.execPath,
      [join(projectDirectory, 'examples', 'web', 'serve.mjs'), directory, `${given}`], { encoding: 'utf8' });
    assert.deepEqual([status, stdout, stderr], [1, '', said]);
  }
});
