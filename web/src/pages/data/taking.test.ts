import { describe, expect, it } from 'vitest';
import { RowCount } from './taking';

const bytes = (text: string) => new TextEncoder().encode(text);

describe('rows of a file on its way', () => {
  it('are its lines without the head, whatever stands between quotes', () => {
    const count = new RowCount('csv');
    for (const part of ['a,b\r\n1,"x\r', '\ny ""z"""\r\n2,', '3\r\n']) count.take(bytes(part));
    expect(count.rows).toBe(2);
  });
  it('are all lines of JSON, in which quotes mean nothing', () => {
    const count = new RowCount('jsonl');
    count.take(bytes('{"a":"\\""}\n{"a":1}\n'));
    expect(count.rows).toBe(2);
  });
});
