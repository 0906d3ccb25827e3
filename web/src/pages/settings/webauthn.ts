// Passkeys in the page: what the server asks for, in the bytes that the browser wants, and back.
import { raw, setCsrf } from '@/api/client';

interface Begun { ceremony: string; options: { publicKey: Record<string, unknown> } }
interface Stage { stage: string; csrf: string }
interface Described { id: string; type: string }

const post = async <T>(path: string, body: unknown): Promise<T> => (await raw(path, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } })).json() as Promise<T>;

function bytes(text: unknown): ArrayBuffer {
  const plain = atob(String(text).replaceAll('-', '+').replaceAll('_', '/'));
  const made = new Uint8Array(plain.length);
  for (let i = 0; i < plain.length; i += 1) made[i] = plain.charCodeAt(i);
  return made.buffer;
}

function text(buffer: ArrayBuffer): string {
  let plain = '';
  for (const byte of new Uint8Array(buffer)) plain += String.fromCharCode(byte);
  return btoa(plain).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

const described = (list: unknown) => ((list ?? []) as Described[]).map((one) => ({ ...one, id: bytes(one.id), type: 'public-key' as const }));

/** Whether this browser has passkeys at all. */
export const canPasskey = () => typeof PublicKeyCredential !== 'undefined';
/** Whether a ceremony ended because the person, or their device, did not go on. */
export const wasLeft = (error: unknown) => error instanceof DOMException && (error.name === 'NotAllowedError' || error.name === 'AbortError');
/** Whether the device has a passkey of this account already. */
export const hadOne = (error: unknown) => error instanceof DOMException && error.name === 'InvalidStateError';

/** Adds a passkey under a name. */
export async function addPasskey(label: string): Promise<void> {
  const begun = await post<Begun>('/api/v1/me/passkeys/begin', {});
  const key = begun.options.publicKey;
  const user = key.user as Record<string, unknown>;
  const made = await navigator.credentials.create({
    publicKey: { ...key, challenge: bytes(key.challenge), user: { ...user, id: bytes(user.id) }, excludeCredentials: described(key.excludeCredentials) } as unknown as PublicKeyCredentialCreationOptions,
  }) as PublicKeyCredential;
  const response = made.response as AuthenticatorAttestationResponse;
  const stage = await post<Stage>('/api/v1/me/passkeys/finish', {
    ceremony: begun.ceremony, label,
    credential: {
      id: made.id, rawId: text(made.rawId), type: made.type, extensions: made.getClientExtensionResults(),
      response: { attestationObject: text(response.attestationObject), clientDataJSON: text(response.clientDataJSON) },
    },
  });
  setCsrf(stage.csrf);
}

/** Shows a passkey, so that the session counts as fresh. */
export async function showPasskey(): Promise<void> {
  const begun = await post<Begun>('/api/v1/sign-in/second-factor/passkey/begin', {});
  const key = begun.options.publicKey;
  const got = await navigator.credentials.get({
    publicKey: { ...key, challenge: bytes(key.challenge), allowCredentials: described(key.allowCredentials) } as unknown as PublicKeyCredentialRequestOptions,
  }) as PublicKeyCredential;
  const response = got.response as AuthenticatorAssertionResponse;
  const stage = await post<Stage>('/api/v1/sign-in/second-factor/passkey/finish', {
    ceremony: begun.ceremony,
    credential: {
      id: got.id, rawId: text(got.rawId), type: got.type, extensions: got.getClientExtensionResults(),
      response: {
        authenticatorData: text(response.authenticatorData), clientDataJSON: text(response.clientDataJSON), signature: text(response.signature),
        userHandle: response.userHandle ? text(response.userHandle) : null,
      },
    },
  });
  setCsrf(stage.csrf);
}

/** Shows a code of the app, or a recovery code. */
export async function showCode(code: string): Promise<void> {
  const stage = await post<Stage>('/api/v1/sign-in/second-factor', { code });
  setCsrf(stage.csrf);
}

/** Proves that the app for codes works. */
export async function confirmApp(code: string): Promise<void> {
  const stage = await post<Stage>('/api/v1/me/totp/confirm', { code });
  setCsrf(stage.csrf);
}

/** Changes the password; all other sessions end. */
export async function changePassword(present: string, next: string): Promise<void> {
  const answer = await raw('/api/v1/me/password', { method: 'PUT', body: JSON.stringify({ present, new: next }), headers: { 'content-type': 'application/json' } });
  setCsrf(((await answer.json()) as Stage).csrf);
}
