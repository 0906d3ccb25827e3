// The few pictures of the app, drawn on a 16 grid in one stroke width. They never stand without a word or a label.
import type { ReactElement } from 'react';

const paths = {
  overview: 'M2 13.5h12M4 13V8.5M8 13V3M12 13V6',
  work: 'M2 4l1.200 1.200L5.400 3M8 4.200h6M2 9.200l1.200 1.200 2.200-2.200M8 9.400h6M8 13.600h6',
  plan: 'M2 3h4v10H2zM10 3h4v10h-4zM6.400 8h3',
  data: 'M3 4c0-1.100 2.200-2 5-2s5 .900 5 2-2.200 2-5 2-5-.900-5-2zM3 4v8c0 1.100 2.200 2 5 2s5-.900 5-2V4M3 8c0 1.100 2.200 2 5 2s5-.900 5-2',
  runs: 'M4.500 2.800v10.400L13 8z',
  guard: 'M8 1.800l5 1.800v4c0 3.200-2.100 5.400-5 6.600-2.900-1.200-5-3.400-5-6.600v-4z',
  evidence: 'M8 1.600a4.700 4.700 0 100 9.400 4.700 4.700 0 000-9.400zM5.400 10.300L5 14.400l3-1.500 3 1.500-.400-4.100M6.100 6.400l1.300 1.300 2.400-2.600',
  settings: 'M2 4.500h5M11 4.500h3M2 11.500h3M9 11.500h5M9 2.800a1.700 1.700 0 100 3.400 1.700 1.700 0 000-3.400zM7 9.800a1.700 1.700 0 100 3.400 1.700 1.700 0 000-3.400z',
  more: 'M3.500 8h.010M8 8h.010M12.500 8h.010',
  search: 'M7 2.500a4.500 4.500 0 100 9 4.500 4.500 0 000-9zM10.300 10.300l3.500 3.500',
  bell: 'M4 11.500V7a4 4 0 018 0v4.500l1 1H3zM6.800 14.200h2.400',
  down: 'M4 6.200l4 4 4-4',
  right: 'M6 4l4 4-4 4',
  left: 'M10 4L6 8l4 4',
  up: 'M4 9.800l4-4 4 4',
  check: 'M3 8.600l3.200 3.100L13 4.600',
  close: 'M4 4l8 8M12 4l-8 8',
  pause: 'M5.500 3.500v9M10.500 3.500v9',
  play: 'M4.500 2.800v10.400L13 8z',
  clock: 'M8 2a6 6 0 100 12A6 6 0 008 2zM8 4.800V8l2.200 1.600',
  warn: 'M8 2.200l6.200 11.300H1.800zM8 6.500v3.200M8 11.500h.010',
  info: 'M8 2a6 6 0 100 12A6 6 0 008 2zM8 7.200v3.800M8 5h.010',
  eye: 'M1.800 8c.600-1.300 2.600-4 6.200-4s5.600 2.700 6.200 4c-.600 1.300-2.600 4-6.200 4S2.400 9.300 1.800 8zM8 6.200a1.800 1.800 0 100 3.600 1.800 1.800 0 000-3.600z',
  outside: 'M9 3h4v4M13 3L7.500 8.500M11 9.500V13H3V5h3.500',
  copy: 'M5.500 5.500h8v8h-8zM3.500 10.500h-1v-8h8v1',
  lock: 'M4 7h8v6.500H4zM5.800 7V5a2.200 2.200 0 014.400 0v2',
  plus: 'M8 3v10M3 8h10',
  minus: 'M3 8h10',
  undo: 'M5.500 3L2.500 6l3 3M2.500 6H10a3.500 3.500 0 010 7H6',
  pencil: 'M3 13l.700-2.900L10.800 3l2.200 2.200-7.100 7.100z',
  arrow: 'M2.500 8h11M9.500 4l4 4-4 4',
  download: 'M8 2.500v8M4.800 7.500L8 10.700l3.200-3.200M3 13.500h10',
  upload: 'M8 10.500v-8M4.800 5.500L8 2.300l3.200 3.200M3 13.500h10',
  chat: 'M2.500 3h11v8H8l-3.500 2.600V11h-2z',
  person: 'M8 2.500a2.700 2.700 0 100 5.400 2.700 2.700 0 000-5.400zM2.800 13.800c.500-2.700 2.500-4.200 5.200-4.200s4.700 1.500 5.200 4.200',
  key: 'M10.500 2.500a3 3 0 100 6 3 3 0 000-6zM8.400 7.600L2.500 13.500M4.500 11.500l1.500 1.500',
  table: 'M2.500 3.500h11v9h-11zM2.500 6.500h11M6.500 6.500v6',
  filter: 'M2 4h12M4.500 8h7M6.500 12h3',
  calendar: 'M2.500 3.500h11v10h-11zM2.500 6.500h11M5.500 2v3M10.500 2v3',
  link: 'M6.800 9.200l2.400-2.400M7 5l1.500-1.500a2.500 2.500 0 013.500 3.500L10.500 8.500M9 11l-1.500 1.500A2.500 2.500 0 014 9l1.500-1.500',
  trash: 'M3 4.500h10M6 4.500v-2h4v2M4.500 4.500l.600 9h5.800l.600-9',
  drag: 'M6 4h.010M6 8h.010M6 12h.010M10 4h.010M10 8h.010M10 12h.010',
} as const;

export type IconName = keyof typeof paths;

/** A small picture beside a word. */
export function Icon({ name, className }: { name: IconName; className?: string }): ReactElement {
  return <svg className={className ? `i ${className}` : 'i'} viewBox="0 0 16 16" aria-hidden="true" focusable="false"><path d={paths[name]} /></svg>;
}

/** The bird. */
export function Bird(): ReactElement {
  return (
    <svg viewBox="0 0 22 22" aria-hidden="true" focusable="false">
      <path d="M2 15.500c2.500 0 3.500-1.200 5-3.700C8.800 8.800 11 7 13 7c1.500 0 2.600.700 3 2l4.500 4-4.700-2c-.300 3-2.800 5-6.300 5H2zM9 16v4M12 15.800V20M13.700 9.300h.010" />
    </svg>
  );
}
