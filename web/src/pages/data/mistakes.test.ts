import { describe, expect, it } from 'vitest';
import type { Plan, QuarantineGroup } from '@/api/types';
import { discardAsPlan, fixAsPlan, mistakes, owed, sourceOf } from './mistakes';

const group = (id: string, rows: number, part: Partial<QuarantineGroup> = {}): QuarantineGroup => ({ group: id, run: 'r', table: 'new.people', reason: 'wrong-type', column: 'born', pattern: id, rows, task: null, ...part });
const plan = {
  tables: [{
    from: 'old.people', to: 'new.people', key: ['id'], rules: [{ name: 'adults', check: 'age >= 18', otherwise: 'quarantine' }],
    columns: [{ target: 'id', sql: 'id' }, { target: 'birth', sql: 'born' }, { target: 'mail', clean: 'email', from: 'email' }],
  }],
} as unknown as Plan;

describe('mistakes', () => {
  it('puts the shapes of one mistake together, the largest first', () => {
    const found = mistakes([group('a', 3), group('b', 4), group('c', 5, { reason: 'rule:adults', column: 'age' })]);
    expect(found.map((m) => [m.reason, m.rows, m.groups.length])).toEqual([['wrong-type', 7, 2], ['rule:adults', 5, 1]]);
  });

  it('says whose it is and until when', () => {
    const task = (owner: string | null, deadline: string | null) => ({ id: 't', number: 1, owner, deadline });
    expect(owed([task('ana', null), task('ana', '2027-02-01'), task('ben', '2027-01-31')])).toEqual({ owners: ['ana', 'ben'], by: '2027-01-31' });
    expect(owed([])).toEqual({ owners: [], by: null });
  });

  it('knows the source column behind a target column', () => {
    expect(sourceOf(plan, 'new.people', 'birth', undefined)).toBe('born');
    expect(sourceOf(plan, 'new.people', 'born', undefined)).toBe('born');
    expect(sourceOf(plan, 'new.people', 'elsewhere', undefined)).toBeNull();
  });

  it('makes a fix a part of the plan where the column goes over as it is, and only there', () => {
    expect(fixAsPlan(plan, 'new.people', 'born', 'null', undefined)).toEqual([{ op: 'set', path: ['table', 0, 'columns', 'birth'], value: 'null' }]);
    expect(fixAsPlan(plan, 'new.people', 'email', 'null', undefined)).toBeNull();
    expect(fixAsPlan(plan, 'new.other', 'born', 'null', undefined)).toBeNull();
  });

  it('makes a discard a part of the plan where a rule refuses the rows', () => {
    expect(discardAsPlan(plan, 'new.people', 'rule:adults')).toEqual([{ op: 'set', path: ['table', 0, 'rule', 0, 'otherwise'], value: 'exclude' }]);
    expect(discardAsPlan(plan, 'new.people', 'wrong-type')).toBeNull();
  });
});
