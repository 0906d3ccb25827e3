// What several tests need: a page that counts what the console complains of, and axe.
import AxeBuilder from '@axe-core/playwright';
import { expect, test as base, type Page } from '@playwright/test';
import { readFileSync } from 'node:fs';
import { PLACES_FILE, type Left } from './places';

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
  const axe = new AxeBuilder({ page }).exclude('iframe[sandbox]');
  const { violations: found } = await (only ? axe.withRules(only) : axe).analyze();
  return found.flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.target.join(' ')} ${n.failureSummary?.split('\n')[1]?.trim() ?? ''}`));
}

/** Waits until nothing on the page is a shape of what is to come. */
export async function settled(page: Page): Promise<void> {
  await expect(page.locator('main h1').first()).toBeAttached();
  await expect(page.locator('.skeleton')).toHaveCount(0);
}
