// What stands beside the tasks, each part as a person would use it: files in and out, talk, templates, fields, views,
// calendar feed, webhooks, questions, history, forecast.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { APIRequestContext, BrowserContext, Locator, Page } from '@playwright/test';
import { BASE } from './places';
import { expect, left, test } from './support';

interface Made { id: string; number: number }
interface Row extends Made { title: string; status: string; owner: string | null; deadline: string | null; labels: string[]; description: string; parent: string | null; depends_on: unknown[]; fields: Record<string, unknown> }

const word = (name: string) => `${name}-${Math.random().toString(36).slice(2, 8)}`;
const fixture = (name: string) => join(import.meta.dirname, 'fixtures', name);

async function make(context: BrowserContext, title: string, more: Record<string, unknown> = {}): Promise<Made> {
  const made = await context.request.post('/api/v1/work/tasks', { data: { title, ...more }, headers: await csrf(context.request) });
  expect(made.status()).toBe(201);
  return (await made.json()) as Made;
}

const csrf = async (api: APIRequestContext) => ({ 'x-csrf-token': ((await (await api.get('/api/v1/me')).json()) as { csrf: string }).csrf });

async function found(context: BrowserContext, q: string): Promise<Row[]> {
  return ((await (await context.request.get(`/api/v1/work/tasks?limit=50&q=${encodeURIComponent(q)}`)).json()) as { rows: Row[] }).rows;
}

/** One of the dialogs that the menu “More” opens. */
async function dialog(page: Page, name: string): Promise<Locator> {
  await page.locator('.work-acts').getByRole('button', { name: 'More' }).click();
  await page.getByRole('menuitem', { name }).click();
  const shown = page.getByRole('dialog');
  await expect(shown).toBeVisible();
  return shown;
}

const FILES = [
  { file: 'airtable.csv', as: 'Airtable (CSV)', rows: 3, finds: 'Airtable:', homeless: /Assignee: nobody of that name here \(1\)/ },
  { file: 'asana.csv', as: 'Asana (CSV)', rows: 4, finds: 'Asana:', homeless: /Projects: no field of its own/ },
  { file: 'jira.csv', as: 'Jira (CSV)', rows: 3, finds: 'Jira:', homeless: /links to tasks that are not in the file/ },
  { file: 'trello.json', as: 'Trello (JSON)', rows: 3, finds: 'Trello:', homeless: /Parked|list|labels|members/ },
];

for (const { file, as, rows, finds, homeless } of FILES) {
  test(`a file of ${as} comes in whole, and can be taken back`, async ({ context, page }) => {
    await page.goto('/work');
    const box = await dialog(page, 'Import');
    await box.getByLabel('File').setInputFiles(fixture(file));
    await box.getByRole('button', { name: 'Next' }).click();
    await expect(box.getByText(`${as}, ${rows} rows.`)).toBeVisible();
    // One column goes elsewhere than proposed: into a note instead of a field.
    if (file === 'airtable.csv') await box.getByLabel('Where Supplier ref goes').selectOption('a note in the description');
    // Every heading has a place that the list names in words.
    for (const choice of await box.locator('select option:checked').allTextContents()) expect(choice).not.toMatch(/_|^fields/);
    await box.getByRole('button', { name: `Import ${rows} rows` }).click();
    await expect(box.getByRole('heading', { name: `${rows} tasks imported` })).toBeVisible();
    await expect(box.getByText(homeless).first()).toBeVisible();
    const made = await found(context, finds);
    expect(made.length).toBe(rows);
    if (file === 'airtable.csv') {
      expect(made.find((one) => one.title.includes('kick-off'))).toMatchObject({ deadline: '2026-11-23', labels: ['move', 'kick-off'], description: expect.stringContaining('Supplier ref: S-1200') as unknown });
      await expect(box.getByText(/Supplier ref/)).toHaveCount(0);
    }
    if (file === 'asana.csv') {
      const map = made.find((one) => one.title === 'Asana: map');
      expect(map?.depends_on).toHaveLength(1);
      expect(made.find((one) => one.title === 'Asana: map customers')?.parent).toBe(map?.id);
      expect(made.find((one) => one.title === 'Asana: kick-off')?.status).toBe('done');
    }
    if (file === 'jira.csv') expect(made.find((one) => one.title === 'Jira: move customers')?.labels).toEqual(expect.arrayContaining(['move', 'data']));
    await box.getByRole('button', { name: 'Undo' }).click();
    await expect(box).toBeHidden();
    await expect.poll(async () => (await found(context, finds)).length).toBe(0);
  });
}

