// Measures what the card costs a host page. `bench/card.sh` starts it.
//
// The host page is a shop's: a header, a picture, text and forty products, with its own style. It is served from another
// origin than dunlin, as in life. Each round opens it without the card, with its two lines, and with the server's fragment
// inside the element as well (which keeps its place until the script has come), in turns, in a browser that has nothing cached, on a slowed network and processor (Lighthouse's "slow 4G" and a quarter of this machine).
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { deflateSync, crc32, gzipSync } from 'node:zlib';
import { serveDemo, shares } from './demo.mjs';

const { chromium } = createRequire(new URL('../web/package.json', import.meta.url))('playwright-core');
const ROUNDS = Number(process.env.ROUNDS ?? 15);
const NOTICE = '2026-move';

/** A picture that does not compress, so that the page has a largest paint of its own. */
function picture(width, height) {
  const line = width * 3 + 1;
  const raw = Buffer.alloc(line * height);
  let seed = 7;
  for (let at = 0; at < raw.length; at += 1) {
    seed = (seed * 1103515245 + 12345) & 0x7fffffff;
    raw[at] = at % line === 0 ? 0 : (seed >> 16) & 0x3f;
  }
  const chunk = (kind, data) => {
    const body = Buffer.concat([Buffer.from(kind), data]);
    const size = Buffer.alloc(4);
    size.writeUInt32BE(data.length);
    const sum = Buffer.alloc(4);
    sum.writeUInt32BE(crc32(body) >>> 0);
    return Buffer.concat([size, body, sum]);
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]), chunk('IHDR', head), chunk('IDAT', deflateSync(raw)), chunk('IEND', Buffer.alloc(0))]);
}

const shot = picture(480, 270);
const products = Array.from({ length: 40 }, (_, n) => `<li><h3>Lamp ${n + 1}</h3><p>A quiet lamp of oak and linen, made to be mended, number ${n + 1} of its row.</p></li>`).join('');
const STYLE = 'body{font:16px/1.5 sans-serif;margin:0 auto;max-width:960px;padding:16px}ul{display:grid;grid-template-columns:repeat(auto-fill,minmax(200px,1fr));gap:16px;padding:0;list-style:none}img{width:100%;height:auto}';

/** The host's server; `carries` adds a page with these lines in addition. */
async function host() {
  const page = (head, body) => gzipSync(`<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Lamps</title><link rel="stylesheet" href="/style.css">${head}</head><body>${body}<header><h1>Lamps</h1></header><main><img src="/shot.png" width="480" height="270" alt=""><ul>${products}</ul></main></body></html>`);
  const pages = { '/': page('', '') };
  const server = createServer((request, response) => {
    const send = (kind, body, more = {}) => { response.writeHead(200, { 'content-type': kind, 'cache-control': 'no-store', ...more }); response.end(body); };
    if (request.url === '/style.css') return send('text/css', STYLE);
    if (request.url === '/shot.png') return send('image/png', shot);
    if (request.url === '/favicon.ico') { response.writeHead(204); return response.end(); }
    return send('text/html; charset=utf-8', pages[request.url] ?? pages['/'], { 'content-encoding': 'gzip' });
  });
  await new Promise((done) => server.listen(0, 'localhost', done));
  return { origin: `http://localhost:${server.address().port}`, carries: (path, head, body) => { pages[path] = page(head, body); }, close: () => { server.closeAllConnections(); return new Promise((done) => server.close(done)); } };
}

