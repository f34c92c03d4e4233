// Shows the shapes, and the memory that they and the three modules are in.

import { add, bytes, count, fitArena, floats, list, motion, onBump, remove, shapeAt, step, table, word, words,
  world } from './run.mjs';
import { allRegions, bindings, className, command, describe, fields, functionAt, hex, language, linked, objects,
  outlineWords, symbols, trailPoints, trailSize, vtableOf } from './where.mjs';

const $ = id => document.getElementById(id);

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
const cellBytes = Number(map.dataset.cellBytes);
const wide = matchMedia('(min-width: 901px)'); // as in style.css: the regions are listed beside the map
const labelsWidth = 160;
const tableHeight = 16;
const cooling = 0.93;
let columns; // fewer on a narrow screen, so that a cell can be seen and touched
let cellWidth, cellHeight, entryWidth; // of the map and the table, in CSS pixels
let regions, regionOfCell, before, heat, used;

// The stage is as high as the map and the pointer's list leave it.
function layOutStage() {
  fit(stage, stage.clientWidth, stage.clientHeight);
  fitArena(stage.clientWidth, stage.clientHeight);
}

// Lays the map out anew: for another size of the page, or of the memory.
function layOut() {
  readColours();
  const plan = $('plan');
  columns = map.dataset.columns = plan.clientWidth < 560 ? 32 : 64;
  const rows = Math.ceil(bytes.length / cellBytes / columns);
  // as high as there is room for on the screen, with what is below it
  const below = 65 + document.querySelector('footer').clientHeight; // the table, margins, the last line
  const room = innerHeight - plan.getBoundingClientRect().top - scrollY - below;
  const mapHeight = wide.matches ? Math.min(Math.max(room, 384), 768) : 576;
  // whole pixels of the screen, so that all cells are alike
  const whole = size => Math.max(2, Math.floor(size * devicePixelRatio)) / devicePixelRatio;
  const beside = $('addresses').clientWidth + (wide.matches ? labelsWidth : 8);
  cellWidth = whole((plan.clientWidth - beside) / columns);
  cellHeight = whole(mapHeight / rows);
  for (const [canvas, height] of [[map, rows * cellHeight], [$('table'), tableHeight]]) {
    canvas.style.width = `${columns * cellWidth}px`;
    canvas.style.height = `${height}px`;
    fit(canvas, columns * cellWidth, height);
  }
  fit($('arrows'), plan.clientWidth, plan.clientHeight);
  layOutStage();
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
    if (owner !== 'unused' && wide.matches) {
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
  const vtable = vtableOf(shape);
  const kind = className(shape);
  const reach = word(vtable.start + 8); // its first function
  const trail = motion.trail(shape);
  return [
    { owner: 'world', what: `shapes[${selected}]`, at: hex(list + 4 * selected, 5),
      who: 'C keeps a pointer to an object', start: list + 4 * selected, end: list + 4 * selected + 4 },
    { owner: 'heap', what: kind, at: hex(shape, 5),
      who: 'the object, which C++ made in C’s heap', start: shape, end: shape + 4 * fields.length },
    { owner: 'shapes', what: `vtable for ${kind}`, at: hex(vtable.start, 5),
      who: 'starts with a pointer to this table of C++', start: vtable.start, end: vtable.end },
    { owner: 'shapes', what: functionAt(reach).name, at: `function ${reach}`,
      who: 'which says what Rust is to call', entry: reach },
    { owner: 'motion', what: 'Trail', at: hex(trail, 5),
      who: 'where it has been, in a Box of Rust', start: trail, end: trail + trailSize, aside: true },
    { owner: 'world', what: functionAt(onBump).name, at: `function ${onBump}`,
      who: `the callback that C gave to Rust: ${word(world.bumps.value).toLocaleString('en')} bumps`,
      entry: onBump, aside: true },
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
    if (row.dataset.text === text)
      return;
    row.dataset.text = text;
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
  const users = bindings.filter(({ address }) => address >= start && address < start + cellBytes);
  const values = [...bytes.subarray(start, start + cellBytes)].map(byte => byte.toString(16).padStart(2, '0'));
  tip(x, y, [
    ['span', hex(start)],
    ['i', `${values.slice(0, 8).join(' ')}  ${values.slice(8).join(' ')}`],
    ...found.flatMap(({ text, region }, i) => [
      ...region === found[i - 1]?.region ? [] : [['b', region.name, region.owner]],
      ...text === region.name ? [] : [['span', text]],
    ]),
    ...users.map(({ name, by }) => ['i', `${name} is named and used by ${by}`]),
  ]);
}

// A mouse points when it moves, a finger when it touches: what it touched is told until it touches something else.
function onPoint(element, point) {
  for (const event of ['pointerdown', 'pointermove'])
    element.addEventListener(event, point);
}
function endPointing() {
  hovered = null;
  $('tip').hidden = true;
}

onPoint(map, ({ offsetX, offsetY, clientX, clientY }) => {
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
onPoint($('table'), ({ offsetX, clientX, clientY }) => {
  hovered = null;
  const index = Math.min(Math.max(Math.floor(offsetX / entryWidth), 0), table.length - 1);
  const { owner, name } = functionAt(index) ?? { owner: 'unused', name: 'null' };
  tip(clientX, clientY, [['span', `function ${index}`],
    ...language[owner] ? [['b', `${owner}: a function of the ${language[owner]} module`, owner]] : [], ['span', name]]);
});
for (const element of [map, $('table')]) {
  element.addEventListener('blur', endPointing);
  element.addEventListener('pointerleave', ({ pointerType }) => {
    if (pointerType !== 'touch')
      endPointing();
  });
}
addEventListener('pointerdown', ({ target }) => {
  if (target !== map && target !== $('table'))
    endPointing();
});
addEventListener('scroll', endPointing); // what was pointed at has moved away
onPoint($('chain'), ({ target }) => {
  pointedAt = [...$('chain').children].indexOf(target.closest('li'));
});
$('chain').addEventListener('pointerleave', ({ pointerType }) => {
  if (pointerType !== 'touch')
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
    layOut(); // the memory has grown
  drawStage();
  drawMap();
  drawChain();
  if (hovered)
    showCell();
}

// Before: the stack and the data of each module, as linked. Widths grow with the logarithm of the size.
$('command').firstChild.replaceChildren(...command.split(' ').flatMap(word => {
  const whole = document.createElement('span'); // which is not broken at its hyphens
  whole.textContent = word;
  return [whole, ' '];
}));
$('before').replaceChildren(...linked.map(({ name, stack, data }) => {
  const row = document.createElement('li');
  row.className = name;
  const title = document.createElement('b');
  title.textContent = language[name];
  row.append(title, ...[['stack', stack.low, stack.pointer], ['data', data.base, data.end]].map(([what, start, end]) => {
    const box = document.createElement('span');
    box.className = what;
    box.style.flexGrow = Math.log2(end - start);
    box.title = `${hex(start, 5)}–${hex(end, 5)}`;
    box.textContent = `${hex(start, 5)} ${what}`;
    return box;
  }));
  return row;
}));

layOut();
add();
drawChain(); // now it is as high as it will be, and so is the stage
layOut();
for (let i = 1; i < 24; i++)
  add();
layOut();
showPaused();
new ResizeObserver(layOut).observe(document.querySelector('header'));
new ResizeObserver(layOutStage).observe(stage);
addEventListener('resize', layOut);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', layOut);
requestAnimationFrame(frame);
