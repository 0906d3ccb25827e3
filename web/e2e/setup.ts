// Makes the demo's workspace small, serves it, makes three people, and beside it a workspace in which nothing has
// happened. Gives back what ends both servers.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { request } from '@playwright/test';
import { BASE, FIRST_VISIT, OWNER, PLACES_FILE, STATE, type Left } from './places';

const binary = process.env.DUNLIN_BIN ?? join(process.env.CARGO_TARGET_DIR ?? join(process.env.HOME ?? '', '.cache/dunlin/target'), 'debug/dunlin');
// No second factor for these tests: they have tests of their own over the pages of sign-in.
const SERVER = '[guard]\nmfa_roles = []\n[limits]\nper_address = 60000\nper_person = 60000\nstreams_per_person = 64\n';

function run(...args: string[]): void {
  const done = spawnSync(binary, args, { encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`dunlin ${args.join(' ')} ended with ${done.status}: ${done.stderr}`);
}

/** Serves a workspace; gives the secret of the first owner once it answers. */
function serve(dir: string, url: string): Promise<{ child: ChildProcess; secret: string }> {
  const child = spawn(binary, ['serve', '--dir', dir, '--listen', new URL(url).host.replace('localhost', '127.0.0.1')], { stdio: ['ignore', 'pipe', 'pipe'] });
  return new Promise((resolve, reject) => {
    let said = '';
    const hear = (chunk: Buffer) => {
      said += chunk.toString();
      const secret = said.match(/works once:\s+(\S+)/)?.[1];
      if (secret) resolve({ child, secret });
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.on('exit', (code) => reject(new Error(`the server ended with ${code}: ${said}`)));
    setTimeout(() => reject(new Error(`the server said only: ${said}`)), 60_000).unref();
  });
}

async function people(api: Awaited<ReturnType<typeof request.newContext>>): Promise<Left['people']> {
  const me = (await (await api.get('/api/v1/me')).json()) as { csrf: string };
  const invite = async (name: string, email: string, role: string, organisation?: string) => {
    const made = await api.post('/api/v1/invitations', { headers: { 'x-csrf-token': me.csrf }, data: { name, email, role, organisation } });
    const { invitation, link } = (await made.json()) as { invitation: { person: string }; link: string };
    const other = await request.newContext({ baseURL: BASE, extraHTTPHeaders: { origin: BASE } });
    await other.post(new URL(link).pathname, { form: { name, password: 'nine grey herons wade' } });
    await other.dispose();
    return invitation.person;
  };
  return { ben: await invite('Ben Okoye', 'ben@partner.example', 'engineer', 'Partner Ltd'), nadia: await invite('Nadia Farouk', 'nadia@atlas.example', 'approver') };
}

export default async function setup(): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), 'dunlin-web-'));
  const [seeded, fresh] = [join(folder, 'seeded'), join(folder, 'fresh')];
  run('demo', '--no-serve', '--customers', '2000', '--dir', seeded);
  mkdirSync(fresh);
  for (const part of ['dunlin.toml', 'legacy', 'notices']) cpSync(join(seeded, part), join(fresh, part), { recursive: true });
  for (const dir of [seeded, fresh]) writeFileSync(join(dir, 'server.toml'), SERVER);

  const [one, two] = await Promise.all([serve(seeded, BASE), serve(fresh, FIRST_VISIT)]);
  const api = await request.newContext({ baseURL: BASE, extraHTTPHeaders: { origin: BASE } });
  await api.post('/set-up', { form: { secret: one.secret, name: OWNER.name, email: OWNER.email, password: OWNER.password } });
  mkdirSync(dirname(STATE), { recursive: true });
  const left: Left = { firstVisit: { dir: fresh, secret: two.secret }, people: await people(api) };
  await api.storageState({ path: STATE });
  writeFileSync(PLACES_FILE, JSON.stringify(left));
  await api.dispose();
  return async () => {
    for (const child of [one.child, two.child]) { child.removeAllListeners('exit'); child.kill('SIGTERM'); }
    await new Promise((done) => setTimeout(done, 300));
    rmSync(folder, { recursive: true, force: true });
  };
}
