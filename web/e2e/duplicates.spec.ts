// Pairs that may stand for one, worked through by a person with two keys: merged, kept apart, taken back; the equation holds
// after it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { OWN, OWNER } from './places';
import { run, serve, SERVER } from './program';
import { expect, looks, signUp, test, violations } from './support';

test.use({ baseURL: OWN, storageState: { cookies: [], origins: [] }, actionTimeout: 15_000 });

const PLAN = `[plan]
name = "Twice"
[store.people]
url = "file:people.csv"
[store.orders]
url = "file:orders.csv"
[store.new]
url = "sqlite:new.db"
[subject]
table = "new.people"
id = "id"
email = "email"

[[table]]
from = "people"
to = "new.people"
key = ["id"]
[table.columns]
id = { clean = "number", from = "id" }
full_name = { from = "name", kind = "person_name" }
born_on = { clean = "date", from = "born", formats = ["%Y-%m-%d"], kind = "birth_date" }
email = { sql = "lower(trim(email))", kind = "email" }
phone = { from = "phone", kind = "phone" }
city = { from = "city", kind = "city" }
[table.duplicates]
match = ["email", "full_name + born_on"]
above = 1.0
review = 0.80
survivor = "latest updated_at; phone: filled; city: longest"

[[table]]
from = "orders"
to = "new.orders"
key = ["id"]
subject = "customer_id"
[table.columns]
id = { clean = "number", from = "id" }
customer_id = { clean = "number", from = "customer_id" }
amount = { clean = "number", from = "amount" }
`;

const PEOPLE = 300;
const TWICE = 12;

/** People with values of their own; the first few are there twice: with a slip in the name, no telephone, a longer city. */
function files(): { people: string; orders: string } {
  const parts = ['ba', 'der', 'li', 'mo', 'ran', 'su', 'ti', 'wen'];
  const word = (n: number) => [n % 8, Math.floor(n / 8) % 8, (n * 5 + 3) % 8, Math.floor(n / 64) % 8].map((i) => parts[i]).join('');
  const two = (n: number) => String(n).padStart(2, '0');
  const people = ['id,name,born,email,phone,city,updated_at'];
  const orders = ['id,customer_id,amount'];
  const row = (id: number, n: number, second: boolean) => {
    const [first, last] = [word(n * 7 + 11), word(n * 3 + 100)];
    const shown = second ? `q${last.slice(1)}` : last;
    const born = `${1940 + ((n * 13) % 60)}-${two(1 + ((n * 5) % 12))}-${two(1 + ((n * 11) % 28))}`;
    people.push([id, `${first} ${shown}`, born, `${first}.${last}${n}@mail.example`, second ? '' : `+3460${String(n * 7919 + 13).padStart(7, '0')}`, second ? 'Upper Town' : 'Town', second ? '2024-01-01' : '2020-01-01'].join(','));
    orders.push(`${id * 10},${id},${n}`, `${id * 10 + 1},${id},${n}`);
  };
  for (let n = 1; n <= PEOPLE; n += 1) row(n, n, false);
  for (let n = 1; n <= TWICE; n += 1) row(1000 + n, n, true);
  return { people: `${people.join('\n')}\n`, orders: `${orders.join('\n')}\n` };
}

interface Counts { waiting: number; decided: number }
const counts = (page: Page) => page.evaluate(async () => (await (await fetch('/api/v1/duplicates?limit=1')).json()) as Counts);
const waits = (n: number) => (n === 1 ? '1 pair waits for a person' : `${n} pairs wait for a person`);

