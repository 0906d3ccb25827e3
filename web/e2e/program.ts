// The built program: run once, or served.
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const binary = process.env.DUNLIN_BIN ?? join(process.env.CARGO_TARGET_DIR ?? join(process.env.HOME ?? '', '.cache/dunlin/target'), 'debug/dunlin');
/** No second factor for these tests: they have tests of their own over the pages of sign-in. */
export const SERVER = '[guard]\nmfa_roles = []\n[limits]\nper_address = 60000\nper_person = 60000\nstreams_per_person = 64\n';

/** Runs a command to its end; what it said. */
export async function run(...args: string[]): Promise<string> {
  const { stdout, stderr } = await promisify(execFile)(binary, args, { maxBuffer: 1 << 26 });
  return stdout + stderr;
}

/** Serves a workspace; gives the secret of the first owner, where it waits for one. */
export function serve(dir: string, url: string, waitsForOwner: boolean): Promise<{ child: ChildProcess; secret: string }> {
  const child = spawn(binary, ['serve', '--dir', dir, '--listen', new URL(url).host.replace('localhost', '127.0.0.1')], { stdio: ['ignore', 'pipe', 'pipe'] });
  return new Promise((resolve, reject) => {
    let said = '';
    const hear = (chunk: Buffer) => {
      said += chunk.toString();
      const secret = said.match(/works once:\s+(\S+)/)?.[1];
      if (secret || (!waitsForOwner && said.includes('answers at'))) resolve({ child, secret: secret ?? '' });
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.on('exit', (code) => reject(new Error(`the server ended with ${code}: ${said}`)));
    setTimeout(() => reject(new Error(`the server said only: ${said}`)), 60_000).unref();
  });
}
