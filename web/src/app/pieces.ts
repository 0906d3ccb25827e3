// Which files of a build a place needs beside the app itself. The build writes them into the page (`web/pieces.ts`), so
// that they are fetched at once, and not when the code before them has been read.

/** Has the browser fetch the code and styles of a place; they are read when somebody goes there. */
export function pieces(path: string): void {
  const said = document.getElementById('pieces')?.textContent;
  if (!said) return;
  const all = JSON.parse(said) as Record<string, string[]>;
  for (const file of all[path.split('/')[1] ?? ''] ?? []) {
    const link = document.createElement('link');
    if (file.endsWith('.css')) { link.rel = 'preload'; link.as = 'style'; } else link.rel = 'modulepreload';
    link.href = file;
    document.head.append(link);
  }
}
