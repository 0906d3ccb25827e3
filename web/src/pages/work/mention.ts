// Mentions in comments: people write and read “@Ben Okoye”; the server keeps who that is.

/** The word after an @ that is being typed, up to the caret. */
export function mentionAt(text: string, caret: number): { from: number; word: string } | null {
  const found = /(?:^|\s)@([\p{L}\p{N}.-]{0,30})$/u.exec(text.slice(0, caret));
  return found ? { from: caret - (found[1] as string).length - 1, word: found[1] as string } : null;
}

/** People that a text names, by the name that stands in it. */
export type Named = ReadonlyMap<string, string>;

const KEPT = /@\[([^\]\n]+)\]\(person:([^)\s]+)\)/g;

/** As a person writes it, and whom it names. */
export function written(kept: string): { text: string; named: Named } {
  const named = new Map<string, string>();
  const text = kept.replace(KEPT, (_, name: string, id: string) => {
    named.set(name, id);
    return `@${name}`;
  });
  return { text, named };
}

/** As the server keeps it. A name that is the beginning of another's comes after it. */
export function kept(text: string, named: Named): string {
  const names = [...named.keys()].sort((a, b) => b.length - a.length);
  if (names.length === 0) return text;
  const any = new RegExp(`@(${names.map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|')})(?![\\p{L}\\p{N}])`, 'gu');
  return text.replace(any, (_, name: string) => `@[${name}](person:${named.get(name)})`);
}
