// What the pages of Tell ask for and send. Everything about notices lies under one name, so that one event makes it stale.
import { queryOptions, type QueryClient } from '@tanstack/react-query';
import { api, body, raw, type Finding } from '@/api/client';
import type { components } from '@/api/schema';
import type { Items } from '@/api/types';

type Said = components['schemas'];
/** The server says every field, and null where there is nothing. */
type Whole<T> = { [K in keyof T]-?: Exclude<T[K], undefined> };
/** A version that was handed in. */
export type Version = Whole<Said['VersionLine']>;
/** A notice of the workspace in one language. */
export type NoticeLine = Omit<Whole<Said['NoticeLine']>, 'findings' | 'waiting' | 'shown'> & { findings: Finding[]; waiting: Version | null; shown: Version | null };
/** The same with its text. */
export type NoticeText = NoticeLine & Pick<Said['NoticeText'], 'text' | 'days' | 'languages'> & { versions: Version[] };
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
const of = (v: Version) => ({ params: { path: { version: v.id } } });
const withMark = async (path: string, init?: RequestInit): Promise<Read> => {
  const answer = await raw(path, init);
  return { data: (await answer.json()) as NoticeText, etag: answer.headers.get('etag') ?? '' };
};

export const noticesQuery = queryOptions({ queryKey: ['notices'], queryFn: () => body<Items<NoticeLine>>(api.GET('/api/v1/notices')) });
export const noticeQuery = (name: string) => queryOptions({ queryKey: ['notices', 'one', name], queryFn: () => withMark(at(name)) });
export const versionsQuery = queryOptions({ queryKey: ['notices', 'versions'], queryFn: () => body<Items<Version>>(api.GET('/api/v1/notices/versions', { params: { query: {} } })) });
export const diffQuery = (id: string, other?: string) => queryOptions({ queryKey: ['notices', 'diff', id, other ?? ''], queryFn: () => body<Compared>(api.GET('/api/v1/notices/versions/{version}/diff', { params: { path: { version: id }, query: { with: other } } })) });
/** A preview that is words and no document. */
export const wordsQuery = (path: string, sha256: string) => queryOptions({ queryKey: ['notices', 'words', path, sha256], retry: false, staleTime: Infinity, queryFn: async () => (await raw(path)).text() });

export type Form = 'page' | 'fragment' | 'mail' | 'mail_text' | 'text';
/** Where a preview lies. `sha256` is of the text, so that a new text is a new address and the frame is drawn anew. */
export const previewPath = (of: { name: string } | { version: string }, form: Form, message: number, sha256: string): string =>
  ('name' in of ? at(of.name, '/preview') : version(of.version, '/preview')) + `?as=${form}${form.startsWith('mail') ? `&message=${message}` : ''}#${sha256.slice(0, 12)}`;

export const draft = (asked: { notice: string; lang: string; begins?: string; ends?: string; old_copy_until?: string }) => body<NoticeText>(api.POST('/api/v1/notices/draft', { body: asked }));
const put = (name: string, text: string, mark: Record<string, string>) => withMark(at(name), { method: 'PUT', body: text, headers: { 'content-type': 'text/plain', ...mark } });
/** Saves over the text that was read; another one there is refused. */
export const save = (name: string, text: string, etag: string) => put(name, text, { 'if-match': etag });
/** Saves a file that must not be there yet. */
export const saveNew = (name: string, text: string) => put(name, text, { 'if-none-match': '*' });
export const takeFacts = (name: string, etag: string) => withMark(at(name, '/facts'), { method: 'POST', headers: { 'if-match': etag } });
export const check = (name: string) => body<Checked>(api.POST('/api/v1/notices/{name}/check', { params: { path: { name } } }));
export const handIn = (name: string, sha256: string) => body<Version>(api.POST('/api/v1/notices/{name}/submit', { params: { path: { name } }, body: { sha256 } }));
export const approve = (v: Version) => body<Version>(api.POST('/api/v1/notices/versions/{version}/approve', { ...of(v), body: { sha256: v.sha256 } }));
export const takeBack = (v: Version) => body<Version>(api.POST('/api/v1/notices/versions/{version}/take-back', of(v)));
export const withdraw = (v: Version, reason: string) => body<Version>(api.POST('/api/v1/notices/versions/{version}/withdraw', { ...of(v), body: { reason } }));

/** What an act on a notice makes stale. */
export function stale(client: QueryClient): Promise<void> {
  return client.invalidateQueries({ queryKey: ['notices'] });
}
