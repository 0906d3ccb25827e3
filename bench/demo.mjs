// A demo workspace of its own behind a running server, and its owner signed in: what the benchmarks in a browser share.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const OWNER = 'ana@atlas.example';
// Everything comes from one address and one person here; their limits are not what is measured. Nor is a second factor.
const SERVER = '[guard]\nmfa_roles = []\n[limits]\nper_address = 1000000\nper_person = 1000000\nstreams_per_person = 64\n';

/** Makes and serves it; `more` goes into its server.toml. `ask` calls its API as the owner; `stop` ends the server and takes the folder away. */
export async function serveDemo(customers, more = '') {
  const program = process.env.DUNLIN_BIN;
  if (!program) throw new Error('DUNLIN_BIN names no program; start this by its .sh');
  const folder = mkdtempSync(join(tmpdir(), 'dunlin-bench-'));
  const dir = join(folder, 'workspace');
  const made = spawnSync(program, ['demo', '--no-serve', '--customers', String(customers), '--dir', dir], { encoding: 'utf8' });
  if (made.status !== 0) throw new Error(`dunlin demo ended with ${made.status}: ${made.stderr}`);
  const password = new RegExp(`${OWNER}\\s+(\\S+)`).exec(made.stdout + made.stderr)?.[1];
  writeFileSync(join(dir, 'server.toml'), SERVER + more);
  const server = spawn(program, ['serve', '--dir', dir, '--listen', `127.0.0.1:${process.env.PORT ?? 0}`], { stdio: ['ignore', 'pipe', 'pipe'] });
  const stop = async () => {
    server.removeAllListeners('exit');
    const ended = new Promise((done) => server.once('exit', done));
    server.kill('SIGTERM');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  const origin = await new Promise((resolve, reject) => {
    let said = '';
    const hear = (chunk) => {
      said += chunk;
      const port = /answers at \S*?:(\d+)/.exec(said)?.[1];
      if (port) resolve(`http://localhost:${port}`);
    };
    server.stdout.on('data', hear);
    server.stderr.on('data', hear);
    server.on('exit', (code) => reject(new Error(`the server ended with ${code}: ${said}`)));
  });
  const headers = { origin, 'content-type': 'application/json' };
  const signedIn = await fetch(`${origin}/api/v1/sign-in`, { method: 'POST', headers, body: JSON.stringify({ email: OWNER, password }) });
  if (!signedIn.ok) throw new Error(`the owner could not sign in: ${signedIn.status}`);
  const cookies = signedIn.headers.getSetCookie().map((line) => line.split(';')[0]);
  headers.cookie = cookies.join('; ');
  const ask = async (method, path, body) => {
    const answer = await fetch(origin + path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${await answer.text()}`);
    const text = await answer.text();
    return text === '' ? undefined : JSON.parse(text);
  };
  headers['x-csrf-token'] = (await ask('GET', '/api/v1/me')).csrf;
  return { origin, cookies, pid: server.pid, ask, stop };
}

/** An import takes at most so many rows. */
const FILE = 50_000;

/** Tasks as a file, in chains of ten that wait for each other. */
function csv(from, to) {
  const people = ['ana@atlas.example', 'ben@partner.example', 'nadia@atlas.example', ''];
  const lines = ['number,title,description,status,owner,priority,start,deadline,estimate_hours,labels,depends_on,rank'];
  const two = (value) => String(value).padStart(2, '0');
  for (let n = from; n < to; n += 1) {
    const status = ['open', 'doing', 'blocked', 'done'][n % 4];
    const priority = ['low', 'normal', 'high', 'urgent'][(n >> 2) % 4];
    const day = `2027-${two((n % 12) + 1)}-${two((n % 28) + 1)}`;
    lines.push(`B-${n},Check table ${(n * 7919) % 100_003} of store ${n % 40},"Look at what is really in it, and write down what is not as the plan says.",${status},${people[n % 4]},${priority},,${day},${n % 16},"label-${n % 30}, store-${n % 40}",${n % 10 === 0 ? '' : `B-${n - 1}`},`);
  }
  return lines.join('\n');
}

/** Imports so many tasks. */
export async function fill(demo, tasks) {
  for (let from = 0; from < tasks; from += FILE) await demo.ask('POST', '/api/v1/work/import', { format: 'csv', text: csv(from, Math.min(tasks, from + FILE)), mapping: {} });
}

/** The middle and the 95th of a hundred. */
export function shares(took) {
  const sorted = [...took].sort((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)];
  return { median: at(0.5), p95: at(0.95) };
}
