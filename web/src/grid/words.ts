/** The words that the grid itself needs; the page gives them in the reader's language. */
export interface GridWords {
  locked: string;
  unread: (cells: number) => string;
  lockedCells: (cells: number) => string;
  loading: string;
  menuOf: (column: string) => string;
  resize: (column: string) => string;
  fill: string;
  noMatch: string;
  notADay: string;
  notANumber: string;
  notAnAddress: string;
  inDays: (days: number, working: number) => string;
  daysAgo: (days: number) => string;
  today: string;
  newWord: (text: string) => string;
  clear: string;
  isHere: (name: string) => string;
  notSaved: string;
  copied: (rows: number) => string;
  tooMany: (rows: number) => string;
}
