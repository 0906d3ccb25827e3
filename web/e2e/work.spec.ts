// Work in a real browser over the built server: two people edit at once, the line breaks, a keyboard is all there is.
import { expect, test, type APIRequestContext, type BrowserContext, type Page } from '@playwright/test';
import { looks } from './support';

interface Made { id: string; number: number }

/** A task of this test's own, made as the person of this context. */
async function make(context: BrowserContext, title: string, more: Record<string, unknown> = {}): Promise<Made> {
  const api: APIRequestContext = context.request;
  const me = (await (await api.get('/api/v1/me')).json()) as { csrf: string };
  const made = await api.post('/api/v1/work/tasks', { data: { title, ...more }, headers: { 'x-csrf-token': me.csrf } });
  expect(made.status()).toBe(201);
  return (await made.json()) as Made;
}

async function read(context: BrowserContext, task: Made): Promise<Record<string, unknown>> {
  return (await (await context.request.get(`/api/v1/work/tasks/${task.id}`)).json()) as Record<string, unknown>;
}

/** The grid with only the tasks whose title holds this word. */
async function openGrid(page: Page, word: string): Promise<void> {
  await page.goto('/work');
  await page.getByRole('searchbox').fill(word);
  await expect(page.getByRole('grid').getByRole('row').nth(1)).toContainText(word);
}

const cell = (page: Page, task: string, column: string) => page.getByRole('row').filter({ hasText: task }).locator(`[aria-colindex="${column}"]`);
const TITLE = '2';
const STATUS = '3';
const OWNER = '5';
const DUE = '6';

/** Words that no other run of these tests has used. */
const word = (name: string) => `${name}-${Math.random().toString(36).slice(2, 8)}`;

test('two browsers edit the same grid and both show both edits', async ({ browser, context, page }) => {
  const mark = word('grid');
  const task = await make(context, `${mark} one`);
  await make(context, `${mark} two`);
  const state = await context.storageState();
  const second = await browser.newContext({ storageState: state });
  const other = await second.newPage();
  await openGrid(page, mark);
  await openGrid(other, mark);

  // Different fields of one row at the same moment.
  await cell(page, `${mark} one`, TITLE).click();
  await page.keyboard.type(`${mark} first`);
  await cell(other, `${mark} one`, DUE).click();
  await other.keyboard.type('2026-12-09');
  await Promise.all([page.keyboard.press('Enter'), other.keyboard.press('Enter')]);
  for (const one of [page, other]) {
    await expect(cell(one, `${mark} first`, DUE)).toContainText('9 Dec');
    await expect(one.getByRole('row').filter({ hasText: mark })).toHaveCount(2);
  }
  expect(await read(context, task)).toMatchObject({ title: `${mark} first`, deadline: '2026-12-09' });
  await second.close();
});

test('two browsers move cards on the same board and converge', async ({ browser, context, page }) => {
  const mark = word('board');
  const a = await make(context, `${mark} a`);
  const b = await make(context, `${mark} b`);
  const second = await browser.newContext({ storageState: await context.storageState() });
  const other = await second.newPage();
  for (const one of [page, other]) {
    await one.goto('/work/board');
    await one.getByRole('searchbox').fill(mark);
    await expect(one.getByRole('region', { name: 'To do' }).getByText(`${mark} a`)).toBeVisible();
  }
  const doing = (one: Page) => one.getByRole('region', { name: 'In progress' });
  await page.getByText(`${mark} a`).dragTo(doing(page));
  await other.locator('[data-card]').filter({ hasText: `${mark} b` }).focus();
  await other.keyboard.press('Shift+ArrowRight');
  for (const one of [page, other]) {
    await expect(doing(one).getByText(`${mark} a`)).toBeVisible();
    await expect(doing(one).getByText(`${mark} b`)).toBeVisible();
  }
  expect((await read(context, a)).status).toBe('doing');
  expect((await read(context, b)).status).toBe('doing');
  await second.close();
});

test('offline for ten seconds and back loses nothing', async ({ context, page }) => {
  test.setTimeout(60_000);
  const mark = word('offline');
  const one = await make(context, `${mark} one`);
  const two = await make(context, `${mark} two`);
  await openGrid(page, mark);
  await context.setOffline(true);
  await cell(page, `${mark} one`, TITLE).click();
  await page.keyboard.type(`${mark} renamed`);
  await page.keyboard.press('Enter');
  await cell(page, `${mark} two`, DUE).click();
  await page.keyboard.type('2026-12-10');
  await page.keyboard.press('Enter');
  await cell(page, `${mark} two`, STATUS).click();
  await page.keyboard.press('Enter');
  await page.keyboard.type('Blocked');
  await page.keyboard.press('Enter');
  // Shown at once, and marked as not saved.
  await expect(cell(page, `${mark} renamed`, TITLE)).toBeVisible();
  await expect(page.getByText(/not saved yet; they go out/)).toBeVisible();
  await page.waitForTimeout(10_000);
  expect((await read(context, one).catch(() => ({}))) as object).not.toMatchObject({ title: `${mark} renamed` });
  await context.setOffline(false);
  await expect(page.getByText(/not saved yet; they go out/)).toBeHidden({ timeout: 15_000 });
  expect(await read(context, one)).toMatchObject({ title: `${mark} renamed` });
  expect(await read(context, two)).toMatchObject({ deadline: '2026-12-10', status: 'blocked' });
});

