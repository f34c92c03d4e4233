// Runs the three modules, and shows the memory that they share.

import { heapBase, heapEnd, instantiate, modules, stackLow, stackPointer } from './layout.mjs';

const $ = id => document.getElementById(id);
const hex = (number, digits = 8) => `0x${number.toString(16).padStart(digits, '0')}`;
const language = { world: 'C', shapes: 'C++', motion: 'Rust' };

// --------------------------------------------------------------------------------------------- the three modules

const compiled = {};
const { memory, table, instances } = await instantiate({}, {
  compile: async ({ name, url }) => (compiled[name] = await WebAssembly.compileStreaming(fetch(url))),
});
const { world, shapes, motion } = Object.fromEntries(
  Object.entries(instances).map(([name, { exports }]) => [name, exports]));

let bytes, words, floats; // the memory
function view() { // again after whatever may let the memory grow
  if (bytes?.buffer !== memory.buffer)
    [bytes, words, floats] = [Uint8Array, Uint32Array, Float32Array].map(Kind => new Kind(memory.buffer));
}
const word = address => words[address / 4];

// The C module's variables
const list = world.shapes.value;
const count = () => word(world.shape_count.value);
const shapeAt = index => word(list + 4 * index);
const onBump = world.on_bump();
const arena = {
  set(width, height) {
    floats.set([width, height], world.arena.value / 4);
  },
  get: () => floats.subarray(world.arena.value / 4, world.arena.value / 4 + 2),
};

let made = 0;
function add(x, y) {
  const [width, height] = arena.get();
  const i = made++;
  const speed = 40 + 30 * (i * 0.618 % 1);
  const size = 9 + 9 * (i * 0.414 % 1);
  // C++ makes the object, in the heap of C, which keeps it; from then on, Rust moves it.
  const shape = shapes.make(i % 3, x ?? size + (width - 2 * size) * (i * 0.618 % 1),
    y ?? size + (height - 2 * size) * (i * 0.755 % 1), speed * Math.cos(2.4 * i), speed * Math.sin(2.4 * i), size);
  if (!world.keep(shape))
    shapes.unmake(shape);
  view();
}

function remove() {
  const shape = world.let_go();
  if (shape) {
    motion.forget(shape);
    shapes.unmake(shape);
  }
}

function step(seconds) {
  motion.step(list, count(), seconds, onBump);
  motion.draw(list, count(), world.outlines.value);
  view();
}

// ------------------------------------------------------------------------------------------------- what is where

const regionsOfLayout = [
  { start: stackLow, end: stackPointer, owner: 'stack', name: 'the stack' },
  ...modules.map(({ name, dataBase, dataEnd }) =>
    ({ start: dataBase, end: dataEnd, owner: name, name: `${name}, in ${language[name]}` })),
  { start: heapBase, end: heapEnd, owner: 'heap', name: 'the heap' },
];

// With what lies between them, and what the memory has grown by.
function allRegions() {
  const regions = [];
  let at = 0;
  for (const region of regionsOfLayout) {
    if (region.start > at)
      regions.push({ start: at, end: region.start, owner: 'unused', name: 'unused, for alignment' });
    regions.push(region);
    at = region.end;
  }
  if (bytes.length > at)
    regions.push({ start: at, end: bytes.length, owner: 'heap', name: 'the heap, grown' });
  return regions;
}

// What llvm-nm said of a module before it was moved: the layout says by how much it was.
async function symbolsOf({ name, offset }) {
  const lines = (await (await fetch(`${name}.symbols`)).text()).split('\n');
  return lines.flatMap(line => {
    const [, address, size, symbol] = /^(\S+) (\S+) [dDvVwW] (.*)$/.exec(line) ?? [];
    const start = parseInt(address, 16) + offset;
    return symbol ? [{ start, end: start + parseInt(size, 16), name: symbol.startsWith('.L') ? 'a constant' : symbol }] : [];
  });
}

