// node demo.mjs DIRECTORY: runs the three modules that build.sh put there.

import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const layout = await import(pathToFileURL(resolve(process.argv[2], 'layout.mjs')));

// One memory, of the size that the layout says, and one instance of each module that all import it.
const { memory, instances } = await layout.instantiate();
const [common, a, b] = ['common', 'a', 'b'].map(name => instances[name].exports);

const hex = address => '0x' + address.toString(16);

function stringAt(address) {
  const bytes = new Uint8Array(memory.buffer);
  return new TextDecoder().decode(bytes.subarray(address, bytes.indexOf(0, address)));
}

console.log(`  One memory of ${layout.pages} pages, three modules in it. Each points at text in its own data:`);
for (const { name, memoryBase, memorySize } of layout.modules) {
  const address = instances[name].exports.description();
  if (address < memoryBase || address >= memoryBase + memorySize)
    throw new Error(`${name}'s data is at ${hex(address)}, outside its place`);
  console.log(`    ${hex(address).padEnd(10)}"${stringAt(address)}"`);
}

const object = common.create_object(1337n);
console.log('  They pass one object around by its address, and none of them copies it:');
console.log(`    object = common.create_object(1337)   address ${hex(object)}, behind all modules, which end at ${hex(layout.heapBase)}`);
console.log(`    a.get_value(object)                   ${a.get_value(object)}`);
b.double(object);
console.log('    b.double(object)');
console.log(`    a.get_value(object)                   ${a.get_value(object)}`);

if (a.get_value(object) !== 2674n)
  throw new Error('the modules do not see the same object');
