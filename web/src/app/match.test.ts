import { describe, expect, it } from 'vitest';
import { rank } from './match';

describe('finding by a few letters', () => {
  const all = ['Evidence', 'Plan', 'Start a run', 'José Núñez', 'atlas.people'];
  it('asks for every word', () => expect(rank(all, 'start run', (x) => x)).toEqual(['Start a run']));
  it('does not mind accents', () => expect(rank(all, 'jose nu', (x) => x)).toEqual(['José Núñez']));
  it('prefers the start of a word', () => expect(rank(['explain', 'Plan'], 'plan', (x) => x)[0]).toBe('Plan'));
  it('keeps the order without a query', () => expect(rank(all, ' ', (x) => x)).toEqual(all));
});
