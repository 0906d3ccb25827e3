// Fails when what the first page loads, gzipped, is more than 300 kB: the boot, the app that it leads to, the overview, the
// styles and the two letters' files that a Latin page asks for. Another language than English is not counted.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const BUDGET = 300_000;
const dist = new URL('../dist/', import.meta.url).pathname;
const manifest = JSON.parse(readFileSync(`${dist}.vite/manifest.json`, 'utf8'));
const files = new Set();

function take(key) {
  const chunk = manifest[key];
  if (!chunk || files.has(chunk.file)) return;
  files.add(chunk.file);
  for (const css of chunk.css ?? []) files.add(css);
  for (const asset of chunk.assets ?? []) if (/-latin-(wght|opsz)-normal/.test(asset)) files.add(asset);
  for (const next of chunk.imports ?? []) take(next);
}
const page = readFileSync(`${dist}index.html`, 'utf8');
for (const [key, chunk] of Object.entries(manifest)) {
  if (/pages\/overview\/(index|below)\.tsx$/.test(key)) take(key);
  if (!chunk.file.endsWith('.js') || !page.includes(`src="/${chunk.file}"`)) continue;
  take(key);
  for (const next of chunk.dynamicImports ?? []) if (!next.endsWith('messages/spanish.ts')) take(next);
}
if (![...files].some((file) => file.includes('react'))) { console.error('the app was not found in the build'); process.exit(1); }
files.add('index.html');
let sum = 0;
for (const file of [...files].sort()) {
  const path = `${dist}${file}`;
  const size = file.endsWith('.woff2') ? statSync(path).size
    : existsSync(`${path}.gz`) ? statSync(`${path}.gz`).size : gzipSync(readFileSync(path)).length;
  sum += size;
  console.log(`${String(size).padStart(8)}  ${file}`);
}
console.log(`${String(sum).padStart(8)}  bytes in all, of ${BUDGET}`);
if (sum > BUDGET) { console.error('the first load is over its budget'); process.exit(1); }
