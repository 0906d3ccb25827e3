import { describe, expect, it } from 'vitest';
import { addDays, readDay, shortDay, weekday } from './dates';
import { actOf } from './keys';
import { Lines } from './lines';
import { at, boxOf, inside, moved, tabbed } from './range';
import { parseTsv, printTsv, tiled } from './tsv';
import { printValue, readValue } from './values';
import { columnSpan, edges, lineSpan, nearer, reveal } from './virtual';
import { PAGE } from './page';
import { Windows } from './windows';

const extent = { rows: 100, cols: 5, page: 20 };

describe('range', () => {
  it('moves, extends and stays inside', () => {
    const here = at(3, 2);
    expect(moved(here, 'down', extent, false).anchor).toEqual({ row: 4, col: 2 });
    expect(moved(at(0, 0), 'up', extent, false).anchor).toEqual({ row: 0, col: 0 });
    const wide = moved(moved(here, 'right', extent, true), 'pageDown', extent, true);
    expect(boxOf(wide)).toEqual({ top: 3, bottom: 23, left: 2, right: 3 });
    expect(moved(here, 'last', extent, false).anchor).toEqual({ row: 99, col: 4 });
    expect(inside(at(400, 9), extent).anchor).toEqual({ row: 99, col: 4 });
  });
  it('tabs along rows and lets focus out at the ends', () => {
    expect(tabbed(at(0, 4), false, extent)?.anchor).toEqual({ row: 1, col: 0 });
    expect(tabbed(at(1, 0), true, extent)?.anchor).toEqual({ row: 0, col: 4 });
    expect(tabbed(at(0, 0), true, extent)).toBeNull();
    expect(tabbed(at(99, 4), false, extent)).toBeNull();
  });
});

describe('clipboard', () => {
  it('round-trips what spreadsheets find hard', () => {
    const rows = [['a\tb', 'line\nend', 'say "no"'], ['', '5\'10"', '=1+1']];
    expect(parseTsv(printTsv(rows))).toEqual(rows);
    expect(parseTsv('a\tb\r\nc\td\r\n')).toEqual([['a', 'b'], ['c', 'd']]);
    expect(parseTsv('"5 inch\tx')).toEqual([['"5 inch', 'x']]);
    expect(parseTsv('a\t')).toEqual([['a', '']]);
  });
  it('round-trips random tables', () => {
    let seed = 7;
    const next = (most: number) => (seed = (seed * 1103515245 + 12345) % 2147483648) % most;
    const bits = ['a', '"', '\t', '\n', ' ', 'é', '""', 'x,y'];
    for (let turn = 0; turn < 300; turn += 1) {
      const width = 2 + next(3);
      const rows = Array.from({ length: 1 + next(4) }, () =>
        Array.from({ length: width }, () => Array.from({ length: next(5) }, () => bits[next(bits.length)]).join('')),
      );
      expect(parseTsv(printTsv(rows))).toEqual(rows);
    }
  });
  it('fills a range with one cell and lays a block once', () => {
    expect(tiled([['x']], 2, 2)).toEqual([['x', 'x'], ['x', 'x']]);
    expect(tiled([['a'], ['b']], 4, 1)).toEqual([['a'], ['b'], ['a'], ['b']]);
    expect(tiled([['a', 'b']], 1, 1)).toEqual([['a', 'b']]);
  });
});

