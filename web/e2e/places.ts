// Where the tests' servers are, and what signs them in. Another port lets two checkouts be tested at once.
const PORT = Number(process.env.DUNLIN_E2E_PORT ?? 7493);
export const BASE = `http://localhost:${PORT}`;
export const FIRST_VISIT = `http://localhost:${PORT + 1}`;
/** Where a page of a host app is served by the tests: another origin, which the seeded server knows. */
export const HOST_PORT = PORT + 2;
export const HOST = `http://localhost:${HOST_PORT}`;
export const STATE = 'test-results/state/owner.json';
export const PLACES_FILE = 'test-results/state/places.json';
export const OWNER = { name: 'Ana Ruiz', email: 'ana@atlas.example', password: 'a quiet tide at seven' };

/** What the set-up leaves for the tests. */
export interface Left { dir: string; firstVisit: { dir: string; secret: string }; people: { ben: string; nadia: string }; passwords: Record<string, string>; hostKey: string }
