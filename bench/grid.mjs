// Measures the grid of Work over 100,000 tasks as its reader sees it. `bench/grid.sh` starts it.
import { createRequire } from 'node:module';
import { fill, serveDemo, shares } from './demo.mjs';

const { chromium } = createRequire(new URL('../web/package.json', import.meta.url))('playwright-core');
const TASKS = Number(process.env.TASKS ?? 100_000);
const LINE = 32;
const rows = [];
const ms = (value) => (value < 10 ? value.toFixed(1) : value.toFixed(0));
const say = (what, goal, took, print = (value) => `${ms(value)} ms`) => {
  const { median, p95 } = shares(took);
  rows.push(`| ${what} | ${goal} | ${print(median)} | ${print(p95)} |`);
  console.error(rows.at(-1));
};
const rest = (wait) => new Promise((done) => setTimeout(done, wait));

/** Notes in the page when the first rows with content were painted. */
function watchFirstRows() {
  const look = () => {
    if (!document.querySelector('.grid-row:not([aria-busy]) .cell')) return;
    seen.disconnect();
    requestAnimationFrame(() => setTimeout(() => { window.firstRows = performance.now(); }));
  };
  const seen = new MutationObserver(look);
  seen.observe(document, { childList: true, subtree: true });
}

async function firstPaint(browser, demo) {
  const cold = [];
  const warm = [];
  for (let time = 0; time < 5; time += 1) {
    const context = await person(browser, demo);
    const page = await context.newPage();
    await page.addInitScript(watchFirstRows);
    for (const list of [cold, warm]) {
      await page.goto(`${demo.origin}/work`, { waitUntil: 'commit' });
      await page.waitForFunction(() => window.firstRows > 0);
      list.push(await page.evaluate(() => window.firstRows));
      await rest(300);
    }
    await context.close();
  }
  say('first rows of the grid, from navigation; nothing cached in the browser', '< 1 s', cold);
  say('the same, the app cached', '< 1 s', warm);
}

const person = async (browser, demo) => {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: 'no-preference' });
  await context.addCookies(demo.cookies.map((line) => ({ name: line.slice(0, line.indexOf('=')), value: line.slice(line.indexOf('=') + 1), url: demo.origin })));
  return context;
};

async function open(browser, demo) {
  const page = await (await person(browser, demo)).newPage();
  await page.goto(`${demo.origin}/work`);
  await page.waitForSelector('.grid-row:not([aria-busy]) .cell');
  await rest(1500);
  return page;
}

/** Turns the wheel once a frame and keeps how long frames took. */
async function scroll(page, step, seconds) {
  const box = await page.getByRole('grid').boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.evaluate(() => {
    window.frames_ = [];
    let before = performance.now();
    const frame = (now) => {
      window.frames_.push(now - before);
      before = now;
      if (window.frames_) window.drawing = requestAnimationFrame(frame);
    };
    window.drawing = requestAnimationFrame((now) => { before = now; window.drawing = requestAnimationFrame(frame); });
  });
  const until = Date.now() + seconds * 1000;
  const whole = (TASKS + 100) * LINE;
  for (let gone = 0; Date.now() < until && gone < whole; gone += step) {
    const begun = performance.now();
    await page.mouse.wheel(0, step);
    await rest(Math.max(0, 16 - (performance.now() - begun)));
  }
  const frames = await page.evaluate(() => { cancelAnimationFrame(window.drawing); return window.frames_; });
  const at = await page.getByRole('grid').evaluate((grid) => grid.scrollTop / (grid.scrollHeight - grid.clientHeight));
  return { frames, at };
}

async function scrolling(page) {
  const fps = (took) => `${Math.min(60, Math.round(1000 / took))} fps (${took.toFixed(1)} ms)`;
  const calm = await scroll(page, 120, 10);
  say('a frame while the wheel turns, 120 px a turn', '>= 55 fps', calm.frames, fps);
  await page.getByRole('grid').evaluate((grid) => { grid.scrollTop = 0; });
  await rest(500);
  const whole = await scroll(page, Math.ceil(((TASKS + 100) * LINE) / 1200), 60);
  say(`a frame through the whole list in ${(whole.frames.reduce((a, b) => a + b, 0) / 1000).toFixed(0)} s (${Math.round(whole.at * 100)} % of it)`, '>= 55 fps', whole.frames, fps);
  const jumps = [];
  for (let time = 1; time <= 20; time += 1) {
    jumps.push(await page.getByRole('grid').evaluate(async (grid, share) => {
      const begun = performance.now();
      grid.scrollTop = grid.scrollHeight * share;
      const full = () => {
        const top = grid.getBoundingClientRect();
        const shown = [...grid.querySelectorAll('.grid-row')].filter((row) => { const box = row.getBoundingClientRect(); return box.bottom > top.top + 40 && box.top < top.bottom - 40; });
        return shown.length > 10 && shown.every((row) => !row.hasAttribute('aria-busy'));
      };
      await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
      while (!full()) await new Promise((done) => requestAnimationFrame(done));
      return performance.now() - begun;
    }, ((time * 7) % 20) / 20 + 0.013));
    await rest(200);
  }
  say('rows after a jump to another place', '', jumps);
}

