// In place of Node's `fs`, for predecessor-readme.mjs in a browser: the files that it reads, which a page has to fetch.

const names = ['./output/common.wasm', './output/a.wasm', './output/b.wasm'];
const files = Object.fromEntries(await Promise.all(names.map(async name =>
  [name, new Uint8Array(await (await fetch(name)).arrayBuffer())])));

export const readFileSync = name => files[name];
