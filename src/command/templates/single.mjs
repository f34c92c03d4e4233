
// What one of the modules has of the instance. WASI looks for the memory beside _start.
function partOf({ exports }, names) {
  const part = { __proto__: null };
  for (const name of exports.memory ? [...names, 'memory'] : names)
    part[name] = exports[name];
  return Object.create(WebAssembly.Instance.prototype, { exports: { value: Object.freeze(part), enumerable: true } });
}

// Instantiates the one file: see the types beside this.
export async function instantiate(imports = {}, options = {}) {
  const { memory: made, compile: compileOne, ...others } = options;
  for (const name in others)
    throw new TypeError(`instantiate() of one file has no option ${name}: its options are memory, compile`);
  const { memoryImport, constructors } = single;
  if (made && memoryImport === null)
    throw new TypeError(`${single.name}: has its own memory: combine with --import-memory to give it one`);
  const given = { __proto__: null, ...typeof imports === 'function' ? imports(single) : imports };
  if (memoryImport !== null) {
    const { module, name } = memoryImport; // over what the host gives, which stays as it is
    given[module] = Object.create(given[module] ?? null, { [name]: { value: made ?? createMemory() } });
  }
  let module;
  try {
    module = await (compileOne ?? compile)(single);
  } catch (error) {
    throw explain(error, single);
  }
  const instance = await WebAssembly.instantiate(module, given)
    .catch(error => Promise.reject(explain(error, single, given)));
  const { exports } = instance;
  if (constructors !== null)
    exports[constructors]();
  const instances = { __proto__: null };
  for (const { name, exports: names } of modules)
    instances[name] = partOf(instance, names);
  const memory = memoryImport === null ? exports.memory : given[memoryImport.module][memoryImport.name];
  return { memory, table: exports.__indirect_function_table ?? null, stackPointer: exports.__stack_pointer ?? null,
    instance, instances };
}
