import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { lang, loadLanguage, messages, policyWords, problemWords, setLang } from '@/i18n/language';
import { common } from './common.en';
import { policiesEs } from './policies.es';
import { spanish } from './spanish';

const here = join(process.cwd(), 'src/messages');

describe('the other language', () => {
  afterEach(() => setLang('en'));

  it('has every catalogue', () => {
    const named = readdirSync(here).filter((f) => f.endsWith('.en.ts')).map((f) => /catalogue\('(\w+)'/.exec(readFileSync(join(here, f), 'utf8'))?.[1]);
    expect(Object.keys(spanish.catalogues).sort()).toEqual(named.sort());
  });

  it('takes over once it is here, and goes again', async () => {
    expect(messages(common).save).toBe('Save');
    await setLang('es');
    expect(lang()).toBe('es');
    expect(document.documentElement.lang).toBe('es');
    expect(messages(common).save).toBe('Guardar');
    expect(problemWords('bound_status')?.[0]).toContain('estado');
    await setLang('en');
    expect(messages(common).save).toBe('Save');
    expect(problemWords('bound_status')).toBeUndefined();
  });

  it('does not change what is shown by being fetched', async () => {
    await loadLanguage('es');
    expect(messages(common).save).toBe('Save');
  });

  it('says every policy that is built in, and no other', () => {
    const cedar = join(process.cwd(), '../crates/dunlin-guard/src/policy/cedar');
    const ids = readdirSync(cedar).flatMap((f) => [...readFileSync(join(cedar, f), 'utf8').matchAll(/^@id\("([^"]+)"\)/gm)].map((m) => m[1]));
    expect(Object.keys(policiesEs).sort()).toEqual(ids.sort());
    expect(policyWords('always.active')).toBeUndefined();
  });
});
