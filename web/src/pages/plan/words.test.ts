import { describe, expect, it } from 'vitest';
import { complete } from './words';

describe('completion in the plan', () => {
  it('offers headings', () => {
    expect(complete('[ta')?.words).toContain('table.columns');
    expect(complete('[[')?.words).toContain('table.rule');
  });
  it('offers the keys of the heading it is under', () => {
    expect(complete('[store.crm]\nur')?.words).toContain('url');
    expect(complete('[[table]]\nfrom = "a"\n')?.words).toContain('where');
  });
  it('offers the values of closed lists', () => {
    expect(complete('[[table.rule]]\notherwise = "')?.words).toContain('quarantine');
    expect(complete('[table.columns]\nemail = { from = "email", kind = "em')?.words).toContain('email');
    expect(complete('[table.columns]\nemail = { fr')?.words).toContain('from');
  });
  it('is silent elsewhere', () => {
    expect(complete('[plan]\nname = "My pl')).toBeNull();
  });
});
