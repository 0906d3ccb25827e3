// The pages of sign-in in a real browser: a password, a passkey, and their ways back into the app.
import { expect, test } from '@playwright/test';
import { OWNER } from './places';
// Not the quiet page of the other tests: a refused sign-in is an answer that the console names.
import { left } from './support';

const password = () => left().passwords[OWNER.email] ?? OWNER.password;

test.use({ storageState: { cookies: [], origins: [] } });

test('a password leads to the page that was asked for, and a wrong one says so', async ({ page }) => {
  await page.goto('/runs');
  await expect(page.getByRole('heading', { name: 'Sign in to the migration' })).toBeVisible();
  await page.getByLabel('E-mail').fill(OWNER.email);
  await page.getByLabel('Password').fill('not this one at all');
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await expect(page.getByRole('alert')).toBeVisible();
  await page.getByLabel('E-mail').fill(OWNER.email);
  await page.getByLabel('Password').fill(password());
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await expect(page).toHaveURL(/\/runs$/);
  await expect(page.getByRole('navigation').first()).toBeVisible();
});

test('a passkey is added, and then is all that it takes', async ({ page }) => {
  // Not the owner: who has a passkey is asked for it in every session, and the other tests have none to show.
  const email = 'nadia@atlas.example';
  // The browser's own authenticator, in software: the same ceremony as with a real one.
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('WebAuthn.enable');
  await devtools.send('WebAuthn.addVirtualAuthenticator', {
    options: { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
  });
  await page.goto('/sign-in');
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password').fill(left().passwords[email] ?? '');
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await expect(page).not.toHaveURL(/sign-in/);
  await page.goto('/enrol');
  await page.getByRole('button', { name: 'Add a passkey' }).click();
  await expect(page).toHaveURL(/\/enrol\/codes/);
  await page.context().clearCookies();
  await page.goto('/sign-in');
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
  await expect(page).not.toHaveURL(/sign-in/);
  await page.goto('/runs');
  await expect(page).toHaveURL(/\/runs$/);
});
