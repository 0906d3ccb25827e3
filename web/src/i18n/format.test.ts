import { describe, expect, it } from 'vitest';
import { bytes, num, pct, short, span, when } from './format';

describe('numbers for people', () => {
  it('separates thousands', () => expect(num(98412)).toBe('98,412'));
  it('never rounds to all or to nothing', () => {
    expect(pct(0.99999)).toBe('99.9%');
    expect(pct(1)).toBe('100%');
    expect(pct(0.000001)).toBe('< 0.1%');
    expect(pct(0)).toBe('0%');
  });
  it('says spans and sizes in units', () => {
    expect(span(51)).toBe('51 s');
    expect(span(3725)).toBe('1 h 02 min');
    expect(bytes(4_509_715)).toBe('4.3 MiB');
  });
  it('shortens ids to what tells them apart', () => {
    expect(short('01a203ae-5c01-73f3-8917-2c7ce4feb494')).toBe('e4feb494'.slice(-8));
    expect(short('e187f277d7bd3314')).toBe('e187f277');
  });
  it('says when in words', () => {
    const now = Date.UTC(2026, 10, 22, 12);
    expect(when((now - 5 * 60_000) * 1000, now)).toBe('5 min ago');
  });
});
