// Mentions in comments.

/** The word after an @ that is being typed, up to the caret. */
export function mentionAt(text: string, caret: number): { from: number; word: string } | null {
  const found = /(?:^|\s)@([\p{L}\p{N}.-]{0,30})$/u.exec(text.slice(0, caret));
  return found ? { from: caret - (found[1] as string).length - 1, word: found[1] as string } : null;
}
