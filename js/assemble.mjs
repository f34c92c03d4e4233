// Assembles kernel.wat, with wabt's wat2wasm, and writes kernel.js.

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const beside = (name) => fileURLToPath(new URL(name, import.meta.url));

// The text of kernel.js.
export function assemble(wat2wasm = 'wat2wasm') {
  const bytes = execFileSync(wat2wasm, [beside('kernel.wat'), '--output=-']);
  return `// kernel.wat, assembled by assemble.mjs, in hexadecimal.\nexport default '${bytes.toString('hex')}';\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(beside('kernel.js'), assemble());
