import { describe, expect, it } from 'vitest';
import { addressOf } from './link';

describe('the address of a link', () => {
  it('fills in parameters, made safe', () => expect(addressOf({ to: '/runs/$run', params: { run: 'a/b c' } as never })).toBe('/runs/a%2Fb%20c'));
  it('says its search as the router reads it', () => {
    expect(addressOf({ to: '/data', search: { group: 'g 1', table: undefined } as never })).toBe('/data?group=g+1');
    // A number in words stays words.
    expect(addressOf({ to: '/guard/log', search: { entry: '12' } as never })).toBe('/guard/log?entry=%2212%22');
  });
  it('is the overview where nothing is said', () => expect(addressOf({})).toBe('/'));
});
