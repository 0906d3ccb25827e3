// For each worker: makes the demo's workspace small, serves it, makes three people, and beside it a workspace in which
// nothing has happened. Gives back what ends all servers.
import type { ChildProcess } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { request } from '@playwright/test';
import { OWNER, placesOf, WORKERS, type Left } from './places';
import { run, serve, SERVER } from './program';

/** The demo's people, each with the password that it printed. */
function passwords(said: string): Record<string, string> {
  return Object.fromEntries([...said.matchAll(/^\s+(\S+@\S+)\s+(\S+)/gm)].map((m) => [m[1], m[2]]));
}

/** What one worker needs; gives what ends its servers. */
async function one(folder: string, worker: number): Promise<ChildProcess[]> {
  const places = placesOf(worker);
  const [seeded, fresh] = [join(folder, `seeded-${worker}`), join(folder, `fresh-${worker}`)];
  const given = passwords(await run('demo', '--no-serve', '--customers', '2000', '--dir', seeded));
  mkdirSync(fresh);
  for (const part of ['dunlin.toml', 'legacy', 'notices']) cpSync(join(seeded, part), join(fresh, part), { recursive: true });
  // The host app's key: its tokens say which customer is signed in there.
  const host = generateKeyPairSync('ed25519');
  const tell = `[tell]\nhosts = ["http://localhost:${places.hostPort}"]\n[tell.host_keys]\nshop = "${host.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')}"\n`;
  for (const dir of [seeded, fresh]) writeFileSync(join(dir, 'server.toml'), SERVER + tell);

  const [one, two] = await Promise.all([serve(seeded, places.base, false), serve(fresh, places.firstVisit, true)]);
  const api = await request.newContext({ baseURL: places.base, extraHTTPHeaders: { origin: places.base } });
  const signedIn = await api.post('/api/v1/sign-in', { data: { email: OWNER.email, password: given[OWNER.email] } });
  if (!signedIn.ok()) throw new Error(`the owner could not sign in: ${signedIn.status()}`);
  mkdirSync(dirname(places.state), { recursive: true });
  const everybody = (await (await api.get('/api/v1/people')).json()) as { items: { id: string; email: string }[] };
  const id = (email: string) => everybody.items.find((p) => p.email === email)?.id ?? '';
  const left: Left = { dir: seeded, firstVisit: { dir: fresh, secret: two.secret }, people: { ben: id('ben@partner.example'), nadia: id('nadia@atlas.example') }, passwords: given, hostKey: host.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
  await api.storageState({ path: places.state });
  writeFileSync(places.left, JSON.stringify(left));
  await api.dispose();
  return [one.child, two.child];
}

export default async function setup(): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), 'dunlin-web-'));
  const children = (await Promise.all(Array.from({ length: WORKERS }, (_, worker) => one(folder, worker)))).flat();
  return async () => {
    for (const child of children) { child.removeAllListeners('exit'); child.kill('SIGTERM'); }
    await new Promise((done) => setTimeout(done, 300));
    rmSync(folder, { recursive: true, force: true });
  };
}
