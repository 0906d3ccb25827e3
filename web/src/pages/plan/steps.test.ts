import { describe, expect, it } from 'vitest';
import type { PlanTable } from '@/api/types';
import { mapping } from './mapping';
import { columnSteps, draftOf, missing, ruleDraft, ruleSteps, takesLast } from './steps';
import { headings, withRule } from './toml';

const table: PlanTable = {
  from: 'crm.a', to: 'atlas.a', key: ['id'],
  columns: [{ target: 'id', sql: 'id' }, { target: 'mail', clean: 'email', from: 'email', kind: 'email' }, { target: 'whole', sql: "a || ' ' || b" }],
  drop: [{ column: 'fax', reason: 'gone' }],
};
const source = ['id', 'email', 'a', 'b', 'fax', 'new one'];
const lines = mapping(table, source.map((name) => ({ name, type: 'TEXT' })));
const line = (name: string) => lines.find((l) => l.target === name || l.source === name) ?? null;

describe('an edit of a column', () => {
  it('decides on a column, with quotes where its name needs them', () => {
    const draft = { ...draftOf(line('new one'), table), fate: 'as_is' as const, target: 'new_one' };
    expect(columnSteps(3, table, line('new one'), draft, source)).toEqual([{ op: 'set', path: ['table', 3, 'columns', 'new_one'], value: '"new one"' }]);
  });
  it('renames, and keeps what else was said', () => {
    const draft = { ...draftOf(line('mail'), table), target: 'email' };
    expect(columnSteps(0, table, line('mail'), draft, source)).toEqual([
      { op: 'remove', path: ['table', 0, 'columns', 'mail'] },
      { op: 'set', path: ['table', 0, 'columns', 'email'], value: { clean: 'email', from: 'email', kind: 'email' } },
    ]);
  });
  it('leaves a column behind with its reason, and takes one back', () => {
    const drop = { ...draftOf(line('mail'), table), fate: 'dropped' as const, reason: ' not needed ' };
    expect(columnSteps(0, table, line('mail'), drop, source)).toEqual([
      { op: 'remove', path: ['table', 0, 'columns', 'mail'] }, { op: 'set', path: ['table', 0, 'drop', 'email'], value: 'not needed' },
    ]);
    const back = { ...draftOf(line('fax'), table), fate: 'as_is' as const };
    expect(columnSteps(0, table, line('fax'), back, source)).toEqual([
      { op: 'remove', path: ['table', 0, 'drop', 'fax'] }, { op: 'set', path: ['table', 0, 'columns', 'fax'], value: 'fax' },
    ]);
  });
  it('names every column once one of a table that names none is different', () => {
    const all: PlanTable = { from: 'a', to: 'b' };
    const one = mapping(all, [{ name: 'x', type: null }, { name: 'y', type: null }])[1] ?? null;
    const steps = columnSteps(0, all, one, { ...draftOf(one, all), kind: 'none' }, ['x', 'y']);
    expect(steps.map((s) => s.path[3])).toEqual(['x', 'y']);
    expect(steps[1]).toMatchObject({ value: { from: 'y', kind: 'none' } });
  });
  it('says what is missing, and does not take the last column', () => {
    expect(missing(draftOf(line('new one'), table), line('new one'), table)).toEqual(['fate']);
    expect(missing({ ...draftOf(line('mail'), table), target: 'id' }, line('mail'), table)).toEqual(['taken']);
    const single: PlanTable = { from: 'a', to: 'b', columns: [{ target: 'x', sql: 'x' }] };
    expect(takesLast(single, mapping(single, undefined)[0] ?? null, 'dropped')).toBe(true);
  });
});

describe('an edit of a rule', () => {
  it('writes what differs', () => {
    const rule = { name: 'n', check: 'a > 1', otherwise: 'stop' };
    expect(ruleSteps(1, 2, rule, { ...ruleDraft(rule), check: 'a > 2' })).toEqual([{ op: 'set', path: ['table', 1, 'rule', 2, 'check'], value: 'a > 2' }]);
    expect(ruleSteps(1, 2, rule, { ...ruleDraft(rule), otherwise: 'fix', fix: [{ column: 'a', sql: '2' }] })).toHaveLength(2);
  });
  const text = 'x = """\n[not.this]\n"""\n[[table]]\nfrom = "a"\nkey = [\n  ["id"]\n]\n[[table.rule]] # one\nname = "r"\n\n# about b\n[[table]]\nfrom = "b"\n';
  it('knows headings from what only looks like them', () => {
    expect(headings(text).map((h) => [h.line, h.name])).toEqual([[3, 'table'], [8, 'table.rule'], [12, 'table']]);
  });
  it('adds a rule where people would write it', () => {
    expect(withRule(text, 0, { name: 's', check: 'a = "b"' })).toBe(text.replace('name = "r"\n', 'name = "r"\n\n[[table.rule]]\nname = "s"\ncheck = "a = \\"b\\""\n'));
    expect(withRule(text, 1, { name: 's', fix: { a: '1' } })).toBe(`${text.trimEnd()}\n\n[[table.rule]]\nname = "s"\nfix = { a = "1" }\n`);
    expect(withRule(text, 2, { name: 's' })).toBeNull();
  });
});
