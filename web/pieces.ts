// A part of the build: writes into the one page which files are fetched at once. Those of the app itself and the letters
// of its text stand there as links; those of each place as a list that `src/boot.ts` reads.
import type { HtmlTagDescriptor, Plugin } from 'vite';

/** What of the bundle is needed here. */
interface Chunk { type: 'chunk'; fileName: string; moduleIds: string[]; imports: string[]; viteMetadata?: { importedCss: Set<string> } }
interface Asset { type: 'asset'; fileName: string }
type Bundle = Record<string, Chunk | Asset>;

/** The app, in the order in which it is read. */
const APP = ['/node_modules/react-dom/client.js', '/src/app/router.tsx', '/src/main.tsx'];
/** The places of the app by the first word of their address, each with the modules that draw it. */
const PLACES: Record<string, string[]> = {
  '': ['overview/index.tsx'],
  work: ['work/index.tsx', 'work/GridView.tsx'],
  plan: ['plan/index.tsx'],
  data: ['data/index.tsx'],
  runs: ['runs/index.tsx'],
  guard: ['guard/index.tsx'],
  alerts: ['guard/alerts.tsx'],
  notices: ['tell/index.tsx'],
  evidence: ['evidence/index.tsx'],
  settings: ['settings/index.tsx'],
};

/** The files of modules and of all that they import, styles too; those already in `seen` are not given again. */
function files(bundle: Bundle, modules: readonly string[], seen: Set<string>): string[] {
  const found: string[] = [];
  const take = (name: string): void => {
    const chunk = bundle[name];
    if (seen.has(name) || chunk?.type !== 'chunk') return;
    seen.add(name);
    found.push(name);
    for (const css of chunk.viteMetadata?.importedCss ?? []) if (!seen.has(css)) { seen.add(css); found.push(css); }
    chunk.imports.forEach(take);
  };
  for (const module of modules) {
    const chunk = Object.values(bundle).find((one) => one.type === 'chunk' && one.moduleIds.some((id) => id.endsWith(module)));
    if (!chunk) throw new Error(`no piece of the build begins with ${module}; pieces.ts names it`);
    take(chunk.fileName);
  }
  return found;
}

/** The plugin. */
export function pieces(): Plugin {
  return {
    name: 'dunlin-pieces',
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      handler(_html, { bundle: made }) {
        const bundle = made as unknown as Bundle;
        const boot = Object.values(bundle).find((one) => one.type === 'chunk' && one.moduleIds.some((id) => id.endsWith('/src/boot.ts')));
        // The boot and its styles stand in the page already.
        const seen = new Set<string>();
        if (boot?.type === 'chunk') { seen.add(boot.fileName); for (const css of boot.viteMetadata?.importedCss ?? []) seen.add(css); }
        const letters = Object.keys(bundle).filter((name) => /inter-latin-wght-normal-.*\.woff2$/.test(name));
        const app = files(bundle, APP, seen).filter((name) => name.endsWith('.js'));
        const places = Object.fromEntries(Object.entries(PLACES).map(([place, modules]) => [place, files(bundle, modules.map((m) => `/src/pages/${m}`), new Set(seen)).map((name) => `/${name}`)]));
        const tags: HtmlTagDescriptor[] = [
          ...letters.map((name): HtmlTagDescriptor => ({ tag: 'link', attrs: { rel: 'preload', as: 'font', type: 'font/woff2', crossorigin: true, href: `/${name}` }, injectTo: 'head' })),
          // The page is painted before it comes alive: what paints it goes first.
          ...app.map((name): HtmlTagDescriptor => ({ tag: 'link', attrs: { rel: 'modulepreload', fetchpriority: 'low', href: `/${name}` }, injectTo: 'head' })),
          { tag: 'script', attrs: { type: 'application/json', id: 'pieces' }, children: JSON.stringify(places), injectTo: 'head' },
        ];
        return tags;
      },
    },
  };
}
