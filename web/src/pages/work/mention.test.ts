import { describe, expect, it } from 'vitest';
import { kept, mentionAt, written } from './mention';

describe('mentions', () => {
  it('are found while they are typed', () => {
    expect(mentionAt('ask @be', 7)).toEqual({ from: 4, word: 'be' });
    expect(mentionAt('mail a@be', 9)).toBeNull();
  });
  it('come back as they went', () => {
    const text = 'Ask @[Ben Okoye](person:b1) and @[Ben](person:b2).';
    const { text: shown, named } = written(text);
    expect(shown).toBe('Ask @Ben Okoye and @Ben.');
    expect(kept(shown, named)).toBe(text);
  });
  it('mean only whole names of those who were chosen', () => {
    expect(kept('@Benny and @Ana', new Map([['Ben', 'b2']]))).toBe('@Benny and @Ana');
  });
});
