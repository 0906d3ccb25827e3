import { describe, expect, it } from 'vitest';
import { mapping, plainColumn, reads } from './mapping';

const column = (name: string) => ({ name, type: 'INTEGER' });

describe('the mapping of a table', () => {
  it('knows one column from an expression', () => {
    expect(plainColumn('customer_id')).toBe('customer_id');
    expect(plainColumn('"odd name"')).toBe('odd name');
    expect(plainColumn('lower(a)')).toBeNull();
  });
  it('finds what an expression reads, but not in texts', () => {
    expect(reads("trim(first_name) || ' ' || last_name", 'first_name')).toBe(true);
    expect(reads("status <> 'test'", 'test')).toBe(false);
    expect(reads('first_name', 'name')).toBe(false);
  });
  it('gives every source column a fate', () => {
    const table = { from: 'crm.a', to: 'atlas.a', key: ['id'], where: "state = 'x'", columns: [{ target: 'n', sql: 'upper(name)' }, { target: 'id', sql: 'id' }], drop: [{ column: 'fax', reason: 'gone' }] };
    const lines = mapping(table, ['id', 'name', 'fax', 'state', 'lost'].map(column));
    const fate = Object.fromEntries(lines.map((l) => [l.source ?? l.target, l.how]));
    expect(fate).toEqual({ n: 'sql', id: 'as_is', fax: 'dropped', name: 'used', state: 'used', lost: 'undecided' });
  });
  it('moves every column where none is named', () => {
    expect(mapping({ from: 'a', to: 'b' }, [column('x')]).map((l) => l.target)).toEqual(['x']);
  });
});
