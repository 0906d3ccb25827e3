// Completion in the plan, from the JSON Schema that the server gives: headings, keys and the values of closed lists,
// each with the schema's own words about it.

/** As much of JSON Schema as the plan's uses. */
export interface Schema {
  $ref?: string; $defs?: Record<string, Schema>; type?: string; description?: string; properties?: Record<string, Schema>; items?: Schema;
  additionalProperties?: Schema | boolean; enum?: unknown[]; const?: unknown; anyOf?: Schema[]; oneOf?: Schema[];
}
export interface Word { label: string; about?: string }
export interface Completion { from: number; words: Word[] }

/** Follows references; the words about the place go before those about the type. */
function resolve(root: Schema, given: Schema | undefined): Schema | undefined {
  let now = given;
  for (let i = 0; now?.$ref && i < 8; i += 1) {
    const target: Schema | undefined = root.$defs?.[now.$ref.replace('#/$defs/', '')];
    now = target ? { ...target, description: now.description ?? target.description } : undefined;
  }
  return now;
}

/** The forms that a value may have. */
function forms(root: Schema, given: Schema | undefined): Schema[] {
  const one = resolve(root, given);
  if (!one) return [];
  return [one, ...[...(one.anyOf ?? []), ...(one.oneOf ?? [])].flatMap((x) => forms(root, x))];
}

/** What a key of an object holds; names that people choose are all alike. */
function inside(root: Schema, given: Schema | undefined, key: string): Schema | undefined {
  for (const form of forms(root, given)) {
    const object = form.type === 'array' ? resolve(root, form.items) : form;
    const found = object?.properties?.[key] ?? (typeof object?.additionalProperties === 'object' ? object.additionalProperties : undefined);
    if (found) return found;
  }
  return undefined;
}

/** The keys that an object may have. */
function keys(root: Schema, given: Schema | undefined): Word[] {
  for (const form of forms(root, given)) {
    const object = form.type === 'array' ? resolve(root, form.items) : form;
    if (object?.properties) return Object.entries(object.properties).map(([label, x]) => ({ label, about: resolve(root, x)?.description }));
  }
  return [];
}

/** The values of a closed list, also within an array. */
function values(root: Schema, given: Schema | undefined): Word[] {
  const found: Word[] = [];
  for (const form of forms(root, given)) {
    if (form.type === 'boolean') found.push({ label: 'true' }, { label: 'false' });
    for (const v of form.enum ?? []) if (typeof v === 'string') found.push({ label: v, about: form.description });
    if (typeof form.const === 'string') found.push({ label: form.const, about: form.description });
    if (form.type === 'array') found.push(...values(root, form.items));
  }
  return found.filter((w, i) => found.findIndex((x) => x.label === w.label) === i);
}

/** Whether a key is a heading of its own: an object, or an array of them. */
function heading(root: Schema, given: Schema): 'one' | 'many' | 'named' | null {
  const one = resolve(root, given);
  if (one?.type === 'array') return resolve(root, one.items)?.properties ? 'many' : null;
  if (one?.type !== 'object') return null;
  return one.properties ? 'one' : 'named';
}

function headings(root: Schema, many: boolean, given: Schema = root, before = '', depth = 0): Word[] {
  const object = resolve(root, given);
  const holder = object?.type === 'array' ? resolve(root, object.items) : object;
  return Object.entries(holder?.properties ?? {}).flatMap(([key, x]) => {
    const kind = heading(root, x);
    if (!kind) return [];
    const name = before + key;
    const own = (kind === 'many') === many ? [{ label: kind === 'named' && depth === 0 ? `${name}.` : name, about: resolve(root, x)?.description }] : [];
    return depth < 1 && kind !== 'named' ? [...own, ...headings(root, many, x, `${name}.`, depth + 1)] : own;
  });
}

/** What may stand where the cursor is, given the text before it. */
export function complete(before: string, schema: Schema): Completion | null {
  const start = before.lastIndexOf('\n') + 1;
  const line = before.slice(start);
  if (/^[^"']*#/.test(line)) return null;
  const opened = line.match(/^\s*\[{1,2}([\w.]*)$/);
  if (opened) return { from: before.length - (opened[1] ?? '').length, words: headings(schema, line.includes('[[')) };
  const under = [...before.slice(0, start).matchAll(/^\s*\[{1,2}([^\]]+)\]{1,2}/gm)].pop()?.[1] ?? '';
  const section = under.split('.').filter(Boolean).reduce<Schema | undefined>((at, part) => inside(schema, at, part.trim()), schema);
  const outer = line.match(/^\s*"?([\w-]+)"?\s*=/)?.[1];
  const brace = line.lastIndexOf('{');
  const inline = brace > line.lastIndexOf('}') && outer ? inside(schema, section, outer) : undefined;
  const value = line.match(/(\w+)\s*=\s*(?:\[[^\]]*)?"?([\w]*)$/);
  if (value) {
    const words = values(schema, inside(schema, inline ?? section, value[1] ?? ''));
    return words.length ? { from: before.length - (value[2] ?? '').length, words } : null;
  }
  const key = (inline ? line.match(/[{,]\s*(\w*)$/) : line.match(/^\s*(\w*)$/))?.[1];
  if (key === undefined) return null;
  const words = keys(schema, inline ?? section);
  return words.length ? { from: before.length - key.length, words } : null;
}
