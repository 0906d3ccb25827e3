import { describe, expect, it } from 'vitest';
import { dayNumber } from '@/grid/dates';
import { layWeek, monthDays, nextMonth, rescheduled } from './calendar';
import { mentionAt } from './mention';
import { linkPath, outline, scaleOf, ticks } from './timeline';
import type { TimelineTask } from './types';

describe('calendar', () => {
  it('shows whole weeks of a month', () => {
    const days = monthDays('2026-11-22');
    expect(days[0]).toBe('2026-10-26');
    expect(days.length).toBe(42);
    expect(monthDays('2027-02-10').length).toBe(28);
    expect(nextMonth('2026-12-15', 1)).toBe('2027-01-01');
    expect(nextMonth('2026-01-15', -1)).toBe('2025-12-01');
  });
  it('gives bars lanes in which none lies over another', () => {
    let seed = 3;
    const next = (most: number) => (seed = (seed * 1103515245 + 12345) % 2147483648) % most;
    for (let turn = 0; turn < 200; turn += 1) {
      const dated = Array.from({ length: 12 }, (_, item) => {
        const from = 15 + next(20);
        return { item, start: `2026-11-${String(Math.min(30, from)).padStart(2, '0')}`, end: `2026-11-${String(Math.min(30, from + next(6))).padStart(2, '0')}` };
      });
      const bars = layWeek(dated, '2026-11-16');
      for (const a of bars) for (const b of bars) {
        if (a.item !== b.item && a.lane === b.lane) expect(a.to < b.from || b.to < a.from).toBe(true);
      }
      const inWeek = dated.filter((one) => one.start <= '2026-11-22' && one.end >= '2026-11-16');
      expect(bars.length).toBe(inWeek.length);
    }
  });
  it('moves both days of a task by what the drag moved', () => {
    expect(rescheduled({ start: '2026-11-20', deadline: '2026-11-23' }, '2026-11-21', '2026-11-30')).toEqual({ start: '2026-11-29', deadline: '2026-12-02' });
    expect(rescheduled({ start: null, deadline: '2026-11-23' }, '2026-11-23', '2026-11-24')).toEqual({ deadline: '2026-11-24' });
    expect(rescheduled({ start: null, deadline: '2026-11-23' }, '2026-11-23', '2026-11-23')).toEqual({});
  });
});

describe('timeline', () => {
  const bar = (id: string, parent: string | null) => ({ id, parent }) as TimelineTask;
  it('places days and fills the room', () => {
    const scale = scaleOf(['2026-11-22', null, '2026-12-01'], 'day', 2000);
    expect(scale.first).toBe('2026-11-19');
    expect(scale.x('2026-11-22')).toBe(3 * 32);
    expect(scale.width).toBeGreaterThanOrEqual(2000);
    expect(dayNumber(scale.last)).toBeGreaterThan(dayNumber('2026-12-01'));
    expect(ticks(scaleOf(['2026-11-22', '2027-02-01'], 'month'), 'month')).toContain('2027-01-01');
  });
  it('puts parts under their whole, and loses nobody', () => {
    const lines = outline([bar('b', 'a'), bar('c', null), bar('a', null), bar('d', 'b'), bar('x', 'gone'), bar('y', 'z'), bar('z', 'y')]);
    expect(lines.map((line) => `${line.depth}${line.task.id}`)).toEqual(['0c', '0a', '1b', '2d', '0x', '0y', '0z']);
  });
  it('draws links that end at the next bar', () => {
    expect(linkPath(10, 5, 60, 40)).toBe('M10 5H16V40H59');
    expect(linkPath(60, 5, 10, 40)).toMatch(/H9$/);
  });
});

describe('mentions', () => {
  it('finds the word that is being typed after an @', () => {
    expect(mentionAt('hello @an', 9)).toEqual({ from: 6, word: 'an' });
    expect(mentionAt('mail@an', 7)).toBeNull();
    expect(mentionAt('@', 1)).toEqual({ from: 0, word: '' });
  });
});
