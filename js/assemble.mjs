// Assembles kernel.wat, with wabt's wat2wasm, and writes kernel.js.

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const beside = (name) => fileURLToPath(new URL(name, import.meta.url));

// The text of kernel.js. Most bytes of WebAssembly become printable by the exclusive or, and compress better than in Base64.
export function assemble(wat2wasm = 'wat2wasm') {
  const bytes = execFileSync(wat2wasm, [beside('kernel.wat'), '--output=-']);
  const letters = Array.from(bytes, (byte) => {
    const code = byte ^ 109, letter = String.fromCharCode(code);
    if (code < 32 || code > 126) return `\\x${code.toString(16).padStart(2, '0')}`;
    return `'\\`.includes(letter) ? `\\${letter}` : letter;
  });
  return `// kernel.wat, assembled by assemble.mjs: a byte is the exclusive or of a letter and 109.\nexport default '${letters.join('')}';\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(beside('kernel.js'), assemble());
