// Lighthouse over the signed-in overview. `bench/lighthouse.sh` starts it.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { serveDemo } from './demo.mjs';

const VERSION = '12.8.2';
const out = process.env.OUT ?? fileURLToPath(new URL('lighthouse-reports', import.meta.url));
const path = process.env.PAGE ?? '/';
const rows = [];
mkdirSync(out, { recursive: true });

/** One look; what it found that is not as it should be goes to the standard error. */
function look(demo, kind) {
  const file = join(out, `${kind}.json`);
  const args = ['--yes', `lighthouse@${VERSION}`, demo.origin + path, '--quiet', '--output=json', `--output-path=${file}`, '--only-categories=performance,accessibility',
    '--chrome-flags=--headless=new --no-sandbox', `--extra-headers=${JSON.stringify({ Cookie: demo.cookies.join('; ') })}`];
  if (kind === 'desktop') args.push('--preset=desktop');
  const done = spawnSync('npx', args, { encoding: 'utf8', env: { ...process.env, CHROME_PATH: process.env.CHROMIUM } });
  if (done.status !== 0) throw new Error(`lighthouse ended with ${done.status}: ${done.stderr}`);
  const report = JSON.parse(readFileSync(file, 'utf8'));
  for (const [id, audit] of Object.entries(report.audits)) {
    if (audit.score !== null && audit.score < 0.9) console.error(`${kind}: ${id} ${audit.displayValue ?? ''}`);
  }
  const score = (name) => Math.round(report.categories[name].score * 100);
  const value = (id) => report.audits[id].displayValue;
  return [score('performance'), score('accessibility'), value('first-contentful-paint'), value('largest-contentful-paint'), value('total-blocking-time'), value('cumulative-layout-shift'), value('speed-index')];
}

const demo = await serveDemo(5000);
try {
  for (const kind of ['desktop', 'phone']) {
    const looks = [];
    for (let time = 0; time < Number(process.env.LOOKS ?? 3); time += 1) looks.push(look(demo, kind));
    looks.sort((a, b) => a[0] - b[0]);
    rows.push(`| ${kind} | ${looks[Math.floor(looks.length / 2)].join(' | ')} |`);
  }
} finally {
  await demo.stop();
}
console.log(['| overview, the middle of three | performance | accessibility | first paint | largest | blocking | shift | speed index |', '| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |', ...rows].join('\n'));