describe('days', () => {
  const now = '2026-11-22'; // a Sunday
  it('reads what people type', () => {
    expect(weekday(now)).toBe(7);
    expect(readDay('wed 9 dec', 'en-GB', now)).toBe('2026-12-09');
    expect(readDay('9 de diciembre', 'es-ES', now)).toBe('2026-12-09');
    expect(readDay('miércoles', 'es-ES', now)).toBe('2026-11-25');
    expect(readDay('sun', 'en-GB', now)).toBe('2026-11-29');
    expect(readDay('+3', 'en-GB', now)).toBe('2026-11-25');
    expect(readDay('+2w', 'en-GB', now)).toBe('2026-12-06');
    expect(readDay('mañana', 'es-ES', now)).toBe('2026-11-23');
    expect(readDay('2/1', 'en-GB', now)).toBe('2027-01-02');
    expect(readDay('2/1', 'en-US', now)).toBe('2027-02-01');
    expect(readDay('Dec 9, 2027', 'en-US', now)).toBe('2027-12-09');
    expect(readDay('31 feb', 'en-GB', now)).toBeNull();
    expect(readDay('2026-02-30', 'en-GB', now)).toBeNull();
    expect(readDay('soon', 'en-GB', now)).toBeNull();
  });
  it('counts across clock changes', () => {
    expect(addDays('2026-03-28', 2)).toBe('2026-03-30');
    expect(addDays('2026-10-24', 2)).toBe('2026-10-26');
    expect(shortDay('2026-12-09', 'en-GB', now)).toBe('Wed 9 Dec');
  });
});

describe('values', () => {
  const reading = { locale: 'en-GB', today: '2026-11-22', options: [{ id: 'p1', name: 'Ana Ruiz' }, { id: 'p2', name: 'Ben Okoye' }] };
  it('reads and prints by kind', () => {
    expect(readValue('ana ruiz', 'person', reading)).toEqual({ ok: true, value: 'p1' });
    expect(readValue('nobody', 'person', reading)).toEqual({ ok: false });
    expect(readValue('1,234.5', 'number', reading)).toEqual({ ok: true, value: 1234.5 });
    expect(readValue('1.234,5', 'number', { ...reading, locale: 'es-ES' })).toEqual({ ok: true, value: 1234.5 });
    expect(readValue('1.5 h', 'number', reading)).toEqual({ ok: true, value: 1.5 });
    expect(readValue('', 'date', reading)).toEqual({ ok: true, value: null });
    expect(readValue('javascript:alert(1)', 'url', reading)).toEqual({ ok: false });
    expect(readValue('Ana Ruiz; Ben Okoye', 'multi', reading)).toEqual({ ok: true, value: ['p1', 'p2'] });
    expect(readValue('x, y, x', 'multi', { ...reading, options: [] })).toEqual({ ok: true, value: ['x', 'y'] });
    expect(printValue(['p1', 'p2'], 'multi', reading.options)).toBe('Ana Ruiz, Ben Okoye');
  });
});

describe('lines', () => {
  const groups = [
    { value: 'a', count: 3, sums: {} },
    { value: null, count: 2, sums: {} },
    { value: 'c', count: 4, sums: {} },
  ];
  it('maps lines to rows with groups open and closed', () => {
    const all = new Lines(9, groups, new Set());
    expect(all.count).toBe(12);
    expect(all.at(0)).toEqual({ group: 0, open: true });
    expect(all.at(3)).toEqual({ offset: 2 });
    expect(all.at(5)).toEqual({ offset: 3 });
    expect(all.at(12)).toBeNull();
    const some = new Lines(9, groups, new Set(['a']));
    expect(some.count).toBe(9);
    expect(some.at(0)).toEqual({ group: 0, open: false });
    expect(some.at(2)).toEqual({ offset: 3 });
    expect(some.lineOf(1)).toBeNull();
    expect(some.lineOf(5)).toBe(5);
    expect(some.offsets(0, 9)).toEqual([{ from: 3, to: 9 }]);
  });
});

describe('what shows', () => {
  it('finds lines and columns', () => {
    expect(lineSpan(320, 320, 32, 100, 2)).toEqual({ from: 8, to: 22 });
    const edge = edges([50, 200, 100, 100, 100, 100]);
    expect(columnSpan(edge, 2, 0, 400, 0)).toEqual({ from: 2, to: 4 });
    expect(columnSpan(edge, 2, 150, 400, 0)).toEqual({ from: 3, to: 5 });
    expect(reveal(0, 32, 100, 400, 0)).toBe(0);
    expect(reveal(500, 532, 100, 400, 0)).toBe(132);
    expect(reveal(200, 232, 100, 400, 0)).toBe(100);
  });
});