test('tasks leave in every shape, and the shape is read again', async ({ context, page }) => {
  const mark = word('out');
  await make(context, `${mark} one`, { description: '=1+1', deadline: '2026-12-04', labels: ['a', 'b'] });
  await page.goto('/work');
  for (const [as, kind] of [['CSV', 'csv'], ['Airtable (CSV)', 'airtable'], ['Asana (CSV)', 'asana'], ['Jira (CSV)', 'jira'], ['Trello (JSON)', 'trello']] as const) {
    const box = await dialog(page, 'Export');
    await box.getByLabel('Format').selectOption({ label: as });
    const coming = page.waitForEvent('download');
    await box.getByRole('link', { name: 'Download' }).click();
    const text = readFileSync(await (await coming).path(), 'utf8');
    expect(text).toContain(`${mark} one`);
    if (kind !== 'trello') expect(text).toContain("'=1+1");
    // Read again as what it says it is.
    const preview = await context.request.post('/api/v1/work/import/preview', { data: text, headers: { ...(await csrf(context.request)), 'content-type': 'text/plain' } });
    expect(await preview.json()).toMatchObject({ format: kind });
    await expect(box).toBeHidden();
  }
});

test('people talk: a mention, a change of words, files up and down', async ({ context, page }) => {
  const task = await make(context, word('talk'));
  await page.goto(`/work?task=${task.id}`);
  const box = page.getByRole('dialog');
  const write = box.getByRole('textbox', { name: 'Write a comment' });
  await write.click();
  await page.keyboard.type('Ask @nad');
  await expect(box.getByRole('listbox').getByRole('option', { name: /Nadia/ })).toBeVisible();
  await page.keyboard.press('Enter');
  await expect(write).toHaveValue('Ask @Nadia Farouk ');
  await page.keyboard.type('about **the keys**');
  await page.keyboard.press('Control+Enter');
  const said = box.locator('.comment').first();
  await expect(said.locator('strong').last()).toHaveText('the keys');
  await expect(said.locator('.prose')).toContainText('@Nadia Farouk');
  // Whom it names is kept, and she now watches it.
  const kept = (await (await context.request.get(`/api/v1/work/tasks/${task.id}/comments`)).json()) as { items: { mentions: string[] }[] };
  expect(kept.items[0]?.mentions).toEqual([left().people.nadia]);
  await said.getByRole('button', { name: 'Edit' }).click();
  await said.getByRole('textbox').fill('Ask @Nadia Farouk about the keys, today');
  await said.getByRole('button', { name: 'Comment' }).click();
  await expect(said).toContainText('today');
  await expect(said).toContainText('edited');

  await box.locator('input[type=file]').setInputFiles({ name: 'what we agreed (1) ñ.txt', mimeType: 'text/plain', buffer: Buffer.from('agreed') });
  const link = box.getByRole('link', { name: 'what we agreed (1) ñ.txt' });
  await expect(link).toBeVisible();
  const coming = page.waitForEvent('download');
  await link.click();
  const file = await coming;
  expect(file.suggestedFilename()).toBe('what we agreed (1) ñ.txt');
  expect(readFileSync(await file.path(), 'utf8')).toBe('agreed');
  await box.getByRole('button', { name: 'Remove what we agreed (1) ñ.txt' }).click();
  await expect(link).toBeHidden();
  await said.getByRole('button', { name: 'Delete' }).click();
  await expect(box.getByText('Nobody has said anything yet.')).toBeVisible();
});

test('a template is kept from what the filter leaves, and makes its tasks', async ({ context, page }) => {
  const mark = word('pattern');
  const first = await make(context, `${mark} first`, { start: '2026-12-01', deadline: '2026-12-02' });
  await make(context, `${mark} second`, { deadline: '2026-12-04', depends_on: [{ task: first.id, lag_days: 0 }], labels: ['kept'] });
  await page.goto('/work');
  await page.getByRole('searchbox').fill(mark);
  await expect(page.getByText('2 of')).toBeVisible();
  let box = await dialog(page, 'Templates');
  await box.getByRole('textbox', { name: 'Name' }).fill(mark);
  await box.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText(`Template “${mark}” saved, 2 tasks`)).toBeVisible();
  await box.getByLabel('First day').fill('2027-01-11');
  await box.getByRole('listitem').filter({ hasText: mark }).getByRole('button', { name: 'Make these tasks' }).click();
  await expect(box).toBeHidden();
  await expect(page.getByText('4 of')).toBeVisible();
  const made = (await found(context, mark)).filter((one) => one.deadline?.startsWith('2027'));
  expect(made.map((one) => one.deadline).sort()).toEqual(['2027-01-12', '2027-01-14']);
  expect(made.find((one) => one.title.endsWith('second'))).toMatchObject({ labels: ['kept'], depends_on: [{ lag_days: 0 }] });
  box = await dialog(page, 'Templates');
  await expect(box.getByRole('listitem').filter({ hasText: mark })).toBeVisible();
});