// The names of a module's functions by index, from its name section.
function functionNames(module) {
  const names = new Map();
  for (const section of WebAssembly.Module.customSections(module, 'name')) {
    const content = new Uint8Array(section);
    let at = 0;
    const number = () => {
      let value = 0;
      for (let shift = 0; ; shift += 7) {
        const byte = content[at++];
        value |= (byte & 0x7f) << shift;
        if (byte < 0x80)
          return value;
      }
    };
    const text = length => new TextDecoder().decode(content.subarray(at, at += length));
    while (at < content.length) {
      const kind = content[at++];
      const size = number();
      const end = at + size;
      if (kind === 1)
        for (let left = number(); left > 0; left--)
          names.set(number(), text(number()));
      at = end;
    }
  }
  return names;
}

const symbols = (await Promise.all(modules.map(async module => {
  const { dataBase, dataEnd } = module;
  return (await symbolsOf(module)).filter(({ start, end }) => start >= dataBase && start < end && end <= dataEnd);
}))).flat();
const vtables = new Map(symbols.filter(({ name }) => name.startsWith('vtable for ')).map(symbol =>
  [symbol.start + 8, symbol])); // where an object's pointer to it points: after two words
const bindings = modules.flatMap(({ name, bindings: of }) => of.map(binding => ({ ...binding, by: name })));
const functions = modules.flatMap(({ name, tableBase, tableSize }) => {
  const names = functionNames(compiled[name]);
  return Array.from({ length: tableSize }, (_, i) => ({ index: tableBase + i, owner: name,
    name: names.get(Number(table.get(tableBase + i).name))?.replace(/::h[0-9a-f]{16}$/, '') ?? 'a function' }));
});
const functionAt = index => functions.find(entry => entry.index === index);

// The shapes: C++ objects, as body.h says
const fields = ['vtable', 'x', 'y', 'vx', 'vy', 'cos', 'sin', 'spin', 'size', 'glow'];
const outlineWords = 1 + 2 * 32; // of world.c
const trailPoints = 32; // of motion, after the number of points that ever were
const trailSize = 4 + 8 * trailPoints;
const className = shape => vtables.get(word(shape)).name.replace('vtable for ', '');

function objects() {
  return Array.from({ length: count() }, (_, i) => shapeAt(i)).flatMap((shape, i) => [
    { start: shape, end: shape + 4 * fields.length, name: `${className(shape)} ${i}`, fields },
    { start: motion.trail(shape), end: motion.trail(shape) + trailSize, name: `trail of ${className(shape)} ${i}` },
  ]);
}

// What lies at an address: its region, and the object or symbol there.
function describe(address, regions, things) {
  const region = regions.find(({ start, end }) => address >= start && address < end);
  const thing = things.find(({ start, end }) => address >= start && address < end);
  if (!thing)
    return { region, text: region.name };
  const offset = address - thing.start;
  const field = thing.fields?.[offset >> 2];
  return { region, thing, text: field ? `${thing.name}: ${field}` : thing.name + (offset ? ` + ${hex(offset, 0)}` : '') };
}

// ----------------------------------------------------------------------------------------------------- the stage

let colours = {};
function readColours() {
  const style = getComputedStyle(document.documentElement);
  colours = Object.fromEntries(['hot', 'arrow', 'world', 'shapes', 'motion', 'stack', 'heap', 'unused', 'dim', 'full']
    .map(name => [name, style.getPropertyValue(`--${name}`).trim()]));
}

const stage = $('stage');
let selected = 0;

// Sizes a canvas for the screen's pixels, so that one unit is one CSS pixel.
function fit(canvas, width, height) {
  canvas.width = Math.round(width * devicePixelRatio);
  canvas.height = Math.round(height * devicePixelRatio);
  const context = canvas.getContext('2d');
  context.scale(devicePixelRatio, devicePixelRatio);
  return context;
}

