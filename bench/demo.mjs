// A demo workspace of its own behind a running server, and its owner signed in: what the benchmarks in a browser share.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const OWNER = 'ana@atlas.example';
// Everything comes from one address and one person here; their limits are not what is measured. Nor is a second factor.
const SERVER = '[guard]\nmfa_roles = []\n[limits]\nper_address = 1000000\nper_person = 1000000\nstreams_per_person = 64\n';

/** Makes and serves it. `ask` calls its API as the owner; `stop` ends the server and takes the folder away. */
export async function serveDemo(customers) {
  const program = process.env.DUNLIN_BIN;
  if (!program) throw new Error('DUNLIN_BIN names no program; start this by its .sh');
  const folder = mkdtempSync(join(tmpdir(), 'dunlin-bench-'));
  const dir = join(folder, 'workspace');
  const made = spawnSync(program, ['demo', '--no-serve', '--customers', String(customers), '--dir', dir], { encoding: 'utf8' });
  if (made.status !== 0) throw new Error(`dunlin demo ended with ${made.status}: ${made.stderr}`);
  const password = new RegExp(`${OWNER}\\s+(\\S+)`).exec(made.stdout + made.stderr)?.[1];
  writeFileSync(join(dir, 'server.toml'), SERVER);
  const server = spawn(program, ['serve', '--dir', dir, '--listen', `127.0.0.1:${process.env.PORT ?? 0}`], { stdio: ['ignore', 'pipe', 'pipe'] });
  const stop = () => {
    server.removeAllListeners('exit');
    server.kill('SIGTERM');
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

/** The middle and the 95th of a hundred. */
export function shares(took) {
  const sorted = [...took].sort((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)];
  return { median: at(0.5), p95: at(0.95) };
}