/** One visit in a browser that knows nothing. */
async function visit(browser, url, dunlin, { slowed, shows }) {
  const context = await browser.newContext({ viewport: { width: 390, height: 844 }, deviceScaleFactor: 2 });
  const page = await context.newPage();
  const devtools = await context.newCDPSession(page);
  await devtools.send('Network.enable');
  await devtools.send('Network.setCacheDisabled', { cacheDisabled: true });
  if (slowed) {
    await devtools.send('Network.emulateNetworkConditions', { offline: false, latency: 150, downloadThroughput: (1.6 * 1024 * 1024) / 8, uploadThroughput: (750 * 1024) / 8 });
    await devtools.send('Emulation.setCPUThrottlingRate', { rate: 4 });
  }
  const urls = new Map();
  const sizes = new Map();
  devtools.on('Network.requestWillBeSent', (e) => urls.set(e.requestId, e.request.url));
  devtools.on('Network.loadingFinished', (e) => { const of = urls.get(e.requestId) ?? ''; if (of.startsWith(dunlin)) sizes.set(new URL(of).pathname, e.encodedDataLength); });
  await page.addInitScript(() => {
    window.seen = { lcp: 0, cls: 0, blocked: 0 };
    new PerformanceObserver((list) => { for (const e of list.getEntries()) window.seen.lcp = e.startTime; }).observe({ type: 'largest-contentful-paint', buffered: true });
    new PerformanceObserver((list) => { for (const e of list.getEntries()) if (!e.hadRecentInput) window.seen.cls += e.value; }).observe({ type: 'layout-shift', buffered: true });
    new PerformanceObserver((list) => { for (const e of list.getEntries()) window.seen.blocked += Math.max(0, e.duration - 50); }).observe({ type: 'longtask', buffered: true });
  });
  await page.goto(url, { waitUntil: 'load' });
  // The last is the script's own, also where a fragment stands inside.
  if (shows) await page.locator('dunlin-notice section[data-theme]').waitFor({ state: 'visible', timeout: 20_000 });
  await new Promise((done) => setTimeout(done, 800));
  const said = await page.evaluate(() => {
    const [nav] = performance.getEntriesByType('navigation');
    const paint = performance.getEntriesByName('first-contentful-paint')[0];
    return { fcp: paint?.startTime ?? 0, lcp: window.seen.lcp, load: nav.loadEventEnd, cls: window.seen.cls, blocked: window.seen.blocked };
  });
  await context.close();
  return { ...said, sizes };
}

const shop = await host();
// Browsers let the page read the card's data where server.toml names its origin.
const demo = await serveDemo(200, `[tell]\nhosts = ["${shop.origin}"]\n`);
const dunlin = demo.origin;
const SCRIPT = `<script src="${dunlin}/tell/card.js" defer></script>`;
shop.carries('/card', SCRIPT, `<dunlin-notice notice="${NOTICE}"></dunlin-notice>`);
const fragment = await (await fetch(`${dunlin}/tell/card.html?notice=${NOTICE}&lang=en`)).text();
shop.carries('/fragment', `<link rel="stylesheet" href="${dunlin}/tell/card.css">${SCRIPT}`, `<dunlin-notice notice="${NOTICE}">${fragment}</dunlin-notice>`);
const KINDS = { without: '/', with: '/card', fragment: '/fragment' };
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ['--no-sandbox'] });
try {
  for (const slowed of [false, true]) {
    const took = { without: [], with: [], fragment: [] };
    // Two rounds to warm up, which are thrown away.
    for (let round = -2; round < ROUNDS; round += 1) {
      const order = round % 2 === 0 ? ['without', 'with', 'fragment'] : ['fragment', 'with', 'without'];
      for (const kind of order) {
        const one = await visit(browser, `${shop.origin}${KINDS[kind]}`, dunlin, { slowed, shows: kind !== 'without' });
        if (round >= 0) took[kind].push(one);
      }
    }
    const of = (kind, what) => shares(took[kind].map((one) => one[what]));
    const ms = (value) => `${value.toFixed(0)} ms`;
    const shift = (value) => value.toFixed(3);
    console.log(`\n${slowed ? 'A phone on slow 4G (150 ms, 1.6 Mbit/s, processor / 4)' : 'This machine, as fast as it is'}; medians of ${ROUNDS} visits each, in turns, nothing cached\n`);
    console.log('| the host page | without the card | with it | with it and its fragment |');
    console.log('| --- | ---: | ---: | ---: |');
    for (const [name, what, print] of [['first contentful paint', 'fcp', ms], ['largest contentful paint', 'lcp', ms], ['load event', 'load', ms], ['main thread blocked beyond 50 ms', 'blocked', ms], ['layout shift (CLS)', 'cls', shift]]) {
      const [without, ...others] = Object.keys(KINDS).map((kind) => of(kind, what).median);
      const beside = (value) => `${print(value)} (${value >= without ? '+' : '−'}${print(Math.abs(value - without))})`;
      console.log(`| ${name} | ${print(without)} | ${others.map(beside).join(' | ')} |`);
    }
    if (slowed) continue;
    console.log('\n| what the card brings | bytes as they travel, headers included |');
    console.log('| --- | ---: |');
    let all = 0;
    for (const [path, bytes] of took.with[0].sizes) { all += bytes; console.log(`| \`${path}\` | ${bytes} |`); }
    console.log(`| together | ${all} |`);
    const script = await fetch(`${dunlin}/tell/card.js`, { headers: { 'accept-encoding': 'gzip' } });
    const pressed = Number(script.headers.get('content-length') ?? 0);
    console.log(`\nThe script itself: ${pressed} bytes gzipped, of 10240 that it may have.`);
  }
} finally {
  await browser.close();
  await shop.close();
  await demo.stop();
}