test('a field of one’s own is made, filled in the grid, renamed and taken away', async ({ context, page }) => {
  const mark = word('field');
  const task = await make(context, `${mark} one`);
  await page.goto('/work');
  const box = await dialog(page, 'Fields');
  await box.getByLabel('Name', { exact: true }).fill(mark);
  await box.getByLabel('Kind').selectOption({ label: 'One of several' });
  await box.getByLabel('Choices', { exact: true }).fill('North, South');
  await box.getByRole('button', { name: 'Add a field' }).click();
  await expect(box.getByRole('textbox', { name: `Choices of ${mark}` })).toHaveValue('North, South');
  await page.keyboard.press('Escape');
  await page.getByRole('searchbox').fill(mark);
  const cell = page.getByRole('row').filter({ hasText: `${mark} one` }).getByRole('gridcell').last();
  await page.getByRole('grid').evaluate((grid) => { grid.scrollLeft = grid.scrollWidth; });
  await cell.click();
  await page.keyboard.press('Enter');
  await page.keyboard.type('Sou');
  await page.keyboard.press('Enter');
  await expect(cell).toHaveText('South');
  await expect.poll(async () => Object.values((await found(context, mark))[0]?.fields ?? {})).toHaveLength(1);
  await page.goto(`/work?task=${task.id}`);
  await expect(page.getByRole('dialog').getByLabel(mark)).toHaveValue(/.+/);
  await page.keyboard.press('Escape');
  const again = await dialog(page, 'Fields');
  await again.getByRole('button', { name: `Delete field ${mark}` }).click();
  await expect(page.getByText(`Field “${mark}” deleted`)).toBeVisible();
  await expect(again.getByRole('textbox', { name: `Name of ${mark}` })).toHaveCount(0);
});

test('views are one’s own, everybody’s, or locked', async ({ browser, page }) => {
  const mark = word('view');
  const other = await browser.newContext({ baseURL: BASE, storageState: { cookies: [], origins: [] }, extraHTTPHeaders: { origin: BASE } });
  const in_ = await other.request.post('/api/v1/sign-in', { data: { email: 'ben@partner.example', password: left().passwords['ben@partner.example'] } });
  expect(in_.ok()).toBe(true);
  await page.goto('/work');
  await page.getByRole('searchbox').fill('quarantine');
  const bar = page.getByRole('toolbar');
  for (const [name, who] of [[`${mark} mine`, 'Only me'], [`${mark} ours`, 'Everybody, who may change it too'], [`${mark} fixed`, 'Everybody, but only I change it']] as const) {
    await bar.getByRole('button').first().click();
    await page.getByRole('menuitem', { name: 'Save as a view' }).click();
    const box = page.getByRole('dialog');
    await box.getByLabel('Name').fill(name);
    await box.getByLabel('Who sees it').selectOption({ label: who });
    await box.getByRole('button', { name: 'Save' }).click();
    await expect(bar.getByRole('button', { name })).toBeVisible();
  }
  // The owner changes the locked one; another person sees two of them and cannot write the locked one.
  await page.getByRole('searchbox').fill('verify');
  await bar.getByRole('button', { name: 'Save changes' }).click();
  await expect(bar.getByRole('button', { name: 'Save changes' })).toBeHidden();
  const views = await other.request.get('/api/v1/work/views');
  expect(views.ok(), await views.text()).toBe(true);
  const seen = ((await views.json()) as { items: { id: string; name: string; settings: { filter: { q: string } } }[] }).items.filter((one) => one.name.startsWith(mark));
  expect(seen.map((one) => one.name).sort()).toEqual([`${mark} fixed`, `${mark} ours`]);
  expect(seen.find((one) => one.name.endsWith('fixed'))?.settings.filter.q).toBe('verify');
  const theirs = await other.newPage();
  await theirs.goto('/work');
  await theirs.getByRole('toolbar').getByRole('button').first().click();
  await theirs.getByRole('menuitemradio', { name: `${mark} fixed` }).click();
  await expect(theirs.getByRole('searchbox')).toHaveValue('verify');
  await theirs.getByRole('searchbox').fill('else');
  await expect(theirs.getByRole('grid').or(theirs.getByText('No task fits this filter'))).toBeVisible();
  await expect(theirs.getByRole('button', { name: 'Save changes' })).toHaveCount(0);
  await other.close();
  await bar.getByRole('button').first().click();
  await page.getByRole('menuitem', { name: `Delete view “${mark} fixed”` }).click();
  await expect(bar.getByRole('button', { name: 'All tasks' })).toBeVisible();
});

