// Runs the command, which is compiled for WASI (wasmshare.wasm), on the files of Node or on files in memory: the part of WASI
// that it uses. https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md

// What Node calls an error, as WASI numbers it.
const ERRNO = {
  E2BIG: 1, EACCES: 2, EAGAIN: 6, EBADF: 8, EBUSY: 10, EDQUOT: 19, EEXIST: 20, EFBIG: 22, EINTR: 27, EINVAL: 28, EIO: 29,
  EISDIR: 31, ELOOP: 32, EMFILE: 33, ENAMETOOLONG: 37, ENFILE: 41, ENODEV: 43, ENOENT: 44, ENOMEM: 48, ENOSPC: 51, ENOSYS: 52,
  ENOTDIR: 54, ENOTEMPTY: 55, ENXIO: 60, EPERM: 63, EPIPE: 64, EROFS: 69, ESPIPE: 70, ETXTBSY: 74, EXDEV: 75,
};
const UNKNOWN = 0, CHARACTER_DEVICE = 2, DIRECTORY = 3, REGULAR_FILE = 4, SYMBOLIC_LINK = 7;
const RIGHT_READ = 2n, RIGHT_SEEK = 4n, RIGHT_TELL = 32n, RIGHT_WRITE = 64n, ALL_RIGHTS = (1n << 29n) - 1n;
const OPEN_CREATE = 1, OPEN_DIRECTORY = 2, OPEN_EXCLUSIVE = 4, OPEN_TRUNCATE = 8, NONBLOCKING = 4;
const FOLLOW_LINKS = 1, ROOT = 3;

class Exit extends Error {
  constructor(status) {
    super(`exit status ${status}`);
    this.status = status;
  }
}

function typeOf(stats) {
  if (stats.isFile()) return REGULAR_FILE;
  if (stats.isDirectory()) return DIRECTORY;
  if (stats.isSymbolicLink()) return SYMBOLIC_LINK;
  return stats.isCharacterDevice() ? CHARACTER_DEVICE : UNKNOWN;
}

// A path, from the root on, as Windows writes it: in front of a drive's letter can be the directory that it was relative to,
// and what has none is of the network.
export function windowsPath(path) {
  return path.replace(/^(?:.*\/)?(?=[A-Za-z]:(?:\/|$))|^(?![A-Za-z]:)/, (before, at) => (/[A-Za-z]:(?:\/|$)/.test(path) ? '' : '//'));
}

// A function that demangles a name: bytes of bytes, none if it is not mangled.
function startDemangling(module) {
  // what it imports would print why it gives up
  const nothing = new Proxy({}, { get: () => () => 0 });
  const { allocate, demangle, memory, _initialize } = new WebAssembly.Instance(module, { wasi_snapshot_preview1: nothing }).exports;
  _initialize();
  return (name) => {
    const at = allocate(name.length + 1);
    new Uint8Array(memory.buffer, at, name.length + 1).set([...name, 0]);
    const from = demangle(at), all = new Uint8Array(memory.buffer);
    return from ? all.slice(from, all.indexOf(0, from)) : new Uint8Array();
  };
}

// The file that has the command with these arguments: whole.wasm has all of it, and wasmshare.wasm all but verify, --env, --keep-relocs,
// --link, --single and --map, which other options do not begin like. They can be shortened.
export const fileFor = (args) => (args.some((arg) => /^(--(en|k|l|si|map)|verify$)/.test(arg)) ? 'whole.wasm' : 'wasmshare.wasm');

