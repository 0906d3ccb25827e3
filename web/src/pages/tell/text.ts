// The text of a notice as the page needs it: the few things that are read from it or written into it while it is edited.
// The server alone says what a notice means; this is for what must be shown before it was asked.

export interface Message { when: string; days: number; subject: string }

/** The lines between the two `+++`, with the place of the second; null where there are none. */
function front(text: string): { lines: string[]; end: number } | null {
  const lines = text.split('\n');
  if (lines[0]?.trim() !== '+++') return null;
  const end = lines.findIndex((line, i) => i > 0 && line.trim() === '+++');
  return end < 0 ? null : { lines, end };
}

/** The messages of the schedule, in the order in which the previews count them. */
export function messages(text: string): Message[] {
  const found = front(text);
  const all: Message[] = [];
  let now: Message | null = null;
  for (const line of found?.lines.slice(1, found.end) ?? []) {
    if (/^\s*\[/.test(line)) {
      now = /^\s*\[\[\s*message\s*\]\]/.test(line) ? { when: '', days: 0, subject: '' } : null;
      if (now) all.push(now);
      continue;
    }
    const [, key, value] = /^\s*(when|days|subject)\s*=\s*(.*)$/.exec(line) ?? [];
    if (!now || !key || value === undefined) continue;
    if (key === 'days') now.days = Number.parseInt(value, 10) || 0;
    else now[key as 'when' | 'subject'] = quotedText(value);
  }
  return all;
}

function quotedText(value: string): string {
  const literal = /^'([^']*)'/.exec(value);
  if (literal) return literal[1] ?? '';
  const basic = /^"(?:[^"\\]|\\.)*"/.exec(value);
  if (!basic) return '';
  // A basic string of TOML is one of JSON but for \e, \x and \U, which subjects have no use for.
  try { return JSON.parse(basic[0]) as string; } catch { return basic[0].slice(1, -1); }
}

/** Sets a finding aside: `[[override]]` before `[facts]`, which dunlin writes, or at the end of the head. */
export function setAside(text: string, over: { rule: string; reason: string; by: string }): string {
  const found = front(text);
  if (!found) return text;
  const { lines, end } = found;
  const facts = lines.findIndex((line, i) => i < end && /^\s*\[facts\]/.test(line));
  let place = facts < 0 ? end : facts;
  // A remark above [facts] belongs to it.
  while (facts >= 0 && /^\s*#/.test(lines[place - 1] ?? '')) place -= 1;
  const block = ['[[override]]', ...(['rule', 'reason', 'by'] as const).map((key) => `${key} = ${JSON.stringify(over[key])}`), ''];
  if ((lines[place - 1] ?? '').trim() !== '') block.unshift('');
  return [...lines.slice(0, place), ...block, ...lines.slice(place)].join('\n');
}

/** The same notice for another language, as the text a translation begins from. */
export function inLanguage(text: string, locale: string): string {
  return text.replace(/^(\s*locale\s*=\s*)"[^"]*"/m, `$1${JSON.stringify(locale)}`).replace(/^(\s*version\s*=\s*)\d+/m, '$11');
}

/** Where two texts differ: the lines between what they begin and end with alike. */
export function apart(mine: string, theirs: string): { line: number; mine: string[]; theirs: string[] } {
  const [a, b] = [mine.split('\n'), theirs.split('\n')];
  let from = 0;
  while (from < a.length && from < b.length && a[from] === b[from]) from += 1;
  let end = 0;
  while (end < a.length - from && end < b.length - from && a[a.length - 1 - end] === b[b.length - 1 - end]) end += 1;
  return { line: from + 1, mine: a.slice(from, a.length - end), theirs: b.slice(from, b.length - end) };
}

/** Both sides of a sentence in which the gate says that notice and plan differ; null for any other. */
export function sides(message: string): { what: string; notice: string; plan: string } | null {
  const said = /^(.+?): the notice was written on (.+), the plan says (.+)$/s.exec(message) ?? /^(the text) (?:names|says|gives the address) (.+?), the plan(?:'s days are| only|'s contact is) (.+)$/s.exec(message);
  return said ? { what: said[1] ?? '', notice: plain(said[2] ?? ''), plan: plain(said[3] ?? '') } : null;
}

const plain = (values: string) => values.replaceAll('`', '');

/** Rules about style, and about words in the text that may be right all the same: somebody can answer for them. */
const SETTABLE = new Set(['tell-text-country', 'tell-text-date', 'tell-text-address', 'tell-text-length', 'tell-hard-to-read', 'tell-sentence-long', 'tell-hedge', 'tell-headline-long', 'tell-link-dead']);
export const settable = (rule: string | null | undefined): boolean => SETTABLE.has(rule ?? '');

/** Rules that hold the notice's facts against the plan's. */
export const contradicts = (rule: string | null | undefined): boolean => /^tell-(facts-differ|text-(country|date|address|length))$/.test(rule ?? '');
/** Findings that end when the plan's facts are written into the notice. */
export const aboutFacts = (rule: string | null | undefined): boolean => /^tell-facts-/.test(rule ?? '');
