// Files in memory, with those functions of Node's fs that wasi.js calls.

export class MemoryFiles {
  constants = { O_RDONLY: 0, O_WRONLY: 1, O_RDWR: 2, O_CREAT: 4, O_EXCL: 8, O_TRUNC: 16 };
  // By path: bytes, of which the first `size` count, or null for a directory.
  #entries = new Map([['/', null]]);
  #open = [];
  #numbers = new Map();

  // A file of these bytes, which are not copied until they are written to; and the directories above it.
  set(path, bytes) {
    const names = normal(path).split('/');
    for (let i = 2; i < names.length; i++) this.#entries.set(names.slice(0, i).join('/'), null);
    this.#entries.set(normal(path), { bytes, size: bytes.length, borrowed: true });
  }
  // The files that were written, by path.
  *written() {
    for (const [path, entry] of this.#entries)
      if (entry && !entry.borrowed) yield [path, entry.bytes.slice(0, entry.size)];
  }

  #find(path) {
    const at = normal(path), entry = this.#entries.get(at);
    if (entry === undefined) fail('ENOENT');
    return [at, entry];
  }
  #stats(path, entry) {
    if (!this.#numbers.has(entry ?? path)) this.#numbers.set(entry ?? path, BigInt(this.#numbers.size + 1));
    const size = BigInt(entry?.size ?? 0), [isFile, isDirectory, no] = [entry !== null, entry === null, false].map((is) => () => is);
    return {
      isFile, isDirectory, isSymbolicLink: no, isCharacterDevice: no, size, dev: 1n, ino: this.#numbers.get(entry ?? path), nlink: 1n,
      atimeNs: 0n, mtimeNs: 0n, ctimeNs: 0n,
    };
  }
  statSync(path, { throwIfNoEntry = true } = {}) {
    if (!throwIfNoEntry && !this.#entries.has(normal(path))) return undefined;
    return this.#stats(...this.#find(path));
  }
  lstatSync(path) {
    return this.statSync(path);
  }
  fstatSync(handle) {
    return this.#stats(null, this.#open[handle]);
  }
  readdirSync(path) {
    const [at] = this.#find(path), start = at === '/' ? at : at + '/';
    return [...this.#entries.keys()].filter((other) => other.startsWith(start) && other !== start)
      .map((other) => other.slice(start.length)).filter((name) => !name.includes('/'));
  }
  realpathSync(path) {
    return this.#find(path)[0];
  }
  readlinkSync(path) {
    this.#find(path);
    fail('EINVAL');
  }

  openSync(path, flags) {
    const { O_WRONLY, O_RDWR, O_CREAT, O_EXCL, O_TRUNC } = this.constants, at = normal(path);
    let entry = this.#entries.get(at);
    if (entry === null) fail('EISDIR');
    if (entry && flags & O_CREAT && flags & O_EXCL) fail('EEXIST');
    if (!entry) {
      if (!(flags & O_CREAT)) fail('ENOENT');
      if (this.#entries.get(normal(at + '/..')) !== null) fail('ENOENT');
      this.#entries.set(at, entry = { bytes: new Uint8Array(), size: 0 });
    } else if (flags & O_TRUNC && flags & (O_WRONLY | O_RDWR)) {
      entry.size = 0;
    }
    return this.#open.push(entry) - 1;
  }
  closeSync(handle) {
    this.#open[handle] = null;
  }
  readSync(handle, to, offset, length, position) {
    const { bytes, size } = this.#open[handle], from = bytes.subarray(position, Math.min(size, position + length));
    to.set(from, offset);
    return from.length;
  }
  writeSync(handle, from, offset, length, position) {
    const entry = this.#open[handle], end = position + length;
    if (end > entry.bytes.length || entry.borrowed) {
      const more = new Uint8Array(Math.max(end, entry.bytes.length * 2, 4096));
      more.set(entry.bytes.subarray(0, entry.size));
      Object.assign(entry, { bytes: more, borrowed: false });
    }
    entry.bytes.set(from.subarray(offset, offset + length), position);
    entry.size = Math.max(entry.size, end);
    return length;
  }

  mkdirSync(path) {
    const at = normal(path);
    if (this.#entries.has(at)) fail('EEXIST');
    if (this.#entries.get(normal(at + '/..')) !== null) fail('ENOENT');
    this.#entries.set(at, null);
  }
  rmdirSync(path) {
    if (this.readdirSync(path).length) fail('ENOTEMPTY');
    this.#entries.delete(normal(path));
  }
  unlinkSync(path) {
    const [at, entry] = this.#find(path);
    if (!entry) fail('EISDIR');
    this.#entries.delete(at);
  }
  renameSync(from, to) {
    const [at, entry] = this.#find(from);
    if (this.#entries.get(normal(to)) === null) fail('EISDIR');
    this.#entries.delete(at);
    this.#entries.set(normal(to), entry);
  }
}

function fail(code) {
  throw Object.assign(new Error(code), { code });
}

// Without '.', '..' and what is doubled.
function normal(path) {
  const names = [];
  for (const name of path.split('/')) {
    if (name === '..') names.pop();
    else if (name && name !== '.') names.push(name);
  }
  return '/' + names.join('/');
}
