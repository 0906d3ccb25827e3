import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { complete, type Schema } from './words';

// The very schema that the server gives.
const schema = JSON.parse(readFileSync('../docs/plan.schema.json', 'utf8')) as Schema;
const labels = (text: string) => complete(text, schema)?.words.map((w) => w.label) ?? null;

describe('completion in the plan', () => {
  it('offers headings', () => {
    expect(labels('[ta')).toContain('table.columns');
    expect(labels('[')).toContain('store.');
    expect(labels('[[')).toEqual(expect.arrayContaining(['person', 'table', 'table.rule']));
  });
  it('offers the keys of the heading it is under', () => {
    expect(labels('[store.crm]\nur')).toContain('url');
    expect(labels('[[table]]\nfrom = "a"\n')).toContain('where');
    expect(labels('[[table]]\n[[table.rule]]\n')).toContain('otherwise');
  });
  it('offers the values of closed lists', () => {
    expect(labels('[[table.rule]]\notherwise = "')).toContain('quarantine');
    expect(labels('[[person]]\nrole = "')).toContain('steward');
    expect(labels('[window]\ndays = ["mon", "')).toContain('tue');
    expect(labels('[store.a]\nprotected = ')).toContain('true');
    expect(labels('[table.columns]\nemail = { from = "email", kind = "em')).toContain('email');
  });
  it('offers what a column may say', () => expect(labels('[table.columns]\nemail = { fr')).toEqual(expect.arrayContaining(['from', 'clean', 'protect'])));
  it('tells what a word is for', () => expect(complete('[[table]]\n', schema)?.words.find((w) => w.label === 'where')?.about).toMatch(/rows move/));
  it('is silent elsewhere', () => {
    expect(labels('[plan]\nname = "My pl')).toBeNull();
    expect(labels('# a remark = "')).toBeNull();
  });
});
