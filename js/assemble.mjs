// Assembles kernel.wat, with wabt's wat2wasm, and writes kernel.js.

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const beside = (name) => fileURLToPath(new URL(name, import.meta.url));

// The text of kernel.js: each byte is the character that is 40 above it, for most a printable one. Compressed, that is shorter
// than hexadecimal and Base64.
export function assemble(wat2wasm = 'wat2wasm') {
  const bytes = execFileSync(wat2wasm, [beside('kernel.wat'), '--output=-']);
  const text = String.fromCharCode(...Array.from(bytes, (byte) => byte + 40));
  const escape = (letter) => '\\x' + letter.charCodeAt().toString(16);
  return `// kernel.wat, assembled by assemble.mjs.\nexport default ${JSON.stringify(text).replace(/[\x7f-\x9f]/g, escape)};\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(beside('kernel.js'), assemble());
