import { describe, expect, it } from 'vitest';
import { bitsOf, disagreeing, type Pair } from './api';
import { added, batch, takenBack, type Ask } from './decisions';

const ask = (pair: string, decision: Ask['decision']): Ask => ({ pair, decision });

describe('decisions on their way', () => {
  it('go together while they are of one kind, in their order', () => {
    const waiting = [ask('a', 'merge'), ask('b', 'merge'), ask('c', 'keep'), ask('d', 'merge')];
    expect(batch(waiting).map((one) => one.pair)).toEqual(['a', 'b']);
    expect(batch(waiting.slice(2)).map((one) => one.pair)).toEqual(['c']);
    expect(batch([])).toEqual([]);
  });

  it('are taken back without a word to the server while they have not been sent', () => {
    expect(added([ask('a', 'merge'), ask('b', 'keep')], ask('a', 'undo'))).toEqual([ask('b', 'keep')]);
    expect(added([ask('b', 'keep')], ask('a', 'undo'))).toEqual([ask('b', 'keep'), ask('a', 'undo')]);
    expect(added([ask('a', 'merge')], ask('a', 'keep'))).toEqual([ask('a', 'keep')]);
  });

  it('are taken back to what was decided before', () => {
    expect(takenBack('a', 'kept')).toMatchObject({ pair: 'a', decision: 'keep' });
    expect(takenBack('a', 'merged')).toMatchObject({ pair: 'a', decision: 'merge' });
    expect(takenBack('a', 'waits').decision).toBe('undo');
    expect(takenBack('a', 'sure').decision).toBe('undo');
    expect(added([ask('a', 'merge'), ask('b', 'keep')], takenBack('a', 'kept'))).toEqual([ask('b', 'keep')]);
    expect(added([ask('b', 'keep')], takenBack('a', 'kept')).map((one) => [one.pair, one.decision])).toEqual([['b', 'keep'], ['a', 'keep']]);
  });
});

describe('evidence', () => {
  const pair: Pair = {
    pair: 'x', table: 'new.people', state: 'waits', acted: true, rows: 2, probability: 0.9375, decided_by: null, decided_at: null,
    evidence: [{ column: 'email', level: 'same', bits: 11.5 }, { column: 'city', level: 'different', bits: -2 }, { column: 'name', level: 'near', bits: 5.4 }, { column: 'phone', level: 'missing', bits: 0 }],
  };

  it('adds up to what the probability says', () => {
    const { start, columns, all } = bitsOf(pair);
    expect(all).toBeCloseTo(Math.log2(15), 6);
    expect(columns).toBeCloseTo(14.9, 6);
    expect(start + columns).toBeCloseTo(all, 9);
  });

  it('names what differs, the strongest against it first, and not what is missing', () => {
    expect(disagreeing(pair)).toEqual(['city', 'name']);
  });
});
