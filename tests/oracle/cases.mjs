// The corpus of the relink oracle: for each kind of input, how its objects are built and linked, and how far it moves.
// Every case is linked at two places with the same flags; what lies between them is the move.

const KiB = 1024;
const GiB = 1024 * 1024 * KiB;

// A move up or down of a module whose data comes first: everything moves by `offset`, so stack and heap do too.
export const dataFirst = (base, offset, tableOffset = 0) => ({
  offset,
  tableOffset,
  before: ['--no-stack-first', `--global-base=${base}`, '--table-base=1'],
  after: ['--no-stack-first', `--global-base=${base + offset}`, `--table-base=${1 + tableOffset}`],
});

// The same, with the function table at another place than it has by default.
export const tableFrom = (base, { offset, tableOffset, before, after }) => ({
  offset,
  tableOffset,
  before: [...before, `--table-base=${base}`],
  after: [...after, `--table-base=${base + tableOffset}`],
});

// What is `size` bytes long ends up where the address space does, or comes from there.
const toTheEnd = (size) => dataFirst(4 * GiB - size - 0x70000, 0x70000);
const fromTheEnd = (size) => dataFirst(4 * GiB - size, -0x70000);

// With the stack first, a larger stack moves everything but the stack's low end, which no such case asks for. Nothing can
// move down: the stack begins at 0.
export const stackFirst = (stack, offset, tableOffset = 0) => ({
  offset,
  tableOffset,
  before: ['--stack-first', '-z', `stack-size=${stack}`, '--table-base=1'],
  after: ['--stack-first', '-z', `stack-size=${stack + offset}`, `--table-base=${1 + tableOffset}`],
});

// By less and by more than a page, by so little that every LEB keeps its length and so much that none does, to
// addresses whose sign bit is set, and down. Offsets are multiples of the corpus's largest alignment, 256.
const moves = [
  dataFirst(KiB, 17 * 256, 10),
  dataFirst(64 * KiB, 0x230000, 200),
  dataFirst(KiB, 2 * GiB + 0x10000, 0x10000),
  dataFirst(4 * GiB - 0x400000, -0x3ff000, 5),
  dataFirst(0x20000, 0),
];
const stackFirstMoves = [
  stackFirst(64 * KiB, 17 * 256, 10),
  stackFirst(KiB, 2 * GiB, 70),
  stackFirst(0x20000, 0),
];
const moves64 = [...moves, dataFirst(KiB, 6 * GiB, 3)];

const c = (...flags) => [['c.c', ...flags]];
const counter = ['--export=counter'];
const linkerSymbols = ['__heap_base', '__heap_end', '__data_end', '__global_base', '__stack_high', '__dso_handle',
  '__wasm_first_page_end', 'registered'];
const exported = (names) => names.map((name) => `--export-if-defined=${name}`);
const pic = ['pic.c', 'pic-elsewhere.c'].map((source) => [source, '-fPIC', '-O1']);
const atomics = ['-O1', '-matomics', '-mbulk-memory'];
const shared = ['--shared-memory', `--max-memory=${4 * GiB}`];
const libraries = ['c++', 'c++abi', 'c'];
const functions = (count) => [[`functions-${count}`, '-O1', '-g']];

