// The typed client. One place adds the token against forged requests, follows the server where it wants a sign-in,
// and turns a problem (RFC 9457) into an error that pages can show.
import createClient from 'openapi-fetch';
import { turn } from '@/app/turns';
import { problemWords } from '@/i18n/language';
import { takeEarly } from './early';
import type { paths } from './schema';

/** What the server says when something is wrong. */
export interface Problem {
  title: string;
  status: number;
  code: string;
  help?: string;
  reference?: string;
  findings?: Finding[];
  retry_after?: number;
  current?: unknown;
}

/** One thing that was found in a plan. */
export interface Finding {
  level: 'error' | 'warning' | 'info';
  rule?: string | null;
  table?: string | null;
  column?: string | null;
  file?: string | null;
  line?: number | null;
  col?: number | null;
  message: string;
  help?: string | null;
}

/** A problem as an error. */
export class ProblemError extends Error {
  readonly problem: Problem;
  constructor(problem: Problem) {
    super(problem.title);
    this.problem = problem;
  }
}

let csrf: string | null = null;

/** Keeps what `GET /me` gave against forged requests. */
export function setCsrf(token: string | null): void {
  csrf = token;
}

/** Headers for a request made without the typed client (files, streams). */
export function changeHeaders(): Record<string, string> {
  return csrf ? { 'x-csrf-token': csrf } : {};
}

let leaving = false;

/** Leads to the server's page of sign-in, and back here afterwards. */
export function toSignIn(page = '/sign-in'): void {
  if (leaving) return;
  leaving = true;
  const back = location.pathname + location.search;
  location.assign(back === '/' ? page : `${page}?next=${encodeURIComponent(back)}`);
}

/** What is on its way already is not asked for again; a page's many questions do not hold up its drawing. */
async function ask(path: string, request: Request | RequestInit): Promise<Response> {
  const reads = (request.method ?? 'GET') === 'GET';
  const early = reads ? takeEarly(path) : undefined;
  if (early) return early;
  if (reads) await turn();
  return request instanceof Request ? fetch(request) : fetch(path, request);
}

export const api = createClient<paths>({
  baseUrl: '',
  credentials: 'same-origin',
  fetch: (request: Request) => { const { pathname, search } = new URL(request.url); return ask(pathname + search, request); },
});

api.use({
  onRequest({ request }) {
    if (request.method !== 'GET' && csrf) request.headers.set('x-csrf-token', csrf);
    return request;
  },
});

/** Reads a problem from an answer; what is none (a proxy's page) becomes one. */
export async function problemOf(response: Response, body?: unknown): Promise<Problem> {
  let said = body;
  if (said === undefined) {
    try { said = await response.json(); } catch { said = undefined; }
  }
  const found = said as Partial<Problem> | undefined;
  const translated = problemWords(found?.code ?? '');
  return {
    ...found,
    title: translated?.[0] ?? found?.title ?? response.statusText ?? String(response.status),
    help: translated?.[1] ?? found?.help,
    status: response.status,
    code: found?.code ?? 'unknown',
    reference: found?.reference ?? response.headers.get('x-request-id') ?? undefined,
  };
}

function follow(problem: Problem): void {
  if (problem.status === 401) toSignIn();
  else if (problem.code === 'second_factor_needed') toSignIn('/second-factor');
  else if (problem.code === 'enrolment_needed') toSignIn('/enrol');
}

/** Waits for an answer and gives its body as `T`, or throws a `ProblemError`. */
export async function body<T>(asked: Promise<{ data?: unknown; error?: unknown; response: Response }>): Promise<T> {
  let answer;
  try {
    answer = await asked;
  } catch {
    throw new ProblemError({ title: '', status: 0, code: 'offline' });
  }
  if (answer.response.ok) return answer.data as T;
  const problem = await problemOf(answer.response, answer.error);
  follow(problem);
  throw new ProblemError(problem);
}

/** The same, with the answer's `ETag`; the server marks that of a compressed answer, and it is one and the same to us. */
export async function bodyWithEtag<T>(asked: Promise<{ data?: unknown; error?: unknown; response: Response }>): Promise<{ data: T; etag: string }> {
  const answer = await asked.catch(() => { throw new ProblemError({ title: '', status: 0, code: 'offline' }); });
  if (answer.response.ok) return { data: answer.data as T, etag: (answer.response.headers.get('etag') ?? '').replace('-gzip"', '"') };
  const problem = await problemOf(answer.response, answer.error);
  follow(problem);
  throw new ProblemError(problem);
}

/** A request that the typed client has no form for: plain text, bytes, an address that is not declared yet. */
export async function raw(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = { ...changeHeaders(), ...(init.headers as Record<string, string> | undefined) };
  let response: Response;
  try {
    response = await ask(path, { credentials: 'same-origin', ...init, headers });
  } catch {
    throw new ProblemError({ title: '', status: 0, code: 'offline' });
  }
  if (!response.ok) {
    const problem = await problemOf(response);
    follow(problem);
    throw new ProblemError(problem);
  }
  return response;
}