test('a person works through pairs with two keys, takes one decision back, and the equation holds', async ({ page }) => {
  test.setTimeout(180_000);
  const dir = mkdtempSync(join(tmpdir(), 'dunlin-duplicates-'));
  const { people, orders } = files();
  writeFileSync(join(dir, 'people.csv'), people);
  writeFileSync(join(dir, 'orders.csv'), orders);
  writeFileSync(join(dir, 'dunlin.toml'), PLAN);
  writeFileSync(join(dir, 'server.toml'), SERVER);
  const { child, secret } = await serve(dir, OWN, true);
  try {
    await signUp(page, secret);
    // Before a run there is nothing, and it says what will be here.
    await page.goto('/data/duplicates');
    await expect(page.getByRole('heading', { name: 'No duplicates have been looked for yet' })).toBeVisible();
    await run('run', '--dir', dir);
    await page.reload();
    const all = (await counts(page)).waiting;
    expect(all).toBeGreaterThanOrEqual(TWICE);
    await expect(page.getByRole('heading', { name: waits(all) })).toBeVisible();

    // Side by side, masked; what differs is said in a word, and each value of the merged row says where it is from.
    const side = page.getByRole('group', { name: 'The rows beside each other' });
    await expect(side.getByRole('rowheader', { name: /full_name.*differs/ })).toBeVisible();
    await expect(side.getByRole('rowheader', { name: 'born_on', exact: true })).toBeVisible();
    await expect(side.getByText(/from row \d · only value/)).toBeVisible();
    await expect(side).not.toContainText('mail.example');
    await expect(side.locator('.masked').first()).toBeVisible();
    await expect(page.getByText(/Row \d stays: the plan’s rule prefers it “latest updated_at”\./)).toBeVisible();
    await expect(page.getByText('2 rows of new.orders will refer to the row that stays')).toBeVisible({ timeout: 30_000 });
    expect(await looks(page, 'duplicates')).toEqual([]);
    await page.setViewportSize({ width: 1440, height: 900 });

    // The arrows go through the queue and decide nothing.
    const line = page.locator('.dup-line[aria-current]');
    const first = await line.getAttribute('href');
    await page.keyboard.press('ArrowRight');
    await expect(line).not.toHaveAttribute('href', first ?? '');
    await page.keyboard.press('ArrowLeft');
    await expect(line).toHaveAttribute('href', first ?? '');

    // Two merged, the second by its button; one kept apart. The next pair is there at once.
    // Nobody decides on rows that are not on the page yet.
    const merge = page.getByRole('button', { name: /^Merge/ });
    await expect(merge).toBeEnabled();
    await page.keyboard.press('m');
    await expect(page.getByRole('heading', { name: waits(all - 1) })).toBeVisible();
    await merge.click();
    await expect(page.getByRole('heading', { name: waits(all - 2) })).toBeVisible();
    // Whoever decided by a button is at the next pair's heading.
    await expect(page.locator('#pair')).toBeFocused();
    await expect(merge).toBeEnabled();
    await page.keyboard.press('k');
    await expect(page.getByRole('heading', { name: waits(all - 3) })).toBeVisible();
    // The last one is taken back by the toast, and by hand from the list of what is decided.
    await page.locator('.toast', { hasText: 'Kept apart' }).getByRole('button', { name: 'Undo' }).click();
    await expect(page.getByRole('heading', { name: waits(all - 2) })).toBeVisible();
    await expect.poll(async () => (await counts(page)).decided, { timeout: 60_000 }).toBe(2);
    await expect(merge).toBeEnabled();
    await page.keyboard.press('k');
    await expect.poll(async () => (await counts(page)).decided, { timeout: 60_000 }).toBe(3);
    await page.getByRole('navigation', { name: 'Which pairs' }).getByRole('link', { name: /Decided/ }).click();
    await expect(page.getByRole('heading', { name: '3 pairs are decided on' })).toBeVisible();
    await page.locator('.dup-line', { hasText: 'merged' }).first().click();
    await expect(page.getByText(`by ${OWNER.name}`)).toBeVisible();
    await page.getByRole('button', { name: 'Take back' }).click();
    await expect(page.getByRole('heading', { name: '2 pairs are decided on' })).toBeVisible({ timeout: 60_000 });
    expect(await violations(page)).toEqual([]);

    await page.goto('/data/reconciliation');
    await page.getByRole('button', { name: 'Verify now' }).click();
    await expect(page.locator('.badge', { hasText: 'Verified' })).toBeVisible({ timeout: 60_000 });
    await expect(page.getByRole('heading', { name: 'Every table reconciles' })).toBeVisible();
    const row = page.getByRole('row').filter({ hasText: 'new.people' });
    await expect(row.getByLabel('merged, new.people').or(row.getByText('1', { exact: true })).first()).toBeVisible();
  } finally {
    child.removeAllListeners('exit');
    const ended = new Promise((done) => child.once('exit', done));
    child.kill('SIGTERM');
    await ended;
    rmSync(dir, { recursive: true, force: true });
  }
});
