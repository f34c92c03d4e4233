
// Makes the stack pointer that all modules import as env.__stack_pointer.
export function createStackPointer(address = stackPointer) {
  if (stackPointer === null)
    throw new Error('each module has its own stack: combine them with --stack=shared');
  return new WebAssembly.Global({ value: memory64 ? 'i64' : 'i32', mutable: true }, address);
}

// Makes the function table that all modules import as env.__indirect_function_table.
export function createTable() {
  if (tableSize === null)
    throw new Error('each module has its own function table: combine them with --table=shared');
  return make(WebAssembly.Table, { initial: tableSize, element: 'anyfunc' });
}

const byName = new Map(modules.map(module => [module.name, module]));

// The modules that these need, themselves included, in the order to instantiate them in.
function closure(names) {
  const needed = new Set(linked ? [...names, ...instantiationOrder] : names);
  for (const name of needed) {
    if (!byName.has(name))
      throw new RangeError(`there is no module ${name}: the layout has ${[...byName.keys()].join(', ')}`);
    const { imports, bindings } = byName.get(name);
    for (const { from } of [...imports, ...bindings])
      if (from !== null)
        needed.add(from);
  }
  return instantiationOrder.filter(name => needed.has(name)).map(name => byName.get(name));
}

// Instantiates the modules on one memory: see layout.d.mts. What has to be waited for, it yields.
function* begin(imports = {}, options = {}) {
  const { modules: wanted, memory: made, compile: compileOne, thread, ...others } = options;
  for (const name in others)
    throw new TypeError(`instantiate() has no option ${name}: its options are modules, memory, compile, thread`);
  const memory = thread?.memory ?? made ?? createMemory();
  const table = tableSize === null ? null : createTable();
  const stack = stackPointer === null ? null : createStackPointer(thread ? thread.base + threadStackSize : undefined);
  // A module may be called anything: `constructor`, `__proto__`.
  const compiled = { __proto__: null, ...thread?.compiled };
  const instances = { __proto__: null };
  const loaded = { __proto__: null }; // what is compiled of the modules whose constructors have run: others can still fail

  function importsOf(module) {
    const given = { __proto__: null, ...typeof imports === 'function' ? imports(module) : imports };
    const layers = new Set(); // over what the host gives, which stays as it is, whatever kind of object
    const give = (from, name, value) => {
      if (!layers.has(from))
        given[from] = Object.create(given[from] ?? null);
      layers.add(from);
      Object.defineProperty(given[from], name, { value, configurable: true });
    };
    give(module.memoryImport.module, module.memoryImport.name, memory);
    if (stack)
      give('env', '__stack_pointer', stack);
    if (module.importsTable)
      give('env', '__indirect_function_table',
        table ?? make(WebAssembly.Table, { initial: module.tableBase + module.tableSize, element: 'anyfunc' }));
    for (const { module: from, name, from: exporter } of module.imports) {
      if (exporter === null)
        continue;
      // In a cycle, one module comes before another that it calls.
      const later = (...args) => instances[exporter].exports[name](...args);
      give(from, name, exporter in instances ? instances[exporter].exports[name] : later);
    }
    return given;
  }

  // Once for each thread. In one program the first one, too, has its thread-local variables as in an area: before the others'.
  function initThread({ name, tlsOffset }) {
    if (tlsOffset !== null && (thread || (linked && threadCount > 0)))
      instances[name].exports.__wasm_init_tls((thread ? thread.base : threadBase - threadSize) + tlsOffset);
  }

  // Once for the memory.
  function construct({ name, constructors }) {
    if (!thread && constructors !== null)
      instances[name].exports[constructors]();
  }

  // Forgets instances, and what they have in the table.
  function drop(gone) {
    for (const { name, tableBase: first, tableSize: count } of gone) {
      delete instances[name];
      delete loaded[name];
      for (let i = first; table && i < first + count; i++)
        table.set(typeof table.length === 'bigint' ? BigInt(i) : i, null);
    }
  }

  function* compileModule(module) {
    try {
      compiled[module.name] ??= yield now => (now ? compileNow : compileOne ?? compile)(module, compileOne);
    } catch (error) {
      throw explain(error, module);
    }
  }

  function* instantiateModule(module) {
    const given = importsOf(module), { name } = module;
    try {
      instances[name] = yield now => now ? new WebAssembly.Instance(compiled[name], given)
        : WebAssembly.instantiate(compiled[name], given);
    } catch (error) {
      throw explain(error, module, given);
    }
  }

  function* loadAll(names) {
    const missing = closure(names).filter(({ name }) => !(name in instances));
    for (const { name } of missing)
      if (thread && !(name in compiled))
        throw new Error(`module ${name} must be loaded in the first thread before it is in others`);
    yield missing.map(compileModule);
    try {
      for (const module of missing)
        yield* instantiateModule(module);
      missing.forEach(initThread);
      missing.forEach(construct);
      for (const { name } of missing)
        loaded[name] = compiled[name];
    } catch (error) {
      drop(missing);
      throw error;
    }
  }

  function unloadAll(names) {
    for (const name of names)
      if (!(name in instances))
        throw new RangeError(`module ${name} is not loaded`);
    if (linked)
      throw new Error('modules of one program, of --link, are for use together: they cannot be unloaded');
    if (shared)
      throw new Error('modules in a shared memory are initialised once: they cannot be unloaded');
    for (const { name, imports, bindings } of modules) {
      const needed = [...imports, ...bindings].find(({ from }) => names.includes(from));
      if (needed && name in instances && !names.includes(name))
        throw new Error(`module ${needed.from} cannot be unloaded: ${name} uses its ${needed.name}`);
    }
    drop(names.map(name => byName.get(name)));
    for (const name of names)
      delete compiled[name];
  }

  // One after another, so that what two need is instantiated once.
  let last = Promise.resolve(), waiting = 0;
  const next = work => {
    waiting++;
    last = last.catch(() => {}).then(work).finally(() => waiting--);
    return last;
  };
  const load = async name => {
    await next(() => runInTime(loadAll([name])));
    return instances[name];
  };
  const loadSync = name => {
    if (waiting > 0)
      throw new Error(`module ${name} cannot be loaded at once: others are being loaded`);
    runAtOnce(loadAll([name]));
    return instances[name];
  };
  const unload = (...names) => next(() => unloadAll(names));

  const free = Array.from({ length: thread ? 0 : threadCount }, (_, i) => i);
  const used = new Set();
  const startThread = () => {
    if (free.length === 0)
      throw new RangeError(thread ? 'the first thread hands out threads'
        : `there is room for ${threadCount} threads: combine with a larger --threads`);
    const index = free.shift();
    used.add(index);
    const base = threadBase + threadSize * (memory64 ? BigInt(index) : index);
    return { index, base, memory, compiled: { ...loaded } };
  };
  const endThread = ({ index }) => {
    // An area that came back twice would be handed out twice.
    if (!used.delete(index))
      throw new RangeError(thread ? 'the first thread ends threads' : `thread ${index} is not running`);
    free.push(index);
  };

  // Ends a program without main: what was registered for that runs, and output is flushed.
  const exit = () => {
    for (const name in instances)
      instances[name].exports.__wasmshare_exit?.();
  };

  yield* loadAll(wanted ?? (thread ? Object.keys(compiled) : byName.keys()));
  return { memory, table, stackPointer: stack, instances, load, loadSync, unload, exit, startThread, endThread };
}

export async function instantiate(imports, options) {
  return runInTime(begin(imports, options));
}

export function instantiateSync(imports, options) {
  return runAtOnce(begin(imports, options));
}

// Steps yield what they wait for: a function that gives it at once or promises it, or a list of other steps, to be taken at
// the same time.
function runAtOnce(steps) {
  const wait = work => Array.isArray(work) ? work.map(runAtOnce) : work(true);
  let step = steps.next();
  while (!step.done) {
    let result;
    try {
      result = wait(step.value);
    } catch (error) {
      step = steps.throw(error);
      continue;
    }
    step = steps.next(result);
  }
  return step.value;
}

async function runInTime(steps) {
  const wait = work => Array.isArray(work) ? Promise.all(work.map(runInTime)) : work(false);
  let step = steps.next();
  while (!step.done) {
    let result;
    try {
      result = await wait(step.value);
    } catch (error) {
      step = steps.throw(error);
      continue;
    }
    step = steps.next(result);
  }
  return step.value;
}