export const cases = [
  ...['-O0', '-O1', '-O2', '-O3', '-Os'].map((level) => ({ name: `c${level}`, compile: c(level), link: counter })),
  { name: 'c-simd', compile: c('-O3', '-msimd128'), link: counter },
  { name: 'c-bss-kept-without-bulk-memory', compile: c('-O1', '-mcpu=mvp'), link: counter },
  { name: 'c-stack-first', compile: c('-O1'), link: counter, moves: stackFirstMoves },
  { name: 'c-strip-debug', compile: c('-O1', '-g'), link: [...counter, '--strip-debug'] },
  { name: 'c-strip-all', compile: c('-O1', '-g'), link: [...counter, '--strip-all'] },
  { name: 'c-no-gc-sections', compile: c('-O1'), link: [...counter, '--no-gc-sections'] },
  { name: 'c-export-all', compile: c('-O1'), link: ['--export-all'] },
  { name: 'c-link-O0', compile: c('-O1'), link: [...counter, '-O0'] },
  { name: 'c-link-O2', compile: c('-O1'), link: [...counter, '-O2'] },
  { name: 'c-unmerged-segments', compile: c('-O1', '-fdata-sections'), link: [...counter, '--no-merge-data-segments'] },
  { name: 'c-lto', compile: c('-O2', '-flto'), link: [...counter, '--lto-O2'] },
  { name: 'c-table-imported', compile: c('-O1'), link: [...counter, '--import-table'] },
  { name: 'c-table-growable', compile: c('-O1'), link: [...counter, '--growable-table', '--export-table'] },
  { name: 'c-maximum-memory', compile: c('-O1'), link: [...counter, `--max-memory=${4 * GiB}`] },
  { name: 'c-bulk-memory-opt', compile: c('-O1', '-mcpu=mvp', '-mbulk-memory-opt'), link: counter },
  { name: 'c-table-base', compile: c('-O1'), link: counter, moves: moves.map((move) => tableFrom(100, move)) },
  ...['', '-strip-all'].map((strip) => ({ name: `table-imported-empty${strip}`, compile: [['callers.c', '-O1']],
    link: ['--import-table', ...(strip ? ['--strip-all'] : [])],
    moves: [...moves, ...moves.map((move) => tableFrom(7, move))] })),
  { name: 'table-empty', compile: [['callers.c', '-O1']], link: ['--export-table'],
    moves: moves.map((move) => tableFrom(7, move)) },
  { name: 'relative-pointers', compile: [['relative.s']] },
  ...[[], ['-fPIC'], ['-g']].map((flags) => ({ name: `weak${flags.join('')}`, compile: [['weak.c', '-O1', ...flags]] })),
  { name: 'computing-only', compile: [['computing.c', '-O2']], moves: moves.slice(0, 3) },
  { name: 'annotations', compile: [['annotations.c', '-O1', '-ffunction-sections']] },
  { name: 'exceptions', compile: [['tags.s', '-mexception-handling']] },

  ...[[], ['--strip-all']].flatMap((strip) => [
    { name: `stack-unused${strip.join('')}`, compile: [['stackless.c', '-O1']], link: strip },
    { name: `stack-unused-stack-first${strip.join('')}`, compile: [['stackless.c', '-O1', '-DWITHOUT_STACK_LOW']],
      link: strip, moves: stackFirstMoves },
    { name: `computing-only-no-data${strip.join('')}`, compile: [['computing.c', '-O2']], link: strip,
      moves: moves.slice(0, 3) },
  ]),
  { name: 'numbers-strip-all', compile: [['numbers.c', '-O1']], link: ['--strip-all'] },
  { name: 'names', compile: [['names.c', '-O1', '-mbulk-memory']] },
  { name: 'names-visible', compile: [['names.c', '-O1', '-mbulk-memory', '-DVISIBLE']] },
  { name: 'names-pic', compile: [['names.c', '-O0', '-mbulk-memory', '-fPIC']] },
  { name: 'names-strip-all', compile: [['names.c', '-O1', '-mbulk-memory']], link: ['--strip-all'] },
  { name: 'names-exported', compile: [['names.c', '-O1', '-mbulk-memory']],
    link: exported(['__stack_low', '__heap_base', '__data_end', '__tls_size']) },
  { name: 'end-of-memory', compile: [['stackless.c', '-O1']], moves: [toTheEnd(65536 + 32), fromTheEnd(65536 + 32)] },
  { name: 'end-of-memory-strip-all', compile: [['stackless.c', '-O1']], link: ['--strip-all'],
    moves: [toTheEnd(65536 + 32), fromTheEnd(65536 + 32)] },

  { name: 'linker-symbols', compile: [['linker-symbols.c', '-O1']], link: exported([...linkerSymbols, '__stack_low']) },
  { name: 'linker-symbols-O0', compile: [['linker-symbols.c', '-O0']] },
  { name: 'linker-symbols-strip-all', compile: [['linker-symbols.c', '-O1']],
    link: [...exported(linkerSymbols), '--strip-all'] },
  { name: 'linker-symbols-stack-first', compile: [['linker-symbols.c', '-O0', '-DWITHOUT_STACK_LOW']],
    link: exported(linkerSymbols), moves: stackFirstMoves },

  ...['-O0', '-O2'].map((level) => ({ name: `cxx-freestanding${level}`,
    compile: [['vtables.cpp', '-fno-rtti', level]] })),
  { name: 'cxx-O0', compile: [['cxx.cpp', '-O0']], libraries, moves: moves.slice(0, 3) },
  { name: 'cxx-O2', compile: [['cxx.cpp', '-O2']], libraries },
  { name: 'cxx-dwarf', compile: [['cxx.cpp', '-O1', '-g']], libraries, moves: moves.slice(1, 2) },
  { name: 'cxx-command-stack-first', compile: [['cxx.cpp', '-O1', '-DCOMMAND']], libraries, command: true,
    moves: stackFirstMoves },

  { name: 'pic', compile: pic },
  { name: 'pic-O0', compile: pic.map((source) => [...source, '-O0']) },
  { name: 'pic-c', compile: c('-O2', '-fPIC'), link: counter },
  { name: 'pic-strip-all', compile: c('-O1', '-fPIC'), link: [...counter, '--strip-all'] },
  { name: 'pic-dwarf', compile: pic.map((source) => [...source, '-g']) },
  { name: 'pic-linker-symbols', compile: [['linker-symbols.c', '-O1', '-fPIC']] },
  { name: 'pic-stack-first', compile: pic, moves: stackFirstMoves },
  { name: 'pic-without-relocations', compile: [['pic-bss.c', '-fPIC', '-O0']], relocations: false },
  { name: 'pic-without-relocations-stack-first', compile: [['pic-bss.c', '-fPIC', '-O1']], relocations: false,
    moves: stackFirstMoves },
  { name: 'pic-without-relocations-exported', compile: [['pic-bss.c', '-fPIC', '-O1']], relocations: false,
    link: exported(['__heap_base', '__data_end', '__stack_pointer']) },

  ...['2', '4', '5'].map((version) => ({ name: `dwarf${version}`, compile: c('-O1', `-gdwarf-${version}`),
    link: counter })),
  { name: 'dwarf-O0', compile: c('-O0', '-g'), link: counter },
  { name: 'dwarf-no-gc-sections', compile: c('-O0', '-g'), link: [...counter, '--no-gc-sections'] },
  { name: 'dwarf-lto', compile: c('-O1', '-g', '-flto'), link: counter },
  { name: 'dwarf-linker-symbols', compile: [['linker-symbols.c', '-O0', '-g']] },

  { name: 'threads', compile: [['threads.c', ...atomics]], link: shared },
  { name: 'threads-O0', compile: [['threads.c', ...atomics, '-O0']], link: shared },
  { name: 'threads-stack-first', compile: [['threads.c', ...atomics]], link: shared, moves: stackFirstMoves },
  { name: 'threads-dwarf', compile: [['threads.c', ...atomics, '-g']], link: shared },
  { name: 'threads-strip-all', compile: [['threads.c', ...atomics]], link: [...shared, '--strip-all'] },
  { name: 'threads-pic', compile: [['threads.c', ...atomics, '-fPIC']], link: shared },
  { name: 'threads-exported', compile: [['threads.c', ...atomics]],
    link: [...shared, ...exported(['__wasm_init_tls', '__tls_base', '__tls_size', 'initialised', 'words'])] },
  { name: 'threads-of-plain-c', compile: c(...atomics), link: [...shared, ...counter] },
  ...['', '-strip-all'].flatMap((strip) => [false, true].map((starts) => ({
    name: `threads-pic-tls-pointers${starts ? '-started' : ''}${strip}`,
    compile: [['tls-pointers.c', ...atomics, '-fPIC', ...(starts ? ['-DSTARTS'] : [])],
      ['tls-pointers-elsewhere.c', ...atomics, '-fPIC']],
    link: [...shared, ...exported(['__wasm_init_tls']), ...(strip ? ['--strip-all'] : [])] }))),
  // wasm-ld 19 makes these so that they do not work: what it has there is refused.
  { name: 'tls-unshared', olderLinkers: 'TLS_SLEB', compile: [['threads.c', ...atomics, '-DUNSHARED']] },
  { name: 'tls-unshared-exported', olderLinkers: 'TLS_SLEB', compile: [['threads.c', ...atomics, '-DUNSHARED']],
    link: exported(['__tls_base', 'initialised', 'started', 'pointer']) },
  { name: 'tls-unshared-pic', olderLinkers: 'TLS_SLEB', compile: [['threads.c', ...atomics, '-DUNSHARED', '-fPIC']] },
  { name: 'tls-unshared-dwarf', olderLinkers: 'TLS_SLEB', compile: [['threads.c', ...atomics, '-DUNSHARED', '-g']] },

  { name: 'wasm64', target: 'wasm64', compile: c('-O1'), link: counter, moves: moves64 },
  { name: 'wasm64-O0', target: 'wasm64', compile: c('-O0'), link: counter, moves: moves64 },
  { name: 'wasm64-stack-first', target: 'wasm64', compile: c('-O1'), link: counter, moves: stackFirstMoves },
  { name: 'wasm64-linker-symbols', target: 'wasm64', compile: [['linker-symbols.c', '-O1']],
    link: exported(linkerSymbols), moves: moves64 },
  { name: 'wasm64-dwarf', target: 'wasm64', compile: c('-O0', '-g'), link: counter, moves: moves64 },
  { name: 'wasm64-pic', target: 'wasm64', compile: pic, moves: moves64 },
  { name: 'wasm64-pic-without-relocations', target: 'wasm64', compile: [['pic-bss.c', '-fPIC', '-O1']],
    relocations: false, moves: moves64 },
  { name: 'wasm64-threads', target: 'wasm64', compile: [['threads.c', ...atomics]],
    link: ['--shared-memory', `--max-memory=${8 * GiB}`], moves: moves64 },

  // One function is appended to clear .bss: the function count of 127 or 16,383 becomes a byte longer.
  { name: 'function-count-126', compile: functions(126), moves: moves.slice(0, 2) },
  { name: 'function-count-127', compile: functions(127), moves: moves.slice(0, 2) },
  { name: 'function-count-128', compile: functions(128), moves: moves.slice(0, 2) },
  { name: 'function-count-16383', compile: functions(16383), moves: moves.slice(0, 1) },

  { name: 'rust-std', rust: 'release' },
  { name: 'rust-std-stack-first', rust: 'release', moves: stackFirstMoves },
  { name: 'rust-std-strip-debug', rust: 'release', link: ['--strip-debug'] },
  { name: 'rust-std-unoptimised', rust: 'unoptimised' },
].map((entry) => ({ target: 'wasm32', link: [], relocations: true, moves, ...entry }));
