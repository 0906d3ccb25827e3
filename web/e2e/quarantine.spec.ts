// Five thousand rows that wait, worked down to none in the pages, with a handful of decisions; the equation holds after it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { OWN } from './places';
import { run, serve, SERVER } from './program';
import { expect, signUp, test, violations } from './support';

test.use({ baseURL: OWN, storageState: { cookies: [], origins: [] }, actionTimeout: 15_000 });

const PLAN = `[plan]
name = "Dirty"
[store.old]
url = "file:people.csv"
[store.new]
url = "sqlite:new.db"

[[table]]
from = "old"
to = "new.people"
key = ["id"]
[table.columns]
id = { clean = "number", from = "id" }
name = { from = "name", kind = "person_name" }
email = { from = "email", kind = "email" }
birth = { clean = "date", from = "born", formats = ["%Y-%m-%d"], kind = "birth_date" }
owed = { clean = "number", from = "owed" }
[[table.rule]]
name = "an address"
check = "email like '%@%'"
otherwise = "quarantine"
`;

/** 6,000 people: 2,000 births in another order, 1,000 that are none in many shapes, 1,000 sums with words in them, 600
 *  addresses with a word for the sign, 400 that are none. */
function people(): string {
  const two = (n: number) => String(n).padStart(2, '0');
  const rows = ['id,name,email,born,owed'];
  for (let i = 1; i <= 6000; i += 1) {
    const day = [1950 + (i % 50), two(1 + (i % 12)), two(1 + (i % 28))];
    let [email, born, owed] = [`person${i}@mail.example`, day.join('-'), `${i % 900}.50`];
    if (i <= 2000) born = `${day[2]}/${day[1]}/${day[0]}`;
    else if (i <= 3000) born = ['see the file', 'in spring', `in ${day[0]}?`, `${day[0]}/?`, 'ask (again)', 'before the war'][i % 6] ?? '';
    else if (i <= 4000) owed = `EUR ${owed} approx`;
    else if (i <= 4600) email = email.replace('@', ' at ');
    else if (i <= 5000) email = ['none', 'no mail!', 'x'.repeat(3), 'ask (again)'][i % 4] ?? '';
    rows.push(`${i},Person ${i},${email},${born},${owed}`);
  }
  return `${rows.join('\n')}\n`;
}

/** Opens the mistake of a target column; of its shapes only those that `of` fits, where it is given. */
async function open(page: Page, column: string, of?: RegExp): Promise<void> {
  await page.goto('/data');
  await page.getByRole('row').filter({ has: page.getByRole('cell', { name: column, exact: true }) }).getByRole('link').first().click();
  const drawer = page.getByRole('dialog');
  if (!of) return;
  await drawer.getByRole('button', { name: 'Choose none' }).click();
  await drawer.getByRole('checkbox', { name: of }).check();
}

/** Fixes what is open: tried first, whose counts are given back as they are shown. */
async function fix(page: Page, sql: string): Promise<string> {
  await page.getByRole('button', { name: 'Fix and load' }).click();
  const dialog = page.getByRole('dialog', { name: 'Fix and load' });
  await dialog.getByLabel('becomes').fill(sql);
  await dialog.getByRole('button', { name: 'Try it first' }).click();
  const said = await dialog.getByRole('status').innerText();
  await dialog.getByRole('button', { name: /^Fix and load \d/ }).click();
  await expect(page.getByText(/rows are decided on/).last()).toBeVisible({ timeout: 30_000 });
  await expect(dialog).toHaveCount(0);
  return said;
}

test('a person works 5,000 quarantined rows down to none', async ({ page }) => {
  test.setTimeout(180_000);
  const dir = mkdtempSync(join(tmpdir(), 'dunlin-quarantine-'));
  writeFileSync(join(dir, 'people.csv'), people());
  writeFileSync(join(dir, 'dunlin.toml'), PLAN);
  writeFileSync(join(dir, 'server.toml'), SERVER);
  await run('run', '--dir', dir);
  const { child, secret } = await serve(dir, OWN, true);
  try {
    await signUp(page, secret);
    await page.goto('/data');
    await expect(page.getByRole('heading', { name: '5,000 rows wait for a person' })).toBeVisible();
    let decisions = 0;

    // Births with day and month before the year: the shapes before and after say that the expression is right.
    await open(page, 'birth', /^99\/99\/9999/);
    await page.getByRole('button', { name: 'Fix and load' }).click();
    const dialog = page.getByRole('dialog', { name: 'Fix and load' });
    await dialog.getByLabel('becomes').fill('substr(born, 7, 4)');
    await dialog.getByRole('button', { name: 'Try it first' }).click();
    await expect(dialog.getByRole('status')).toContainText('0 of 2,000 rows would load');
    await dialog.getByLabel('becomes').fill("substr(born, 7, 4) || '-' || substr(born, 4, 2) || '-' || substr(born, 1, 2)");
    await dialog.getByRole('button', { name: 'Try it first' }).click();
    await expect(dialog.getByRole('status')).toContainText('2,000 of 2,000 rows would load');
    await expect(dialog.getByRole('row', { name: /born 99\/99\/9999 9999-99-99 2,000/ })).toBeVisible();
    await dialog.getByRole('button', { name: 'Show rows before and after' }).click();
    await expect(dialog.getByRole('columnheader', { name: 'born →' })).toBeVisible();
    await expect(dialog.locator('.opened-rows')).not.toContainText(/\d\d\/\d\d/);
    expect(await violations(page)).toEqual([]);
    await dialog.getByRole('button', { name: 'Fix and load 2,000 rows' }).click();
    await expect(page.getByText('2,000 rows are decided on').last()).toBeVisible({ timeout: 30_000 });
    decisions += 1;

    await open(page, 'birth');
    expect(await fix(page, 'null')).toContain('1,000 of 1,000 rows would load');
    decisions += 1;
    await open(page, 'owed');
    expect(await fix(page, "split_part(owed, ' ', 2)")).toContain('1,000 of 1,000 rows would load');
    decisions += 1;
    // Of the addresses all are tried; those that are none keep waiting, and are then left behind.
    await open(page, 'email');
    expect(await fix(page, "replace(email, ' at ', '@')")).toContain('600 of 1,000 rows would load');
    decisions += 1;
    await open(page, 'email');
    await page.getByRole('button', { name: 'Discard' }).click();
    const discard = page.getByRole('dialog', { name: /^Discard/ });
    await expect(discard.getByRole('button', { name: 'Put it into the plan instead' })).toBeVisible();
    await discard.getByRole('textbox').fill('discard');
    await discard.getByRole('button', { name: 'Discard 400 rows' }).click();
    decisions += 1;

    await expect(page.getByText('No row waits for a person')).toBeVisible({ timeout: 30_000 });
    expect(decisions).toBeLessThanOrEqual(12);
    await page.goto('/data/reconciliation');
    await page.getByRole('button', { name: 'Verify now' }).click();
    await expect(page.locator('.badge', { hasText: 'Verified' })).toBeVisible({ timeout: 60_000 });
    await expect(page.getByRole('heading', { name: 'Every table reconciles' })).toBeVisible();
  } finally {
    child.removeAllListeners('exit');
    const ended = new Promise((done) => child.once('exit', done));
    child.kill('SIGTERM');
    await ended;
    rmSync(dir, { recursive: true, force: true });
  }
});
