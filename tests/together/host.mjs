// A host with a little of WASI: what is written, and what `env.say` is given, is one text, in the order in which it comes.
// Standard output is no terminal, so C libraries buffer it.

export class Exit { // not an Error: no module can catch it
  constructor(code) { this.code = code; }
}

const success = 0, badFile = 8, notSupported = 52;
const socket = 6, mayWrite = 0x40n;

// { imports, output, use }: use() tells it the memory, which may be made later.
export function host() {
  let memory;
  const output = [], decoder = new TextDecoder();
  const bytes = () => new Uint8Array(memory.buffer), view = () => new DataView(memory.buffer);
  const text = (from, to) => decoder.decode(bytes().slice(from, to));
  const strings = (...list) => ({
    sizes(count, size) {
      view().setUint32(count, list.length, true);
      view().setUint32(size, list.join('\0').length + 1, true);
      return success;
    },
    get(pointers, at) {
      for (const string of list) {
        view().setUint32(pointers, at, true);
        bytes().set(new TextEncoder().encode(`${string}\0`), at);
        pointers += 4;
        at += string.length + 1;
      }
      return success;
    },
  });
  const args = strings('program', 'argument'), environment = strings('PLANET=Mars', 'MOON=Phobos');
  const wasi = {
    args_sizes_get: args.sizes, args_get: args.get,
    environ_sizes_get: environment.sizes, environ_get: environment.get,
    fd_write(fd, vectors, count, written) {
      let total = 0;
      for (let at = vectors; at < vectors + 8 * count; at += 8) {
        const from = view().getUint32(at, true), length = view().getUint32(at + 4, true);
        output.push(text(from, from + length));
        total += length;
      }
      view().setUint32(written, total, true);
      return success;
    },
    fd_fdstat_get(fd, at) {
      if (fd > 2)
        return badFile;
      bytes().fill(0, at, at + 24);
      bytes()[at] = socket;
      view().setBigUint64(at + 8, mayWrite, true);
      return success;
    },
    fd_prestat_get: () => badFile,
    fd_close: () => success,
    proc_exit(code) { throw new Exit(code); },
  };
  const imports = {
    env: { say: at => output.push(`${text(at, bytes().indexOf(0, at))}\n`) },
    wasi_snapshot_preview1: new Proxy(wasi, { get: (known, name) => known[name] ?? (() => notSupported) }),
  };
  return { imports, output, use(made) { memory = made; } };
}
