// Where the tests' servers are, and what signs them in. Another port lets two checkouts be tested at once. Each worker of
// Playwright has servers and workspaces of its own, so that two can work side by side.
const PORT = Number(process.env.DUNLIN_E2E_PORT ?? 7493);
/** How many workers there are. */
export const WORKERS = Number(process.env.DUNLIN_E2E_WORKERS ?? 2);

export interface Places {
  /** The demo, with people in it. */
  base: string;
  /** A workspace in which nothing has happened. */
  firstVisit: string;
  /** A page of a host app, served by the tests: another origin, which the seeded server knows. */
  hostPort: number;
  /** A workspace that one test makes for itself. */
  own: string;
  /** The owner, signed in. */
  state: string;
  /** What the set-up left. */
  left: string;
}

/** The places of a worker. */
export function placesOf(worker: number): Places {
  const port = PORT + worker * 10;
  const folder = `test-results/state/${worker}`;
  return { base: `http://localhost:${port}`, firstVisit: `http://localhost:${port + 1}`, hostPort: port + 2, own: `http://localhost:${port + 3}`, state: `${folder}/owner.json`, left: `${folder}/places.json` };
}

const mine = placesOf(Number(process.env.TEST_PARALLEL_INDEX ?? 0));
export const BASE = mine.base;
export const FIRST_VISIT = mine.firstVisit;
export const HOST_PORT = mine.hostPort;
export const HOST = `http://localhost:${HOST_PORT}`;
export const OWN = mine.own;
export const STATE = mine.state;
export const PLACES_FILE = mine.left;
export const OWNER = { name: 'Ana Ruiz', email: 'ana@atlas.example', password: 'a quiet tide at seven' };

/** What the set-up leaves for the tests. */
export interface Left { dir: string; firstVisit: { dir: string; secret: string }; people: { ben: string; nadia: string }; passwords: Record<string, string>; hostKey: string }
