// Questions that are asked while the app's code is still on its way. The client takes each answer once; who comes too late
// asks again.

/** Milliseconds after which an answer that nobody took is too old to be shown. */
const OLD = 10_000;

const asked = new Map<string, Promise<Response>>();
let all: Promise<unknown> = Promise.resolve();

/** Runs what asks early, one question leading to another. */
export function early(ask: () => Promise<void>): void {
  all = ask().catch(() => undefined);
}

/** Settles when everything that was to be asked early has been asked. */
export const askedEarly = (): Promise<unknown> => all;

/** Asks for an address of the API, for the app to take. */
export function askEarly(path: string): Promise<Response> {
  const answer = fetch(path, { credentials: 'same-origin' });
  asked.set(path, answer);
  // Nobody may come for it; then it fails in silence here and aloud where the app asks again.
  answer.catch(() => asked.delete(path));
  setTimeout(() => asked.delete(path), OLD);
  return answer;
}

/** The same, and what it says; the app gets a copy of its own. Nothing where the server refused. */
export async function readEarly<T>(path: string): Promise<T | null> {
  const response = await askEarly(path).then((given) => given.clone());
  return response.ok ? await response.json() as T : null;
}

/** The answer to a question that was asked early, if there is one; it is given once. */
export function takeEarly(path: string): Promise<Response> | undefined {
  const answer = asked.get(path);
  asked.delete(path);
  return answer;
}
