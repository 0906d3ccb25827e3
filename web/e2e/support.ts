// What several tests need: a page that counts what the console complains of, and axe.
import { expect, test as base, type Page } from '@playwright/test';
import axe, { type Result, type RunOptions } from 'axe-core';
import { readFileSync } from 'node:fs';
import { OWNER, PLACES_FILE, type Left } from './places';

/** A test whose page may not complain. */
export const test = base.extend<{ quiet: string[] }>({
  quiet: [async ({ page }, use) => {
    const said: string[] = [];
    page.on('console', (message) => {
      // A preview of a notice runs nothing, so that what the tests themselves try inside its frame is refused too.
      if (message.type() === 'error' && !/^Blocked script execution in '[^']*\/preview\?/.test(message.text())) said.push(message.text());
    });
    page.on('pageerror', (error) => said.push(error.message));
    await use(said);
    expect(said, 'the console').toEqual([]);
  }, { auto: true }],
});
export { expect };

export function left(): Left {
  return JSON.parse(readFileSync(PLACES_FILE, 'utf8')) as Left;
}

/** What axe finds, as short lines; with `only`, by these rules alone. Frames that run nothing are not entered: axe could
 *  not run there and would wait. What they show are the public pages, which have tests of their own. */
export async function violations(page: Page, only?: string[]): Promise<string[]> {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe.source);
  const options: RunOptions = { resultTypes: ['violations'], ...(only ? { runOnly: { type: 'rule', values: only } } : {}) };
  const found = await page.evaluate(async (how) => {
    const { axe: run } = window as unknown as { axe: { run(where: object, how: object): Promise<{ violations: Result[] }> } };
    return (await run.run({ exclude: ['iframe[sandbox]'] }, how)).violations;
  }, options);
  return found.flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.target.join(' ')} ${n.failureSummary?.split('\n')[1]?.trim() ?? ''}`));
}

/** What is wrong with what is open, in every look: wide and narrow, light and dark. It is opened once and changed in place,
 *  and left narrow, so that what leads on from here is found on a phone too. */
export async function looks(page: Page, name: string): Promise<string[]> {
  const wrong: string[] = [];
  for (const width of [1440, 390]) {
    await page.setViewportSize({ width, height: 900 });
    await settled(page);
    for (const line of await violations(page)) wrong.push(`${name}, ${width} wide: ${line}`);
    // Dark differs by nothing but its colours. Nothing moves from one to the other, or axe would measure half-way.
    await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' });
    for (const line of await violations(page, ['color-contrast'])) wrong.push(`${name}, ${width} wide, dark: ${line}`);
    await page.emulateMedia({ colorScheme: 'light', reducedMotion: null });
    const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (over > 0) wrong.push(`${name}, ${width} wide: ${over} px wider than the window`);
  }
  return wrong;
}

/** Waits until nothing on the page is a shape of what is to come. */
export async function settled(page: Page): Promise<void> {
  await expect(page.locator('main h1').first()).toBeAttached();
  await expect(page.locator('.skeleton')).toHaveCount(0);
}

/** Sets up a server that nobody has signed in to yet, with the secret that it printed, as its owner. */
export async function signUp(page: Page, secret: string): Promise<void> {
  await page.goto('/');
  await page.getByRole('textbox').first().fill(secret);
  await page.getByLabel('Your name').fill(OWNER.name);
  await page.getByLabel('E-mail').fill(OWNER.email);
  await page.getByLabel(/password/i).fill(OWNER.password);
  await page.getByRole('button').first().click();
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
}
