import { describe, expect, it } from 'vitest';
import { apart, inLanguage, messages, setAside, sides } from './text';

const TEXT = `+++
notice = "move"
locale = "en"
version = 3

[[message]]
when = "before"
days = 30
subject = "We say \\"soon\\""

[[message]]
when = 'after'
days = 1
subject = 'Done' # a remark

# dunlin writes this
[facts]
fingerprint = "ab"
+++

[[message]] in the body is no message.
`;

describe('the text of a notice', () => {
  it('names its messages in order, and none from the body', () => {
    expect(messages(TEXT)).toEqual([{ when: 'before', days: 30, subject: 'We say "soon"' }, { when: 'after', days: 1, subject: 'Done' }]);
    expect(messages('no head')).toEqual([]);
  });

  it('gets an override above [facts] and its remark, and keeps every other line', () => {
    const over = setAside(TEXT, { rule: 'tell-hedge', reason: 'a "may" of permission', by: 'ana@example.com' });
    expect(over).toContain('subject = \'Done\' # a remark\n\n[[override]]\nrule = "tell-hedge"\nreason = "a \\"may\\" of permission"\nby = "ana@example.com"\n\n# dunlin writes this\n[facts]');
    expect(over.replace(/\[\[override\]\]\nrule.*\nreason.*\nby.*\n\n/, '')).toBe(TEXT);
  });

  it('gets an override at the end of a head without facts', () => {
    expect(setAside('+++\nnotice = "a"\n+++\nBody', { rule: 'r', reason: 'x', by: 'y' })).toBe('+++\nnotice = "a"\n\n[[override]]\nrule = "r"\nreason = "x"\nby = "y"\n\n+++\nBody');
    expect(setAside('not a notice', { rule: 'r', reason: 'x', by: 'y' })).toBe('not a notice');
  });

  it('begins again at version 1 in another language', () => {
    const other = inLanguage(TEXT, 'fr');
    expect(other).toContain('locale = "fr"\nversion = 1\n');
  });

  it('differs from another where it differs', () => {
    expect(apart('a\nb\nc\nd', 'a\nx\ny\nd')).toEqual({ line: 2, mine: ['b', 'c'], theirs: ['x', 'y'] });
    expect(apart('a\na', 'a\na\na')).toEqual({ line: 3, mine: [], theirs: ['a'] });
    expect(apart('a', 'a')).toEqual({ line: 2, mine: [], theirs: [] });
  });

  it('has two sides where it contradicts the plan', () => {
    expect(sides('where data goes: the notice was written on `Ireland`, the plan says `United States`')).toEqual({ what: 'where data goes', notice: 'Ireland', plan: 'United States' });
    expect(sides('the text names `France`, the plan only `Spain`, `Ireland`')).toEqual({ what: 'the text', notice: 'France', plan: 'Spain, Ireland' });
    expect(sides('this is not yet a reason')).toBeNull();
  });
});
