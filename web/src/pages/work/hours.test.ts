import { describe, expect, it } from 'vitest';
import { cells, covered, daysOf, lengthOf, meanOf, same, weigh, written } from './hours';

const window = (days: string, from: string, to: string) => ({ days: days.split(' '), from, to, zone: 'Europe/Madrid' });

describe('hours of the week', () => {
  it('belong to the day on which a window opens, over midnight and over the week’s end', () => {
    expect([...covered(window('sun', '22:00', '02:00'))]).toEqual([166, 167, 0, 1]);
    expect(covered(window('mon', '01:30', '03:30'))).toEqual(new Set([1, 2, 3]));
  });
  it('are a whole day where both times are the same', () => {
    expect(lengthOf(window('mon', '00:00', '24:00'))).toBe(1440);
    expect(covered(window('mon tue wed thu fri sat sun', '00:00', '00:00')).size).toBe(168);
    expect(written(window('mon', '00:00', '00:00')).to).toBe('24:00');
    expect(same(window('mon', '00:00', '24:00'), window('mon', '00:00', '00:00'))).toBe(true);
    expect(same(window('mon', '00:00', '06:00'), window('tue', '00:00', '06:00'))).toBe(false);
  });
  it('weigh more while people are at work, the more what moves is about them', () => {
    expect(weigh(0.2, 10, 1)).toBeCloseTo(0.6);
    expect(weigh(0.2, 3, 1)).toBeCloseTo(0.2);
    expect(weigh(0.2, 5 * 24 + 10, 1)).toBeCloseTo(0.2);
  });
  it('are not made up where nothing is known', () => {
    expect(cells(null, 0.5)).toBeNull();
    expect(cells(new Array(168).fill(0), 0.5)).toBeNull();
    const known = cells(new Array(168).fill(0).map((_, h) => (h < 24 ? 10 : 5)), 0);
    expect(known && meanOf(known, window('sun', '22:00', '02:00')).load).toBeCloseTo(0.75);
  });
});

describe('who works when', () => {
  const all = [{ id: 'everybody', days: ['mon', 'tue'], holidays: [] }, { id: 'Partner Ltd', days: ['wed'], holidays: ['2026-12-24'] }];
  it('is what one said oneself, one’s organisation, or everybody', () => {
    expect(daysOf(all, 'ben', 'Partner Ltd')).toMatchObject({ days: ['wed'], from: 'Partner Ltd' });
    expect(daysOf(all, 'ana', null)).toMatchObject({ days: ['mon', 'tue'], from: 'everybody' });
    expect(daysOf([], 'ana', null)).toMatchObject({ days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: null });
  });
});