function drawStage() {
  const context = stage.getContext('2d');
  context.clearRect(0, 0, stage.clientWidth, stage.clientHeight);
  context.lineCap = context.lineJoin = 'round';
  const all = Array.from({ length: count() }, (_, i) => shapeAt(i));
  const band = 5;
  context.lineWidth = 2;
  context.strokeStyle = colours.motion;
  for (const shape of all) {
    const trail = motion.trail(shape) / 4;
    const latest = words[trail] - 1;
    const point = k => floats.subarray(trail + 1 + 2 * (k % trailPoints), trail + 3 + 2 * (k % trailPoints));
    // the older, the fainter
    for (let age = Math.min(latest, trailPoints - 1); age > 0; age -= band) {
      context.globalAlpha = 0.7 * (1 - (age - 1) / trailPoints);
      context.beginPath();
      for (let k = age; k >= Math.max(age - band, 0); k--)
        context.lineTo(...point(latest - k));
      context.stroke();
    }
  }
  for (const [i, shape] of all.entries()) {
    const outline = world.outlines.value / 4 + i * outlineWords;
    context.beginPath();
    for (let k = 0; k < words[outline]; k++)
      context.lineTo(floats[outline + 1 + 2 * k], floats[outline + 2 + 2 * k]);
    context.closePath();
    context.globalAlpha = 1;
    context.fillStyle = colours.shapes;
    context.fill();
    context.globalAlpha = floats[shape / 4 + fields.indexOf('glow')];
    context.fillStyle = colours.world;
    context.fill();
    if (i === selected) {
      context.globalAlpha = 1;
      context.strokeStyle = colours.arrow;
      context.stroke();
    }
  }
}

function shapeUnder({ offsetX, offsetY }) {
  for (let i = count() - 1; i >= 0; i--) {
    const [x, y] = floats.subarray(shapeAt(i) / 4 + 1);
    if (Math.hypot(x - offsetX, y - offsetY) < floats[shapeAt(i) / 4 + fields.indexOf('size')] + 4)
      return i;
  }
  return -1;
}

// ------------------------------------------------------------------------------------------------------- the map

const map = $('map');
const columns = Number(map.dataset.columns);
const cellBytes = Number(map.dataset.cellBytes);
const mapHeight = 576;
const labelsWidth = 230; // left and right of the map
const tableHeight = 16;
const cooling = 0.93;
let cellWidth, cellHeight, entryWidth; // of the map and the table, in CSS pixels
let regions, regionOfCell, before, heat, used;

// Lays the map out anew: for another size of the page, or of the memory.
function layOut() {
  view();
  readColours();
  fit(stage, stage.clientWidth, stage.clientHeight);
  arena.set(stage.clientWidth, stage.clientHeight);
  const plan = $('plan');
  const rows = Math.ceil(bytes.length / cellBytes / columns);
  // whole pixels of the screen, so that all cells are alike
  const whole = size => Math.max(2, Math.floor(size * devicePixelRatio)) / devicePixelRatio;
  cellWidth = whole((plan.clientWidth - labelsWidth) / columns);
  cellHeight = whole(mapHeight / rows);
  for (const [canvas, height] of [[map, rows * cellHeight], [$('table'), tableHeight]]) {
    canvas.style.width = `${columns * cellWidth}px`;
    canvas.style.height = `${height}px`;
    fit(canvas, columns * cellWidth, height);
  }
  fit($('arrows'), plan.clientWidth, plan.clientHeight);
  entryWidth = columns * cellWidth / table.length;

  regions = allRegions();
  regionOfCell = Array.from({ length: rows * columns }, (_, i) =>
    regions.find(({ start, end }) => i * cellBytes >= start && i * cellBytes < end));
  if (before?.length !== words.length)
    before = words.slice();
  // all are drawn once, and then those that change
  heat = new Float32Array(rows * columns).fill(0.01);
  used = Array.from(heat, (_, i) => isUsed(i));

  const every = rows / 8;
  $('addresses').replaceChildren(...Array.from({ length: 8 }, (_, i) => {
    const label = document.createElement('span');
    label.textContent = hex(i * every * columns * cellBytes, 5);
    label.style.top = `${i * every * cellHeight}px`;
    return label;
  }));
  let free = 0; // below the last label
  $('regions').replaceChildren(...regions.map(({ start, end, owner, name }) => {
    const item = document.createElement('li');
    item.className = owner;
    item.dataset.start = hex(start);
    item.dataset.end = hex(end);
    const title = document.createElement('b');
    title.textContent = name;
    const range = document.createElement('span');
    range.textContent = `${hex(start, 5)}–${hex(end, 5)}`;
    item.append(title, range);
    if (owner !== 'unused') {
      const top = Math.max(free, Math.floor(start / cellBytes / columns) * cellHeight);
      item.style.top = `${top}px`;
      free = top + 36;
    }
    return item;
  }));
  drawTable();
}

