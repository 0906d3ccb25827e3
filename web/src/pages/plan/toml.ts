// The one thing that single changes cannot do: add a rule after the others, as people write it, with a heading of its
// own. The text around it stays as it is.

/** Where the headings of a TOML text stand: its lines that begin with `[` outside of texts and lists. */
export function headings(text: string): { line: number; name: string; list: boolean }[] {
  const found: { line: number; name: string; list: boolean }[] = [];
  let open: '"""' | "'''" | null = null;
  let depth = 0;
  text.split('\n').forEach((line, at) => {
    const heading = open === null && depth === 0 ? line.match(/^\s*(\[\[?)\s*([^\]]+?)\s*\]/) : null;
    if (heading) { found.push({ line: at, name: (heading[2] ?? '').replace(/\s*\.\s*/g, '.'), list: heading[1] === '[[' }); return; }
    for (let i = 0; i < line.length; i += 1) {
      const three = line.slice(i, i + 3);
      const one = line[i];
      if (open) {
        if (one === '\\' && open === '"""') i += 1;
        else if (three === open) { open = null; i += 2; }
      } else if (three === '"""' || three === "'''") { open = three; i += 2; }
      else if (one === '#') break;
      else if (one === '"' || one === "'") {
        for (i += 1; i < line.length && line[i] !== one; i += 1) if (one === '"' && line[i] === '\\') i += 1;
      } else if (one === '[' || one === '{') depth += 1;
      else if (one === ']' || one === '}') depth -= 1;
    }
  });
  return found;
}

const key = (name: string) => (/^[A-Za-z0-9_-]+$/.test(name) ? name : JSON.stringify(name));
function value(given: unknown): string {
  if (given && typeof given === 'object') return `{ ${Object.entries(given).map(([k, v]) => `${key(k)} = ${value(v)}`).join(', ')} }`;
  return JSON.stringify(given);
}

/** The text with a rule after the last one of a table, or at the end of what belongs to the table; nothing where the
 *  tables do not stand under headings. */
export function withRule(text: string, table: number, rule: Record<string, unknown>): string | null {
  const all = headings(text);
  const from = all.filter((h) => h.list && h.name === 'table')[table];
  if (!from) return null;
  const after = all.slice(all.indexOf(from) + 1);
  const next = after.findIndex((h) => !h.name.startsWith('table.'));
  const own = next < 0 ? after : after.slice(0, next);
  const rules = own.filter((h) => h.list && h.name === 'table.rule');
  const last = rules[rules.length - 1];
  const lines = text.split('\n');
  const follows = all[all.indexOf(last ?? own[own.length - 1] ?? from) + 1];
  let end = follows ? follows.line : lines.length;
  // Blank lines and remarks before the next heading are about that.
  while (end > 0 && /^\s*(#.*)?$/.test(lines[end - 1] ?? '')) end -= 1;
  const made = ['', '[[table.rule]]', ...Object.entries(rule).map(([k, v]) => `${key(k)} = ${value(v)}`)];
  if (end === lines.length) made.push('');
  return [...lines.slice(0, end), ...made, ...lines.slice(end)].join('\n');
}
