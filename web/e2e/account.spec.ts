// Settings: a passkey, an app for codes, recovery codes and the password, without leaving the app. A person of the test's
// own: whoever has a factor is asked for it in every session.
import { createHmac } from 'node:crypto';
import type { Page } from '@playwright/test';
import { BASE, STATE } from './places';
import { expect, settled, test, violations } from './support';

test.use({ storageState: { cookies: [], origins: [] } });
const PASSWORD = 'the herons leave at dusk';

/** Somebody new, invited by the owner, signed in. */
async function somebody(page: Page, email: string): Promise<void> {
  const owner = await page.context().browser()?.newContext({ baseURL: BASE, storageState: STATE });
  if (!owner) throw new Error('no browser');
  const { csrf } = (await (await owner.request.get('/api/v1/me')).json()) as { csrf: string };
  const made = await owner.request.post('/api/v1/invitations', { data: { email, name: 'Ines Vidal', role: 'steward' }, headers: { 'x-csrf-token': csrf } });
  expect(made.ok()).toBe(true);
  const { link } = (await made.json()) as { link: string };
  await owner.close();
  await page.goto(new URL(link).pathname);
  await page.getByLabel('Your name').fill('Ines Vidal');
  await page.getByLabel(/password/i).first().fill(PASSWORD);
  await page.getByRole('button').first().click();
  await page.goto('/settings');
  await settled(page);
}

/** The code of an app for a secret in base32 (RFC 6238, SHA-1, six digits). */
function totp(secret: string, at = Date.now()): string {
  const bits = [...secret.replace(/[\s=]/g, '')].map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((b) => parseInt(b, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(at / 30_000)));
  const mac = createHmac('sha1', key).update(counter).digest();
  const place = (mac[19] ?? 0) & 15;
  return String((mac.readUInt32BE(place) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

test('a passkey is added in the page, with recovery codes after it, and removed', async ({ page }) => {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('WebAuthn.enable');
  await devtools.send('WebAuthn.addVirtualAuthenticator', {
    options: { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
  });
  await somebody(page, 'ines.passkey@atlas.example');
  await page.getByRole('button', { name: 'Add a passkey' }).click();
  await page.getByRole('dialog').getByLabel('Name').fill('work laptop');
  await page.getByRole('dialog').getByRole('button', { name: 'Add a passkey' }).click();
  // The first factor: codes for the day when it is lost come next.
  await page.getByRole('button', { name: 'Make ten codes' }).click();
  await expect(page.getByRole('dialog', { name: 'Your recovery codes' }).getByRole('listitem')).toHaveCount(10);
  expect(await violations(page)).toEqual([]);
  await page.getByRole('button', { name: 'I have kept them' }).click();
  await expect(page.getByText('10 left')).toBeVisible();
  await page.getByRole('button', { name: 'Remove: work laptop' }).click();
  await expect(page.getByText('It is your only second factor', { exact: false })).toBeVisible();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
  await expect(page.getByRole('button', { name: 'Remove: work laptop' })).toHaveCount(0);
});

test('an app for codes is set up, and the password changed', async ({ page, quiet }) => {
  test.setTimeout(120_000);
  await somebody(page, 'ines.codes@atlas.example');
  await page.getByRole('button', { name: 'Set up an app' }).click();
  const dialog = page.getByRole('dialog', { name: 'Set up an app' });
  await expect(dialog.getByRole('img', { name: /QR code/ })).toBeVisible();
  expect(await violations(page)).toEqual([]);
  const secret = (await dialog.locator('code').textContent()) ?? '';
  await dialog.getByLabel('The code that the app shows').fill(totp(secret));
  await dialog.getByRole('button', { name: 'Confirm the app' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
  await expect(page.getByText('set up', { exact: true })).toBeVisible();

  await page.getByRole('button', { name: 'Change the password' }).click();
  const change = page.getByRole('dialog', { name: 'Change the password' });
  await change.getByLabel('Present password').fill(PASSWORD);
  await change.getByLabel('New password').fill('123456789012');
  await change.getByRole('button', { name: 'Change the password' }).click();
  await expect(change.locator('.wrong')).toBeVisible({ timeout: 30_000 });
  await change.getByLabel('New password').fill('a lantern over the mud flats');
  await change.getByRole('button', { name: 'Change the password' }).click();
  // Hashing a password takes its time, on purpose.
  await expect(page.getByText('The password is changed')).toBeVisible({ timeout: 30_000 });
  // The new token against forged requests is in use: another change goes through.
  await page.getByLabel('Name', { exact: true }).fill('Ines V.');
  await page.getByRole('button', { name: 'Save the name' }).click();
  await expect(page.getByText('Your name is saved')).toBeVisible();
  expect(quiet.splice(0).every((line) => line.includes('422'))).toBe(true);
});