function drawTable() {
  const context = $('table').getContext('2d');
  context.clearRect(0, 0, columns * cellWidth, tableHeight);
  for (let i = 0; i < table.length; i++) {
    context.globalAlpha = i === 0 ? 0.3 : 0.75;
    context.fillStyle = colours[functionAt(i)?.owner ?? 'unused'];
    context.fillRect(i * entryWidth, 0, entryWidth - 1, tableHeight);
  }
}

const isUsed = index => words.subarray(index * cellBytes / 4, (index + 1) * cellBytes / 4).some(value => value !== 0);

function drawMap() {
  let changes = 0;
  for (let i = 0; i < words.length; i++) {
    if (words[i] !== before[i]) {
      for (let difference = words[i] ^ before[i]; difference; difference >>>= 8)
        changes += (difference & 0xff) !== 0;
      before[i] = words[i];
      const index = Math.floor(4 * i / cellBytes);
      heat[index] = 1;
      used[index] = isUsed(index);
    }
  }
  const context = map.getContext('2d');
  for (let i = 0; i < heat.length; i++) {
    if (heat[i] === 0)
      continue;
    if (heat[i] < 0.02)
      heat[i] = 0;
    const place = [i % columns * cellWidth, Math.floor(i / columns) * cellHeight];
    const rest = Number(used[i] ? colours.full : colours.dim);
    context.clearRect(...place, cellWidth, cellHeight);
    const paint = (colour, alpha) => {
      context.fillStyle = colour;
      context.globalAlpha = alpha;
      context.fillRect(...place, cellWidth - 1, cellHeight - 1);
    };
    paint(colours[regionOfCell[i].owner], rest + (1 - rest) * Math.min(1, 1.5 * heat[i]));
    paint(colours.hot, 0.45 * heat[i] ** 3);
    heat[i] *= cooling;
  }
  $('changes').textContent = changes;
}

// -------------------------------------------------------------------------------------------- following a pointer

let pointedAt = null; // in the list below the stage: what to show

// From the list of C to the functions that Rust calls. Places are in the memory (start, end) or in the table (entry).
function chain() {
  if (count() === 0)
    return [];
  selected = Math.min(selected, count() - 1);
  const shape = shapeAt(selected);
  const vtable = vtables.get(word(shape));
  const kind = className(shape);
  const slots = [word(vtable.start + 8), word(vtable.start + 12)];
  const trail = motion.trail(shape);
  return [
    { owner: 'world', what: `shapes[${selected}]`, at: hex(list + 4 * selected, 5), who: 'C keeps a pointer to an object',
      start: list + 4 * selected, end: list + 4 * selected + 4 },
    { owner: 'heap', what: kind, at: hex(shape, 5), who: 'the object, which C++ made in C’s heap',
      start: shape, end: shape + 4 * fields.length },
    { owner: 'shapes', what: `vtable for ${kind}`, at: hex(vtable.start, 5), who: 'starts with a pointer to this table of C++',
      start: vtable.start, end: vtable.end },
    { owner: 'shapes', what: functionAt(slots[0]).name, at: `function ${slots[0]}`,
      who: 'which says what Rust is to call', entry: slots[0] },
    { owner: 'motion', what: 'Trail', at: hex(trail, 5), who: 'where it has been, in a Box of Rust', aside: true,
      start: trail, end: trail + trailSize },
    { owner: 'world', what: functionAt(onBump).name, at: `function ${onBump}`, aside: true, entry: onBump,
      who: `the callback that C gave to Rust: ${word(world.bumps.value).toLocaleString('en')} bumps` },
  ];
}

