// Text as spreadsheets put it on the clipboard: tabs between cells, line ends between rows, quotes where a cell
// holds one of these.

export function printTsv(rows: string[][]): string {
  return rows.map((row) => row.map(quoted).join('\t')).join('\n');
}

function quoted(cell: string): string {
  return /["\t\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

/** Reads what another spreadsheet copied. A last empty line is the copier's line end, not a row. */
export function parseTsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = '';
  let open = false;
  let at = 0;
  const endCell = () => {
    row.push(cell);
    cell = '';
  };
  const endRow = () => {
    endCell();
    rows.push(row);
    row = [];
  };
  while (at < text.length) {
    const char = text[at] as string;
    if (open) {
      if (char !== '"') cell += char;
      else if (text[at + 1] === '"') {
        cell += '"';
        at += 1;
      } else open = false;
    } else if (char === '"' && cell === "" && closes(text, at)) open = true;
    else if (char === '\t') endCell();
    else if (char === '\n' || char === '\r') {
      if (char === '\r' && text[at + 1] === '\n') at += 1;
      endRow();
    } else cell += char;
    at += 1;
  }
  if (cell !== '' || row.length > 0) endRow();
  return rows;
}

/** Whether the quote at `from` has a partner that ends its cell; a lone inch sign is only text. */
function closes(text: string, from: number): boolean {
  for (let at = from + 1; at < text.length; at += 1) {
    if (text[at] !== '"') continue;
    if (text[at + 1] === '"') {
      at += 1;
      continue;
    }
    const after = text[at + 1];
    return after === undefined || after === '\t' || after === '\n' || after === '\r';
  }
  return false;
}

/** One copied cell fills the whole range; a block is repeated when the range is a multiple of it, else laid once. */
export function tiled(block: string[][], height: number, width: number): string[][] {
  const blockHeight = block.length;
  const blockWidth = Math.max(1, ...block.map((row) => row.length));
  const fitsDown = height % blockHeight === 0 && height > blockHeight;
  const fitsAcross = width % blockWidth === 0 && width > blockWidth;
  const rows = fitsDown ? height : blockHeight;
  const cols = fitsAcross ? width : blockWidth;
  return Array.from({ length: rows }, (_, r) =>
    Array.from({ length: cols }, (_, c) => block[r % blockHeight]?.[c % blockWidth] ?? ''),
  );
}
