import { describe, expect, it } from 'vitest';
import { canExtend, canOffer, canWithdraw, isLate, isOver, nextStep, type CustomerAsk } from './api';

const NOW = 1_000_000;
const asked = (more: Partial<CustomerAsk>): CustomerAsk => ({
  request: 'r', kind: 'erasure', state: 'open', identity: 'unchecked', law: 'gdpr', received_at: 0, due_at: NOW + 10, days_left: 3, extended_to: NOW + 20, extended_at: null, owner: null,
  decision: null, reason_category: null, undo_until: null, purpose: '', ended_at: null, via: 'operator', by_itself: false, task: null, failed_at: null, letters: false, last_day: null, reason: null, corrects: [], ...more,
});

describe('what a person does next about a request', () => {
  it('is to know who asks, then to decide, then to carry out', () => {
    expect(nextStep(asked({}), NOW)).toBe('identity');
    expect(nextStep(asked({ identity: 'confirmed' }), NOW)).toBe('decide');
    expect(nextStep(asked({ identity: 'confirmed', state: 'granted' }), NOW)).toBe('carry');
    expect(nextStep(asked({ identity: 'unchecked', state: 'granted' }), NOW)).toBe('identity');
  });
  it('is nothing while it can be taken back, for a copy, and for what dunlin does by itself', () => {
    const granted = { identity: 'confirmed', state: 'granted' };
    expect(nextStep(asked({ ...granted, undo_until: NOW + 1 }), NOW)).toBeNull();
    expect(nextStep(asked({ ...granted, undo_until: NOW }), NOW)).toBe('carry');
    expect(nextStep(asked({ ...granted, kind: 'access', via: 'page' }), NOW)).toBeNull();
    expect(nextStep(asked({ ...granted, by_itself: true }), NOW)).toBeNull();
    expect(nextStep(asked({ ...granted, by_itself: true, failed_at: NOW - 1 }), NOW)).toBe('carry');
    for (const state of ['done', 'refused', 'withdrawn']) expect(nextStep(asked({ state }), NOW)).toBeNull();
  });
});

describe('a copy', () => {
  const copy = { identity: 'confirmed', state: 'granted', kind: 'access' };
  it('is fetched on the customer’s page, or handed over to who has none', () => {
    expect(nextStep(asked({ ...copy, via: 'operator' }), NOW)).toBe('carry');
    expect(nextStep(asked({ ...copy, via: 'operator', identity: 'unchecked' }), NOW)).toBe('identity');
    expect(canOffer(asked({ ...copy, via: 'page' }), NOW)).toBe(true);
    expect(canOffer(asked({ ...copy, undo_until: NOW + 1 }), NOW)).toBe(false);
    expect(canOffer(asked({ ...copy, kind: 'erasure' }), NOW)).toBe(false);
    expect(canOffer(asked({ ...copy, state: 'done' }), NOW)).toBe(false);
  });
  it('is taken back for the customer until it is carried out', () => {
    for (const state of ['open', 'granted']) expect(canWithdraw(asked({ state }))).toBe(true);
    for (const state of ['acting', 'done', 'refused', 'withdrawn']) expect(canWithdraw(asked({ state }))).toBe(false);
  });
});

describe('the clock of a request', () => {
  it('is late from the first moment that is too late, and never once answered', () => {
    expect(isLate(asked({ days_left: 0 }))).toBe(false);
    expect(isLate(asked({ days_left: -1 }))).toBe(true);
    expect(isLate(asked({ days_left: -1, state: 'done' }))).toBe(false);
    expect(isLate(asked({ days_left: null }))).toBe(false);
    expect(isOver(asked({ state: 'withdrawn' }))).toBe(true);
  });
  it('is put off once, before the last day', () => {
    expect(canExtend(asked({}))).toBe(true);
    expect(canExtend(asked({ due_at: NOW + 20 }))).toBe(false);
    expect(canExtend(asked({ days_left: -1 }))).toBe(false);
    expect(canExtend(asked({ extended_to: null }))).toBe(false);
    expect(canExtend(asked({ state: 'refused' }))).toBe(false);
  });
});