// Instantiates the module and runs it to its end; returns its exit status. `fs` is Node's, or has its functions; `write` takes
// what goes to standard output (1) and error (2). `toPath` makes a path of `fs` of one that begins at the root, without a '/'.
// `demangler` gives demangle.wasm, compiled, when it is needed.
export function run(module, { args, directory, fs, write, demangler, toPath = (path) => '/' + path }) {
  const { constants } = fs, encoder = new TextEncoder(), decoder = new TextDecoder();
  const strings = (texts) => texts.map((text) => encoder.encode(text + '\0'));
  const lists = { args: strings(args), environ: strings([`PWD=${directory}`]) };
  // What is open: `handle` is a descriptor of fs, and `position` is where a file is read and written.
  const open = [{ type: UNKNOWN }, { type: UNKNOWN }, { type: UNKNOWN }, { type: DIRECTORY, path: '' }];
  let memory;
  const view = () => new DataView(memory.buffer);
  const bytes = (at, size) => new Uint8Array(memory.buffer, at, size);
  const path = (at, size) => toPath(decoder.decode(bytes(at, size)));

  function file(descriptor) {
    return open[descriptor] ?? fail('EBADF');
  }
  function fail(code) {
    throw Object.assign(new Error(code), { code });
  }

  // One list of strings: where each is to be, and their bytes.
  function sizes(list, count, size) {
    view().setUint32(count, list.length, true);
    view().setUint32(size, list.reduce((sum, { length }) => sum + length, 0), true);
  }
  function get(list, pointers, at) {
    for (const text of list) {
      view().setUint32(pointers, at, true);
      bytes(at, text.length).set(text);
      pointers += 4;
      at += text.length;
    }
  }

  function putStats(at, stats) {
    bytes(at, 64).fill(0);
    const to = view();
    to.setBigUint64(at, BigInt.asUintN(64, stats.dev), true);
    to.setBigUint64(at + 8, BigInt.asUintN(64, stats.ino), true);
    to.setUint8(at + 16, typeOf(stats));
    to.setBigUint64(at + 24, stats.nlink, true);
    to.setBigUint64(at + 32, stats.size, true);
    ['atimeNs', 'mtimeNs', 'ctimeNs'].forEach((time, i) => to.setBigUint64(at + 40 + 8 * i, BigInt.asUintN(64, stats[time]), true));
  }

  // Calls `take` with each of the buffers until one is not taken whole; stores how much was.
  function transfer(vectors, count, result, take) {
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const size = view().getUint32(vectors + 8 * i + 4, true);
      const taken = size && take(bytes(view().getUint32(vectors + 8 * i, true), size), sum);
      sum += taken;
      if (taken !== size) break;
    }
    view().setUint32(result, sum, true);
  }

  const calls = {
    args_sizes_get: (count, size) => sizes(lists.args, count, size),
    args_get: (pointers, at) => get(lists.args, pointers, at),
    environ_sizes_get: (count, size) => sizes(lists.environ, count, size),
    environ_get: (pointers, at) => get(lists.environ, pointers, at),
    clock_time_get: (clock, precision, result) => view().setBigUint64(result, BigInt(Date.now()) * 1000000n, true),
    proc_exit(status) {
      throw new Exit(status);
    },

    fd_close(descriptor) {
      const { handle } = file(descriptor);
      delete open[descriptor];
      if (handle !== undefined) fs.closeSync(handle);
    },
    fd_fdstat_get(descriptor, at) {
      const { type } = file(descriptor);
      bytes(at, 24).fill(0);
      view().setUint8(at, type);
      const rights = type === REGULAR_FILE || type === DIRECTORY ? ALL_RIGHTS : ALL_RIGHTS & ~(RIGHT_SEEK | RIGHT_TELL);
      view().setBigUint64(at + 8, rights, true);
      view().setBigUint64(at + 16, ALL_RIGHTS, true);
    },
    fd_fdstat_set_flags() {},
    fd_filestat_get(descriptor, at) {
      const { handle, path } = file(descriptor);
      putStats(at, handle === undefined ? fs.statSync(path ?? fail('EBADF'), { bigint: true }) : fs.fstatSync(handle, { bigint: true }));
    },
    fd_prestat_get(descriptor, at) {
      if (descriptor !== ROOT) fail('EBADF');
      view().setUint32(at, 0, true); // a directory
      view().setUint32(at + 4, 1, true);
    },
    fd_prestat_dir_name: (descriptor, at) => bytes(at, 1).set(encoder.encode('/')),
    fd_read(descriptor, vectors, count, result) {
      const from = file(descriptor);
      transfer(vectors, count, result, (to) => {
        const size = fs.readSync(from.handle ?? fail('EISDIR'), to, 0, to.length, from.position);
        from.position += size;
        return size;
      });
    },
    fd_pread(descriptor, vectors, count, offset, result) {
      const from = file(descriptor);
      transfer(vectors, count, result, (to, sum) =>
        fs.readSync(from.handle ?? fail('EISDIR'), to, 0, to.length, Number(offset) + sum));
    },
    fd_write(descriptor, vectors, count, result) {
      const to = file(descriptor);
      if (descriptor < ROOT) {
        const printed = []; // in one piece, as it was printed
        transfer(vectors, count, result, (from) => printed.push(...from) && from.length);
        if (printed.length) view().setUint32(result, write(descriptor, Uint8Array.from(printed)), true);
        return;
      }
      transfer(vectors, count, result, (from) => {
        const size = fs.writeSync(to.handle ?? fail('EBADF'), from, 0, from.length, to.position);
        if (to.position !== null) to.position += size;
        return size;
      });
    },
    fd_seek(descriptor, offset, whence, result) {
      const { handle, position } = file(descriptor);
      if (handle === undefined || position === null) fail('ESPIPE');
      const from = [0, position, Number(fs.fstatSync(handle).size)][whence];
      open[descriptor].position = from + Number(offset);
      view().setBigUint64(result, BigInt(open[descriptor].position), true);
    },
    fd_readdir(descriptor, at, size, cookie, result) {
      const names = fs.readdirSync(file(descriptor).path).slice(Number(cookie));
      let used = 0;
      for (const name of names) {
        const text = encoder.encode(name), entry = new Uint8Array(24 + text.length), header = new DataView(entry.buffer);
        header.setBigUint64(0, ++cookie, true);
        header.setUint32(16, text.length, true);
        header.setUint8(20, UNKNOWN);
        entry.set(text, 24);
        const fits = entry.subarray(0, size - used); // one that is cut off says that there are more
        bytes(at + used, fits.length).set(fits);
        used += fits.length;
      }
      view().setUint32(result, used, true);
    },

    path_create_directory: (root, at, size) => fs.mkdirSync(path(at, size), 0o777),
    path_remove_directory: (root, at, size) => fs.rmdirSync(path(at, size)),
    path_unlink_file: (root, at, size) => fs.unlinkSync(path(at, size)),
    path_rename: (root, at, size, newRoot, newAt, newSize) => fs.renameSync(path(at, size), path(newAt, newSize)),
    path_readlink(root, at, size, to, capacity, result) {
      const target = encoder.encode(fs.readlinkSync(path(at, size)).replaceAll('\\', '/')).subarray(0, capacity);
      bytes(to, target.length).set(target);
      view().setUint32(result, target.length, true);
    },
    path_filestat_get: (root, flags, at, size, to) =>
      putStats(to, fs[flags & FOLLOW_LINKS ? 'statSync' : 'lstatSync'](path(at, size), { bigint: true })),
    path_open(root, lookup, at, size, flags, rights, inherited, status, result) {
      const name = path(at, size), found = fs.statSync(name, { throwIfNoEntry: false });
      let entry;
      if (found?.isDirectory() && !(rights & RIGHT_WRITE)) {
        entry = { type: DIRECTORY, path: name }; // which not every system opens
      } else {
        if (flags & OPEN_DIRECTORY) fail(found ? 'ENOTDIR' : 'ENOENT');
        const access = !(rights & RIGHT_WRITE) ? constants.O_RDONLY : rights & RIGHT_READ ? constants.O_RDWR : constants.O_WRONLY;
        const handle = fs.openSync(name, access | (flags & OPEN_CREATE && constants.O_CREAT)
          | (flags & OPEN_EXCLUSIVE && constants.O_EXCL) | (flags & OPEN_TRUNCATE && constants.O_TRUNC)
          | (status & NONBLOCKING && (constants.O_NONBLOCK ?? 0)), 0o666);
        const type = typeOf(fs.fstatSync(handle));
        entry = { type, handle, position: type === REGULAR_FILE ? 0 : null };
      }
      const free = open.findIndex((other) => !other), descriptor = free < 0 ? open.length : free;
      open[descriptor] = entry;
      view().setUint32(result, descriptor, true);
    },
  };

  // An error is what the call returns, but for the end.
  const imports = {};
  for (const [name, call] of Object.entries(calls))
    imports[name] = (...given) => {
      try {
        call(...given);
        return 0;
      } catch (error) {
        if (!error.code) throw error; // not the file system's
        return ERRNO[error.code] ?? ERRNO.EIO;
      }
    };

  let demangling;
  const demangle = (at, size, to, room) => {
    demangling ??= startDemangling(demangler());
    const text = demangling(bytes(at, size)).subarray(0, room || undefined);
    if (room) bytes(to, room).set(text);
    return text.length;
  };

  const realPath = (at, size, to, room) => {
    try {
      const given = decoder.decode(bytes(at, size)), full = given.startsWith('/') ? given : `${directory}/${given}`;
      const found = encoder.encode(fs.realpathSync(toPath(full.slice(1))).replaceAll('\\', '/'));
      if (found.length > room) fail('ENAMETOOLONG');
      bytes(to, found.length).set(found);
      return found.length;
    } catch ({ code }) {
      return -(ERRNO[code] ?? ERRNO.EIO);
    }
  };

  const { exports } = new WebAssembly.Instance(module, { wasi_snapshot_preview1: imports, wasmshare: { demangle, real_path: realPath } });
  memory = exports.memory;
  try {
    exports._start();
    return 0;
  } catch (error) {
    if (error instanceof Exit) return error.status;
    throw error;
  } finally {
    for (const { handle } of open.filter(Boolean))
      if (handle !== undefined) fs.closeSync(handle);
  }
}
