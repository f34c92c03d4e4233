// A host in TypeScript, as strict as the compiler can be: every name that layout.d.mts promises, at its type.

import {
  createMemory, createStackPointer, createTable, heapBase, heapEnd, instantiate, instantiationOrder, maximumPages,
  memory64, modules, pageSize, pages, shared, stackLow, stackPointer, tableSize, threadBase, threadCount, threadSize,
  threadStackSize,
} from './layout.mjs';
import type { Address, AddressSpace, Import, ModuleName, Thread } from './layout.mjs';

const memory: WebAssembly.Memory = createMemory();
const larger: WebAssembly.Memory = createMemory({ pages: pages + 1 });
const total: number = pages * pageSize;
const limit: number | undefined = maximumPages;
const flags: boolean = shared || memory64;
const heap: readonly Address[] = [heapBase, heapEnd];

for (const module of modules) {
  const imports: WebAssembly.Imports = { [module.memoryImport.module]: { [module.memoryImport.name]: memory } };
  const url: URL = module.url;
  const name: string = module.name;
  const stack: readonly (Address | null)[] = [module.stackLow, module.stackPointer];
  const addresses: readonly Address[] = [module.offset, module.memoryBase, module.memorySize, module.dataBase,
    module.dataEnd, module.heapBase];
  const table: readonly number[] = [module.tableBase, module.tableSize];
  const constructors: string | null = module.constructors;
  const deferred: boolean[] = module.imports.map(each => each.deferred);
  void [imports, url, name, stack, addresses, table, constructors, deferred, larger];

  // @ts-expect-error: nobody may change the layout
  module.memoryBase = module.dataBase;
  // @ts-expect-error: and a name that is not there is an error, not `any`
  void module.memoryBass;
}
void [total, limit, flags, heap];

const kinds: [WebAssembly.Global, WebAssembly.Table] = [createStackPointer(), createTable()];
const maybe: readonly (Address | null)[] = [stackLow, stackPointer, threadBase, threadSize, threadStackSize];
const counts: readonly (number | null)[] = [tableSize, threadCount];
void [kinds, maybe, counts];

export async function load(): Promise<Thread> {
  const order: readonly ModuleName[] = instantiationOrder;
  const space: AddressSpace = await instantiate({ env: { log: (n: number) => n } }, {
    modules: ['keeper'],
    memory,
    compile: ({ url, imports }) => {
      const first: Import | undefined = imports[0];
      void first;
      return WebAssembly.compileStreaming(fetch(url));
    },
  });
  const instance: WebAssembly.Instance = await space.load('keeper');
  const same: WebAssembly.Instance = space.instances.keeper;
  const table: WebAssembly.Table | null = space.table;
  // @ts-expect-error: a module that is not in the layout
  await space.load('keepr');
  await space.unload('keeper');
  const thread: Thread = space.startThread();
  await instantiate(module => ({ env: { name: () => module.name.length } }), { thread });
  space.endThread(thread);
  void [order, instance, same, table];
  return thread;
}