function drawChain() {
  const links = chain();
  const rows = $('chain');
  while (rows.children.length > links.length)
    rows.lastChild.remove();
  links.forEach(({ owner, what, at, who }, i) => {
    const text = `${what}\n${at}\n${who}`;
    const row = rows.children[i] ?? rows.appendChild(document.createElement('li'));
    if (row.title === text)
      return;
    row.title = text;
    row.className = owner;
    const [name, place, story] = ['b', 'code', 'small'].map(tag => document.createElement(tag));
    [name.textContent, place.textContent, story.textContent] = [what, at, who];
    row.replaceChildren(name, ' ', place, story);
  });

  const context = $('arrows').getContext('2d');
  context.clearRect(0, 0, $('plan').clientWidth, $('plan').clientHeight);
  context.strokeStyle = context.fillStyle = colours.arrow;
  let last = null;
  for (const [i, link] of links.entries()) {
    context.globalAlpha = pointedAt === i ? 1 : link.aside ? 0.45 : 0.9;
    context.lineWidth = pointedAt === i ? 3 : 1.5;
    const boxes = boxesOf(link);
    for (const [x, y, width, height] of boxes)
      context.strokeRect(x - 1.5, y - 1.5, width + 2, height + 2);
    const [x, y, width, height] = boxes[0];
    const middle = [x + width / 2, y + height / 2];
    if (last && !link.aside)
      arrow(context, last, middle);
    last = middle;
  }
}

function boxesOf({ start, end, entry: index }) {
  if (index !== undefined)
    return [[$('table').offsetLeft + index * entryWidth, $('table').offsetTop, entryWidth - 1, tableHeight]];
  const boxes = [];
  const last = Math.ceil(end / cellBytes);
  for (let i = Math.floor(start / cellBytes); i < last;) {
    const upTo = Math.min(last, i - i % columns + columns);
    boxes.push([map.offsetLeft + i % columns * cellWidth, map.offsetTop + Math.floor(i / columns) * cellHeight,
      (upTo - i) * cellWidth, cellHeight]);
    i = upTo;
  }
  return boxes;
}

function arrow(context, [fromX, fromY], [toX, toY]) {
  const [dx, dy] = [toX - fromX, toY - fromY];
  const bend = [fromX + dx / 2 - dy * 0.18, fromY + dy / 2 + dx * 0.18];
  const angle = Math.atan2(toY - bend[1], toX - bend[0]);
  const tip = [toX - 6 * Math.cos(angle), toY - 6 * Math.sin(angle)];
  context.beginPath();
  context.moveTo(fromX, fromY);
  context.quadraticCurveTo(...bend, ...tip);
  context.stroke();
  context.beginPath();
  context.moveTo(...tip);
  for (const side of [-0.45, 0.45])
    context.lineTo(tip[0] - 9 * Math.cos(angle + side), tip[1] - 9 * Math.sin(angle + side));
  context.fill();
}

// ------------------------------------------------------------------------------------------- what is pointed at

function tip(x, y, lines) {
  const box = $('tip');
  box.replaceChildren(...lines.flatMap(([tag, text, owner], i) => {
    const element = document.createElement(tag);
    element.textContent = text;
    element.className = owner ?? '';
    return i === 0 ? [element] : ['\n', element];
  }));
  box.hidden = false;
  box.style.left = `${Math.max(8, Math.min(x + 14, innerWidth - box.offsetWidth - 8))}px`;
  box.style.top = `${y + 14 + box.offsetHeight > innerHeight ? y - 10 - box.offsetHeight : y + 14}px`;
}