/** Writes into the first task's title; how long until this page and another show it. */
async function editing(page, other, title) {
  const wait = (one, text) => one.evaluate((text) => new Promise((done) => {
    const has = () => [...document.querySelectorAll('.grid-row .cell')].some((cell) => cell.textContent === text);
    const look = () => { if (has()) { seen.disconnect(); requestAnimationFrame(() => setTimeout(() => done(performance.timeOrigin + performance.now()))); } };
    const seen = new MutationObserver(look);
    seen.observe(document.querySelector('.grid'), { childList: true, subtree: true, characterData: true });
    look();
  }), text);
  const here = [];
  const there = [];
  await page.evaluate(() => window.addEventListener('keydown', (event) => { if (event.key === 'Enter') window.entered = performance.timeOrigin + performance.now(); }, true));
  for (let time = 0; time < 20; time += 1) {
    const text = `${title} ${time}`;
    await page.locator('.grid-row[data-line="2"] [aria-colindex="2"]').click();
    await page.keyboard.type(text);
    const both = [wait(page, text), wait(other, text)];
    await rest(100);
    await page.keyboard.press('Enter');
    const [shown, elsewhere] = await Promise.all(both);
    const entered = await page.evaluate(() => window.entered);
    here.push(shown - entered);
    there.push(elsewhere - entered);
    await rest(600);
  }
  say('an edit shows in the page where it was typed', '< 100 ms', here);
  say('the same edit shows in another browser', '', there);
}

async function answers(demo) {
  const json = (value) => encodeURIComponent(JSON.stringify(value));
  const asked = {
    'the first page, 200 rows': 'limit=200',
    'a page in the middle': 'limit=200&offset=50000',
    'a text': 'limit=200&q=table%204711',
    'a filter: open and due before June': `limit=200&filter=${json({ all: [{ field: 'status', is: ['open'] }, { field: 'deadline', before: '2027-06-01' }] })}`,
    'grouped by owner': 'limit=200&group=owner',
    'filtered, grouped and sorted': `limit=200&filter=${json({ all: [{ field: 'priority', is: ['high', 'urgent'] }] })}&group=status&sort=-deadline`,
    'how many of each status (the line over the grid)': 'limit=1&group=status',
  };
  for (const [name, query] of Object.entries(asked)) {
    const took = [];
    let bytes = 0;
    for (let time = 0; time < 45; time += 1) {
      const begun = performance.now();
      bytes = JSON.stringify(await demo.ask('GET', `/api/v1/work/tasks?${query}`)).length;
      if (time >= 5) took.push(performance.now() - begun);
    }
    say(`the server answers ${name} (${Math.round(bytes / 1000)} kB)`, '< 150 ms', took);
  }
}

const demo = await serveDemo(500);
try {
  const begun = Date.now();
  await fill(demo, TASKS);
  console.error(`${TASKS} tasks imported in ${((Date.now() - begun) / 1000).toFixed(1)} s`);
  await rest(5000);
  const launch = () => chromium.launch({ executablePath: process.env.CHROMIUM, args: ['--no-sandbox'] });
  const [browser, second] = [await launch(), await launch()];
  try {
    await answers(demo);
    await firstPaint(browser, demo);
    const page = await open(browser, demo);
    await scrolling(page);
    await page.getByRole('grid').evaluate((grid) => { grid.scrollTop = 0; });
    await editing(page, await open(second, demo), 'measured');
  } finally {
    await browser.close();
    await second.close();
  }
} finally {
  await demo.stop();
}
console.log(['', `| ${TASKS.toLocaleString('en')} tasks, 1440 x 900 | goal | median | p95 |`, '| --- | --- | ---: | ---: |', ...rows].join('\n'));