test('the grid, from the keyboard alone', async ({ context, page }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const mark = word('keys');
  const tasks: Made[] = [];
  for (const name of ['a', 'b', 'c']) tasks.push(await make(context, `${mark} ${name}`));
  await openGrid(page, mark);
  await page.getByRole('grid').focus();
  await page.keyboard.press('Control+Home');
  // To the day of the first row, typed as people say it.
  for (let step = 0; step < 5; step += 1) await page.keyboard.press('ArrowRight');
  await page.keyboard.type('2026-12-11');
  await page.keyboard.press('Enter');
  await expect(cell(page, `${mark} a`, DUE)).toContainText('11 Dec');
  // Filled down over all three, copied, cleared, pasted, taken back.
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('Shift+ArrowDown');
  await page.keyboard.press('Shift+ArrowDown');
  await page.keyboard.press('Control+d');
  await expect(cell(page, `${mark} c`, DUE)).toContainText('11 Dec');
  await page.keyboard.press('Control+c');
  await page.keyboard.press('Delete');
  await expect(cell(page, `${mark} b`, DUE)).toHaveText('');
  await page.keyboard.press('Control+v');
  await expect(cell(page, `${mark} b`, DUE)).toContainText('11 Dec');
  await page.keyboard.press('Control+z');
  await expect(cell(page, `${mark} b`, DUE)).toHaveText('');
  await page.keyboard.press('Control+y');
  await expect(cell(page, `${mark} c`, DUE)).toContainText('11 Dec');
  // Esc leaves an editor without a change; Shift Enter opens the row; Esc closes it and focus comes back.
  await page.keyboard.press('Home');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.type('nothing of this');
  await page.keyboard.press('Escape');
  await expect(page.getByRole('row').filter({ hasText: 'nothing of this' })).toHaveCount(0);
  await page.keyboard.press('Shift+Enter');
  await expect(page.getByRole('dialog')).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toBeHidden();
  await expect(page.getByRole('grid')).toBeFocused();
  await expect.poll(async () => (await read(context, tasks[2] as Made)).deadline).toBe('2026-12-11');
});

test('the board and a dialog, from the keyboard alone', async ({ context, page }) => {
  const mark = word('move');
  const task = await make(context, `${mark} card`);
  await page.goto('/work/board');
  await page.getByRole('searchbox').focus();
  await page.keyboard.type(mark);
  await expect(page.locator('[data-card]')).toHaveCount(1);
  await page.locator('[data-card]').focus();
  await page.keyboard.press('m');
  await expect(page.getByRole('menu')).toBeVisible();
  await page.keyboard.press('Home');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('region', { name: 'Blocked' }).getByText(mark)).toBeVisible();
  await expect.poll(async () => (await read(context, task)).status).toBe('blocked');

  await page.getByRole('button', { name: 'New task' }).focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('dialog')).toBeVisible();
  await page.keyboard.press('Enter');
  await expect(page.getByText('Say what is to be done.')).toBeVisible();
  await page.keyboard.type(`${mark} from the keyboard`);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('textbox', { name: 'Task' })).toHaveValue(`${mark} from the keyboard`);
  await page.keyboard.press('Escape');
  await expect(page.locator('[data-card]')).toHaveCount(2);
});

test('what the ledger says of a task cannot be typed', async ({ context, page }) => {
  await page.goto('/work');
  const found = (await (await context.request.get('/api/v1/work/tasks?limit=1&filter=' + encodeURIComponent('{"all":[{"field":"bound","is":[true]}]}'))).json()) as { rows: (Made & { status: string })[] };
  const bound = found.rows[0];
  test.skip(bound === undefined, 'the workspace has no drafted task');
  const task = bound as Made;
  await page.getByRole('searchbox').fill(`T-${task.number}`);
  const row = page.getByRole('row').filter({ has: page.getByRole('gridcell', { name: String(task.number), exact: true }) }).first();
  await row.locator(`[aria-colindex="${OWNER}"]`).click();
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.type('d');
  await expect(page.getByText('Read from the ledger; nobody types it.').first()).toBeVisible();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('dialog').getByText('read from the ledger')).toBeVisible();
});

const DIALOGS = ['Forecast and what-if', 'Questions to answer', 'Import', 'Export', 'Templates', 'Draft from the plan', 'Fields', 'Calendar feed', 'Webhooks'];

test('axe finds nothing in the views of Work, wide and narrow', async ({ context, page }) => {
  test.setTimeout(300_000);
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
  const wrong: string[] = [];
  page.on('console', (message) => message.type() === 'error' && wrong.push(`console: ${message.text()}`));
  page.on('pageerror', (error) => wrong.push(`console: ${error.message}`));
  const task = await make(context, word('axe'), { description: 'Look at **each** rule.', deadline: '2026-12-09' });
  for (const path of ['/work/board', '/work/calendar', '/work/timeline', `/work?task=${task.id}`, '/work/mine']) {
    await page.goto(path);
    wrong.push(...await looks(page, path));
  }
  expect(wrong).toEqual([]);
});

test('axe finds nothing in the dialogs of Work, wide and narrow', async ({ page }) => {
  test.setTimeout(300_000);
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
  const wrong: string[] = [];
  page.on('console', (message) => message.type() === 'error' && wrong.push(`console: ${message.text()}`));
  page.on('pageerror', (error) => wrong.push(`console: ${error.message}`));
  await page.goto('/work/mine');
  for (const name of DIALOGS) {
    await page.locator('.work-acts').getByRole('button', { name: 'More' }).click();
    await page.getByRole('menuitem', { name }).click();
    await expect(page.getByRole('dialog')).toBeVisible();
    wrong.push(...await looks(page, name));
    await page.keyboard.press('Escape');
    await expect(page.getByRole('dialog')).toBeHidden();
  }
  expect(wrong).toEqual([]);
});
