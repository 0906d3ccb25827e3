// The page of a run after its end: a table that failed is named with its reason, is done again by itself, and then
// everything reconciles.
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OWN } from './places';
import { run, serve, SERVER } from './program';
import { expect, looks, settled, signUp, test } from './support';

// A button that is on its way from one colour to the next has neither's contrast.
test.use({ baseURL: OWN, storageState: { cookies: [], origins: [] }, actionTimeout: 15_000, contextOptions: { reducedMotion: 'reduce' } });

const TABLES = ['people', 'orders', 'visits'];
const plan = (from: string, to: string) => `[plan]
name = "Outcome"
[store.old]
url = "${from}"
${from.startsWith('file:pq') ? 'format = "parquet"\n' : ''}[store.new]
url = "${to}"
${to.startsWith('file:pq') ? 'format = "parquet"\n' : ''}
${TABLES.map((t) => `[[table]]\nfrom = "old.${t}"\nto = "new.${t}"\nkey = ["id"]\n[table.columns]\nid = "id"\nwhat = "what"\n${t === 'visits' && to.startsWith('sqlite') ? '[[table.rule]]\nname = "said"\ncheck = "what <> \'visits 7\'"\notherwise = "quarantine"\n' : ''}`).join('\n')}`;

/** A workspace whose source is three Parquet files, one of them damaged. */
async function damaged(folder: string): Promise<string> {
  const [made, dir] = [join(folder, 'made'), join(folder, 'own')];
  for (const d of [made, join(made, 'csv'), dir]) mkdirSync(d);
  for (const t of TABLES) writeFileSync(join(made, 'csv', `${t}.csv`), `id,what\n${Array.from({ length: 500 }, (_, i) => `${i + 1},${t} ${i + 1}`).join('\n')}\n`);
  writeFileSync(join(made, 'dunlin.toml'), plan('file:csv/', 'file:pq/'));
  await run('run', '--dir', made);
  mkdirSync(join(dir, 'pq'));
  for (const t of TABLES) copyFileSync(join(made, 'pq', `${t}.parquet`), join(dir, 'pq', `${t}.parquet`));
  const bytes = readFileSync(join(dir, 'pq/orders.parquet'));
  bytes.fill(0xff, 4, 600);
  writeFileSync(join(dir, 'pq/orders.parquet'), bytes);
  writeFileSync(join(dir, 'dunlin.toml'), plan('file:pq/', 'sqlite:new.db'));
  writeFileSync(join(dir, 'server.toml'), SERVER);
  return dir;
}

test('a table that failed is named, and done again by itself', async ({ page, quiet }) => {
  test.setTimeout(180_000);
  const folder = mkdtempSync(join(tmpdir(), 'dunlin-outcome-'));
  const dir = await damaged(folder);
  const { child, secret } = await serve(dir, OWN, true);
  try {
    await signUp(page, secret);

    await page.goto('/runs');
    await page.getByRole('button', { name: 'Start a run' }).click();
    const start = page.getByRole('dialog', { name: 'Start a run' });
    await expect(start.getByLabel('Tries after a store was lost')).toHaveValue('3');
    await start.getByLabel('Tries after a store was lost').fill('99');
    await expect(start.getByLabel('Tries after a store was lost')).toHaveValue('20');
    await start.getByRole('button', { name: 'Start the run' }).click();

    const outcome = page.getByRole('region', { name: 'What the run came to' });
    await expect(outcome.getByText('2 of 3 tables are loaded; new.orders could not be moved')).toBeVisible({ timeout: 60_000 });
    await expect(outcome.locator('code', { hasText: 'dunlin run --table new.orders' })).toBeVisible();
    await expect(page.getByRole('row', { name: /new\.orders/ })).toContainText('not moved');
    await settled(page);
    expect(await looks(page, 'a run with a table that failed')).toEqual([]);
    await page.setViewportSize({ width: 1440, height: 900 });

    // Mended, it is done again alone; the run comes to its end with all three.
    copyFileSync(join(folder, 'made/pq/orders.parquet'), join(dir, 'pq/orders.parquet'));
    await outcome.getByRole('button', { name: 'Run this table again: new.orders' }).click();
    const again = page.getByRole('dialog', { name: 'Start a run' });
    await expect(again.getByLabel('Tables')).toHaveValue('new.orders');
    await again.getByRole('button', { name: 'Start the run' }).click();
    await expect(outcome.getByText('All 3 tables reconcile')).toBeVisible({ timeout: 60_000 });
    await expect(outcome.getByText('1,500 rows were read, and each is accounted for.')).toBeVisible();
    await settled(page);
    expect(await looks(page, 'a run that reconciles')).toEqual([]);
    await page.setViewportSize({ width: 1440, height: 900 });
    await outcome.getByRole('link', { name: '1 wait in quarantine' }).click();
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
    expect(quiet).toEqual([]);
  } finally {
    child.removeAllListeners('exit');
    child.kill('SIGTERM');
    rmSync(folder, { recursive: true, force: true });
  }
});
