// Finding by a few letters: all words of the query must occur; a start of a word is better than its middle.

const plain = (text: string) => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();

/** How well `text` matches; 0 is not at all. */
export function score(text: string, query: string): number {
  const hay = plain(text);
  let sum = 1;
  for (const word of plain(query).split(/\s+/).filter(Boolean)) {
    const at = hay.indexOf(word);
    if (at < 0) return 0;
    sum += at === 0 ? 4 : /[\s.,:@/_-]/.test(hay[at - 1] ?? '') ? 3 : 1;
  }
  return sum;
}

/** Those that match, the best first; the given order among equals. */
export function rank<T>(items: readonly T[], query: string, text: (item: T) => string): T[] {
  if (!query.trim()) return [...items];
  return items.map((item) => ({ item, s: score(text(item), query) })).filter((x) => x.s > 0).sort((a, b) => b.s - a.s).map((x) => x.item);
}
