// On wasm32-unknown-unknown, std::process::exit(code) is a trap, and forgets the code. Where the program has it as a function
// of its own, which names say, it is made to leave the code in a global before it traps.

const exitCode = '__wasmshare_exit_code';
const exitName = /^std::process::exit(::h[0-9a-f]{16})?$|^_ZN3std7process4exit17h[0-9a-f]{16}E$|^_RNvNtCs[0-9A-Za-z_]*3std7process4exit$/;

const uleb = n => n < 128 ? [n] : [n % 128 | 128, ...uleb(Math.floor(n / 128))];

function reader(bytes) {
  let at = 0;
  const number = () => {
    for (let n = 0, scale = 1; ; scale *= 128) {
      const byte = bytes[at++];
      n += (byte & 127) * scale;
      if (byte < 128) return n;
    }
  };
  const take = size => bytes.subarray(at, at += size);
  const name = () => new TextDecoder().decode(take(number()));
  return { byte: () => bytes[at++], number, take, name, left: () => bytes.length - at, rest: () => bytes.subarray(at) };
}

function readSections(bytes) {
  const sections = [];
  for (const file = reader(bytes.subarray(8)); file.left() > 0;) {
    const id = file.byte(), content = file.take(file.number()), custom = reader(content);
    sections.push({ id, name: id === 0 ? custom.name() : undefined, content });
  }
  return sections;
}

// The index of the function that is called so, by the name section.
function findExit(sections) {
  const names = sections.find(({ name }) => name === 'name');
  if (!names) return -1;
  const section = reader(names.content);
  section.name();
  while (section.left() > 0) {
    const kind = section.byte(), content = reader(section.take(section.number()));
    for (let count = kind === 1 ? content.number() : 0; count > 0; count--) {
      const index = content.number();
      if (exitName.test(content.name())) return index;
    }
  }
  return -1;
}

// A section that is a vector, with one more item.
function longer({ id, content }, item) {
  const vector = reader(content), count = vector.number();
  return { id, content: Uint8Array.from([...uleb(count + 1), ...vector.rest(), ...item]) };
}

// The code section, with another body of one function.
function replaced({ id, content }, index, body) {
  const code = reader(content), count = code.number(), bodies = [];
  for (let i = 0; i < count; i++) {
    const old = code.take(code.number());
    bodies.push(i === index ? Uint8Array.from(body) : old);
  }
  const parts = [Uint8Array.from(uleb(count)), ...bodies.flatMap(each => [Uint8Array.from(uleb(each.length)), each])];
  return { id, content: Buffer.concat(parts) };
}

function withExitCode(bytes) {
  const sections = readSections(bytes), at = id => sections.findIndex(section => section.id === id);
  const compiled = new WebAssembly.Module(bytes), imports = WebAssembly.Module.imports(compiled);
  const exit = findExit(sections) - imports.filter(({ kind }) => kind === 'function').length;
  if (exit < 0 || at(6) < 0 || at(7) < 0) return compiled;
  const globals = reader(sections[at(6)].content).number() + imports.filter(({ kind }) => kind === 'global').length;
  const name = new TextEncoder().encode(exitCode);
  const i64 = 0x7e, mutable = 1, i64Const = 0x42, end = 0x0b, global = 3;
  sections[at(6)] = longer(sections[at(6)], [i64, mutable, i64Const, 0x7f, end]); // -1: not called
  sections[at(7)] = longer(sections[at(7)], [...uleb(name.length), ...name, global, ...uleb(globals)]);
  // (global.set (i64.extend_i32_u (local.get 0))) unreachable
  sections[at(10)] = replaced(sections[at(10)], exit, [0, 0x20, 0, 0xad, 0x24, ...uleb(globals), 0, end]);
  const parts = sections.flatMap(({ id, content }) => [Uint8Array.from([id, ...uleb(content.length)]), content]);
  return new WebAssembly.Module(Buffer.concat([bytes.subarray(0, 8), ...parts]));
}