describe('keys', () => {
  it('reads like a spreadsheet', () => {
    const key = (name: string, more = {}) => actOf({ key: name, ctrl: false, shift: false, alt: false, ...more });
    expect(key('x')).toEqual({ do: 'edit', text: 'x' });
    expect(key('d', { ctrl: true })).toEqual({ do: 'fillDown' });
    expect(key('ArrowDown', { ctrl: true, shift: true })).toEqual({ do: 'move', move: 'bottom', extend: true });
    expect(key('c', { ctrl: true })).toBeNull();
    expect(key('F5')).toBeNull();
    expect(key('Tab', { shift: true })).toEqual({ do: 'tab', back: true });
  });
});

describe('windows', () => {
  const world = () => {
    const rows = Array.from({ length: 1000 }, (_, id) => ({ id, text: `row ${id}` }));
    const calls: number[] = [];
    const windows = new Windows(async (offset, limit) => {
      calls.push(offset);
      return { total: rows.length, groups: null, rows: rows.slice(offset, offset + limit).map((row) => ({ ...row })) };
    }, () => undefined);
    return { rows, calls, windows };
  };
  it('fetches what shows and one page ahead, once', async () => {
    const { calls, windows } = world();
    await windows.start();
    windows.want(150, 260);
    windows.want(150, 260);
    expect((await windows.load(150, 260)).length).toBe(110);
    expect(windows.row(250)?.text).toBe('row 250');
    expect(calls.filter((offset) => offset === PAGE).length).toBe(1);
    expect(calls).toContain(2 * PAGE);
  });
  it('asks for the rows where a long scroll ends, not for all that it passed', async () => {
    const { calls, windows } = world();
    await windows.start();
    for (let from = 0; from < 900; from += 30) windows.want(from, from + 30);
    await new Promise((done) => setTimeout(done, 5));
    expect(windows.row(875)?.text).toBe('row 875');
    // The pages at the two ends, and those that were on their way: not all ten.
    expect(calls.length).toBeLessThan(9);
  });
  it('shows old rows until the new ones come', async () => {
    const { rows, windows } = world();
    await windows.start();
    (rows[0] as { text: string }).text = 'changed';
    windows.invalidate();
    expect(windows.row(0)?.text).toBe('row 0');
    await new Promise((done) => setTimeout(done));
    expect(windows.row(0)?.text).toBe('changed');
  });
});

describe('drawing while scrolling', () => {
  const at = (from: number) => ({ from, to: from + 40 });
  it('brings a few lines a frame, and arrives', () => {
    let drawn = at(100);
    const steps: number[] = [];
    for (let frame = 0; frame < 10 && drawn.from !== 105; frame += 1) {
      const next = nearer(drawn, at(105), 1000);
      steps.push(next.from - drawn.from);
      drawn = next;
    }
    expect(drawn).toEqual(at(105));
    expect(Math.max(...steps)).toBe(2);
  });
  it('goes back as it goes on', () => expect(nearer(at(105), at(100), 1000)).toEqual(at(103)));
  it('never lags so far that the reader sees where the lines end', () => {
    for (let way = -18; way <= 18; way += 1) expect(Math.abs(nearer(at(100), at(100 + way), 1000).from - (100 + way))).toBeLessThanOrEqual(6);
  });
  it('leaps at once', () => expect(nearer(at(100), at(500), 1000)).toEqual(at(500)));
  it('ends where the rows end', () => {
    expect(nearer({ from: 960, to: 1000 }, { from: 968, to: 1000 }, 1000)).toEqual({ from: 962, to: 1000 });
    expect(nearer({ from: 968, to: 1000 }, { from: 960, to: 1000 }, 1000)).toEqual({ from: 966, to: 1000 });
  });
});