let hovered = null; // a cell of the map: kept up to date while it is pointed at
function showCell() {
  const { index, x, y } = hovered;
  const start = index * cellBytes;
  const things = [...objects(), ...symbols];
  const found = [];
  for (let address = start; address < start + cellBytes; address++) {
    const { region, thing, text } = describe(address, regions, things);
    const what = thing?.fields ? text : thing?.name ?? region.name;
    if (found.at(-1)?.what !== what)
      found.push({ what, text, region });
  }
  const used = bindings.filter(({ address }) => address >= start && address < start + cellBytes);
  const values = [...bytes.subarray(start, start + cellBytes)].map(byte => byte.toString(16).padStart(2, '0'));
  tip(x, y, [
    ['span', hex(start)],
    ['i', `${values.slice(0, 8).join(' ')}  ${values.slice(8).join(' ')}`],
    ...found.flatMap(({ text, region }, i) => [
      ...region === found[i - 1]?.region ? [] : [['b', region.name, region.owner]],
      ...text === region.name ? [] : [['span', text]],
    ]),
    ...used.map(({ name, by }) => ['i', `${name} is named and used by ${by}`]),
  ]);
}

map.addEventListener('pointermove', ({ offsetX, offsetY, clientX, clientY }) => {
  const column = Math.min(Math.max(Math.floor(offsetX / cellWidth), 0), columns - 1);
  const index = Math.floor(Math.max(offsetY, 0) / cellHeight) * columns + column;
  hovered = index < heat.length ? { index, x: clientX, y: clientY } : null;
});
map.addEventListener('keydown', event => {
  const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
  if (!by)
    return;
  event.preventDefault();
  const index = Math.min(Math.max((hovered?.index ?? -by) + by, 0), heat.length - 1);
  const { left, top } = map.getBoundingClientRect();
  hovered = { index, x: left + index % columns * cellWidth, y: top + Math.floor(index / columns) * cellHeight };
});
$('table').addEventListener('pointermove', ({ offsetX, clientX, clientY }) => {
  const index = Math.min(Math.max(Math.floor(offsetX / entryWidth), 0), table.length - 1);
  const { owner, name } = functionAt(index) ?? { owner: 'unused', name: 'null' };
  tip(clientX, clientY, [['span', `function ${index}`],
    ...language[owner] ? [['b', `${owner}: a function of the ${language[owner]} module`, owner]] : [], ['span', name]]);
});
for (const element of [map, $('table')])
  for (const event of ['pointerleave', 'blur'])
    element.addEventListener(event, () => {
      hovered = null;
      $('tip').hidden = true;
    });
$('chain').addEventListener('pointermove', ({ target }) => {
  pointedAt = [...$('chain').children].indexOf(target.closest('li'));
});
$('chain').addEventListener('pointerleave', () => {
  pointedAt = null;
});

// --------------------------------------------------------------------------------------------------- the page

stage.addEventListener('click', event => {
  const index = shapeUnder(event);
  if (index < 0)
    add(event.offsetX, event.offsetY);
  selected = index < 0 ? count() - 1 : index;
});
$('add').addEventListener('click', () => add());
$('remove').addEventListener('click', remove);
let paused = matchMedia('(prefers-reduced-motion: reduce)').matches;
const showPaused = () => {
  $('pause').textContent = paused ? 'Run' : 'Pause';
  $('pause').setAttribute('aria-pressed', paused);
};
$('pause').addEventListener('click', () => {
  paused = !paused;
  showPaused();
});

let last = performance.now();
function frame(now) {
  requestAnimationFrame(frame);
  if (!paused)
    step(Math.min(now - last, 50) / 1000);
  last = now;
  if (words.length !== before.length)
    layOut();
  drawStage();
  drawMap();
  drawChain();
  if (hovered)
    showCell();
}

layOut();
for (let i = 0; i < 24; i++)
  add();
step(0);
layOut();
showPaused();
addEventListener('resize', layOut);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', layOut);
requestAnimationFrame(frame);
