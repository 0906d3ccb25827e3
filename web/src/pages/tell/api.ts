// What the pages of Tell ask for and send. Everything about notices lies under one name, so that one event makes it stale.
import { queryOptions, type QueryClient } from '@tanstack/react-query';
import { raw, type Finding } from '@/api/client';
import type { Items } from '@/api/types';

/** A version that was handed in. */
export interface Version {
  id: string; notice: string; locale: string; version: number; file: string; sha256: string;
  status: 'submitted' | 'published' | 'withdrawn' | 'taken_back'; authors: string[];
  submitted_by: string; submitted_at: number; approved_by: string | null; published_at: number | null;
  withdrawn_by: string | null; withdrawn_at: number | null;
  plan_fingerprint: string; approved_fingerprint: string | null; facts_fingerprint: string;
}
export type NoticeStatus = 'broken' | 'draft' | 'submitted' | 'published' | 'changed';
/** A notice of the workspace in one language. */
export interface NoticeLine {
  name: string; status: NoticeStatus; notice: string | null; locale: string | null; version: number | null; headline: string | null;
  sha256: string; passes: boolean; errors: number; warnings: number; findings: Finding[]; waiting: Version | null; shown: Version | null;
  precedes: boolean; publish: string | null; answers: { version: number; choice: 'keep' | 'close'; people: number }[];
}
export interface NoticeDay { file: string; date: string; what: 'publish' | 'before' | 'during' | 'after'; title: string }
export interface NoticeText extends NoticeLine { text: string; versions: Version[]; days: NoticeDay[]; languages: string[] }
/** A notice with the mark of its text, against edits that overtake each other. */
export interface Read { etag: string; data: NoticeText }
export interface Compared {
  old: Version | null; new: Version;
  parts: { place: string; happened: 'added' | 'removed' | 'changed'; words: { what: 'same' | 'added' | 'removed'; text: string }[] }[];
}
export interface Checked { passes: boolean; findings: Finding[] }

const BASE = '/api/v1/notices';
const at = (name: string, rest = '') => `${BASE}/${encodeURIComponent(name)}${rest}`;
const version = (id: string, rest = '') => `${BASE}/versions/${encodeURIComponent(id)}${rest}`;
const json = async <T>(path: string, init?: RequestInit) => (await (await raw(path, init)).json()) as T;
const post = <T>(path: string, body: unknown = {}) => json<T>(path, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } });
const withMark = async (path: string, init?: RequestInit): Promise<Read> => {
  const answer = await raw(path, init);
  return { data: (await answer.json()) as NoticeText, etag: answer.headers.get('etag') ?? '' };
};

export const noticesQuery = queryOptions({ queryKey: ['notices'], queryFn: () => json<Items<NoticeLine>>(BASE) });
export const noticeQuery = (name: string) => queryOptions({ queryKey: ['notices', 'one', name], queryFn: () => withMark(at(name)) });
export const versionsQuery = queryOptions({ queryKey: ['notices', 'versions'], queryFn: () => json<Items<Version>>(`${BASE}/versions`) });
export const diffQuery = (id: string, other?: string) => queryOptions({ queryKey: ['notices', 'diff', id, other ?? ''], queryFn: () => json<Compared>(version(id, `/diff${other ? `?with=${encodeURIComponent(other)}` : ''}`)) });
/** A preview that is words and no document. */
export const wordsQuery = (path: string, sha256: string) => queryOptions({ queryKey: ['notices', 'words', path, sha256], retry: false, staleTime: Infinity, queryFn: async () => (await raw(path)).text() });

export type Form = 'page' | 'fragment' | 'mail' | 'mail_text' | 'text';
/** Where a preview lies. `sha256` is of the text, so that a new text is a new address and the frame is drawn anew. */
export const previewPath = (of: { name: string } | { version: string }, form: Form, message: number, sha256: string): string =>
  ('name' in of ? at(of.name, '/preview') : version(of.version, '/preview')) + `?as=${form}${form.startsWith('mail') ? `&message=${message}` : ''}#${sha256.slice(0, 12)}`;

export const draft = (body: { notice: string; lang: string; begins?: string; ends?: string; old_copy_until?: string }) => post<NoticeText>(`${BASE}/draft`, body);
const put = (name: string, text: string, mark: Record<string, string>) => withMark(at(name), { method: 'PUT', body: text, headers: { 'content-type': 'text/plain', ...mark } });
/** Saves over the text that was read; another one there is refused. */
export const save = (name: string, text: string, etag: string) => put(name, text, { 'if-match': etag });
/** Saves a file that must not be there yet. */
export const saveNew = (name: string, text: string) => put(name, text, { 'if-none-match': '*' });
export const takeFacts = (name: string, etag: string) => withMark(at(name, '/facts'), { method: 'POST', headers: { 'if-match': etag } });
export const check = (name: string) => json<Checked>(at(name, '/check'), { method: 'POST' });
export const handIn = (name: string, sha256: string) => post<Version>(at(name, '/submit'), { sha256 });
export const approve = (v: Version) => post<Version>(version(v.id, '/approve'), { sha256: v.sha256 });
export const takeBack = (v: Version) => json<Version>(version(v.id, '/take-back'), { method: 'POST' });
export const withdraw = (v: Version, reason: string) => post<Version>(version(v.id, '/withdraw'), { reason });

/** What an act on a notice makes stale. */
export function stale(client: QueryClient): Promise<void> {
  return client.invalidateQueries({ queryKey: ['notices'] });
}
