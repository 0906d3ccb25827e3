// From the server's flat order of rows to lines on the screen: a line for each group, and the rows of those that
// are open. Nothing is held per row, so a hundred thousand of them cost nothing here.
import type { Group } from './types';

export type Line = { group: number; open: boolean } | { offset: number };

interface Stretch {
  /** The group's own line. */
  line: number;
  /** Offset of its first row in the server's order. */
  offset: number;
  count: number;
  open: boolean;
}

export class Lines {
  readonly count: number;
  private readonly stretches: Stretch[] | null;

  constructor(total: number, groups: Group[] | null, closed: ReadonlySet<string>) {
    if (!groups) {
      this.stretches = null;
      this.count = total;
      return;
    }
    let line = 0;
    let offset = 0;
    this.stretches = groups.map((group) => {
      const open = !closed.has(keyOf(group));
      const stretch = { line, offset, count: group.count, open };
      line += 1 + (open ? group.count : 0);
      offset += group.count;
      return stretch;
    });
    this.count = line;
  }

  at(line: number): Line | null {
    if (line < 0 || line >= this.count) return null;
    if (!this.stretches) return { offset: line };
    const index = this.stretchAt(line);
    const stretch = this.stretches[index] as Stretch;
    return line === stretch.line ? { group: index, open: stretch.open } : { offset: stretch.offset + line - stretch.line - 1 };
  }

  /** The line of a row, or nothing while its group is closed. */
  lineOf(offset: number): number | null {
    if (!this.stretches) return offset < this.count ? offset : null;
    for (const stretch of this.stretches) {
      if (offset >= stretch.offset && offset < stretch.offset + stretch.count) {
        return stretch.open ? stretch.line + 1 + offset - stretch.offset : null;
      }
    }
    return null;
  }

  /** The stretches of offsets that show between two lines (half open), merged where they touch. */
  offsets(from: number, to: number): { from: number; to: number }[] {
    if (!this.stretches) return from < to ? [{ from, to: Math.min(to, this.count) }] : [];
    const found: { from: number; to: number }[] = [];
    for (let line = from; line < Math.min(to, this.count); line += 1) {
      const here = this.at(line);
      if (!here || !('offset' in here)) continue;
      const last = found[found.length - 1];
      if (last && last.to === here.offset) last.to = here.offset + 1;
      else found.push({ from: here.offset, to: here.offset + 1 });
    }
    return found;
  }

  private stretchAt(line: number): number {
    const all = this.stretches as Stretch[];
    let low = 0;
    let high = all.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((all[middle] as Stretch).line <= line) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

export const keyOf = (group: Group) => group.value ?? '\u0000none';