test('a calendar reads one’s tasks by a secret address, until it is revoked', async ({ context, page, playwright }) => {
  const me = (await (await context.request.get('/api/v1/me')).json()) as { person: string };
  const mark = word('feed');
  await make(context, `${mark} one`, { owner: me.person, deadline: '2026-12-07' });
  await page.goto('/work');
  const box = await dialog(page, 'Calendar feed');
  await box.getByRole('button', { name: /Make an address|New address/ }).click();
  const url = await box.getByLabel('Address of the feed').inputValue();
  // A calendar program has no session.
  const program = await playwright.request.newContext({ storageState: { cookies: [], origins: [] } });
  const read = await program.get(url);
  expect(read.headers()['content-type']).toContain('text/calendar');
  const text = await read.text();
  expect(text).toContain(`${mark} one`);
  expect(text).toMatch(/DTSTART;VALUE=DATE:20261207/);
  await box.getByRole('button', { name: 'Revoke' }).click();
  await expect(box.getByRole('button', { name: 'Make an address' })).toBeVisible();
  expect((await program.get(url)).status()).toBe(404);
  await program.dispose();
});

test('a program is told of changes, with a secret that is shown once', async ({ page }) => {
  await page.goto('/work');
  const box = await dialog(page, 'Webhooks');
  const url = `https://hooks.example.com/${word('hook')}`;
  await box.getByLabel('Address').fill(url);
  await box.getByRole('checkbox', { name: 'Comments' }).uncheck();
  await box.getByRole('button', { name: 'Add' }).click();
  await expect(box.getByText('It is shown once.')).toBeVisible();
  await expect(box.getByRole('listitem').filter({ hasText: url })).toContainText('Tasks');
  await page.keyboard.press('Escape');
  const again = await dialog(page, 'Webhooks');
  await expect(again.getByText('It is shown once.')).toHaveCount(0);
  await again.getByRole('button', { name: `Remove ${url}` }).click();
  await expect(again.getByRole('listitem').filter({ hasText: url })).toHaveCount(0);
});

test('the business answers a question in its form', async ({ context, page }) => {
  const mark = word('question');
  const task = await make(context, `${mark} Which of two addresses counts?`, { question: true, description: 'Both are in **use**.' });
  await page.goto('/work');
  const box = await dialog(page, 'Questions to answer');
  const one = box.getByRole('listitem').filter({ hasText: mark });
  await expect(one.locator('strong')).toHaveText('use');
  await one.getByLabel('Your answer').fill('The newer one.');
  await one.getByRole('button', { name: 'Answer' }).click();
  await expect(page.getByText('Answered', { exact: true })).toBeVisible();
  await expect(one).toContainText('The newer one.');
  expect(await (await context.request.get(`/api/v1/work/tasks/${task.id}`)).json()).toMatchObject({ status: 'done' });
});

test('the history says who changed what, and takes it back', async ({ context, page }) => {
  const mark = word('past');
  const task = await make(context, mark);
  await page.goto(`/work?task=${task.id}`);
  const box = page.getByRole('dialog');
  await box.getByLabel('Priority').selectOption({ label: 'Urgent' });
  await expect.poll(async () => ((await (await context.request.get(`/api/v1/work/tasks/${task.id}`)).json()) as { priority: string }).priority).toBe('urgent');
  await box.getByRole('tab', { name: 'History' }).click();
  const line = box.locator('.history li').filter({ hasText: 'Priority' });
  await expect(line).toContainText('Normal → Urgent');
  await line.getByRole('button', { name: 'Undo the change of Priority' }).click();
  await expect(box.getByLabel('Priority', { exact: true })).toHaveValue('normal');
});

test('the forecast says what it rests on, and what another course would change', async ({ page }) => {
  await page.goto('/work');
  const box = await dialog(page, 'Forecast and what-if');
  await expect(box.getByText('What this rests on')).toBeVisible();
  await expect(box.getByText('Simulated courses')).toBeVisible();
  await box.getByLabel('Workers').fill('8');
  for (const day of ['Sat', 'Sun']) await box.getByRole('checkbox', { name: day }).check();
  await box.getByRole('checkbox', { name: 'atlas.people' }).check();
  await box.getByRole('button', { name: 'Calculate' }).click();
  await expect(box.locator('.stats[aria-live] dd').first()).not.toHaveText('');
  await expect(box.getByText(/no difference|day.? (earlier|later)/).first()).toBeVisible();
  await expect(box.locator('.problem, [role=alert]')).toHaveCount(0);
});
