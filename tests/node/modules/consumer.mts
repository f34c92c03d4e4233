// A host in TypeScript, as strict as the compiler can be: every name that layout.d.mts promises, at its type.

import {
  createMemory, heapBase, heapEnd, maximumPages, memory64, modules, pageSize, pages, shared,
} from './layout.mjs';
import type { Address } from './layout.mjs';

const memory: WebAssembly.Memory = createMemory();
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
  void [imports, url, name, stack, addresses, table];

  // @ts-expect-error: nobody may change the layout
  module.memoryBase = module.dataBase;
  // @ts-expect-error: and a name that is not there is an error, not `any`
  void module.memoryBass;
}
void [total, limit, flags, heap];
