import { instantiate } from './build/app/layout.mjs';

const { memory, instances: { greeting, shout } } = await instantiate();

function text(address) {
  const bytes = new Uint8Array(memory.buffer, address);
  return new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)));
}

console.log(text(greeting.exports.greeting()));
console.log(text(shout.exports.shout()));
