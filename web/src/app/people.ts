// Names for ids: who did something, in words.
import { useCallback } from 'react';
import { peopleQuery } from '@/api/queries';
import type { Actor, Person } from '@/api/types';
import { useMessages } from '@/i18n';
import { common } from '@/messages/catalogue';
import { useIf, useMe } from './session';

/** The person of an id, where one may know people. */
export function usePerson(): (id: string | null | undefined) => Person | undefined {
  const people = useIf('people.read', peopleQuery).data;
  return useCallback((id) => people?.items.find((p) => p.id === id), [people]);
}

/** The name of an id or an actor. */
export function useActorName(): (actor: Actor | string | null | undefined) => string {
  const t = useMessages(common);
  const find = usePerson();
  const me = useMe();
  return useCallback((actor) => {
    if (!actor) return t.unknownPerson;
    const given: Actor = typeof actor === 'string'
      ? actor === 'dunlin' ? { type: 'system' } : actor.startsWith('local:') ? { type: 'local', user: actor.slice(6) } : { type: 'person', id: actor }
      : actor;
    if (given.type === 'system') return t.system;
    if (given.type === 'local') return t.shell(given.user);
    return find(given.id)?.name ?? (me?.person === given.id ? me.name : t.unknownPerson);
  }, [find, me, t]);
}
