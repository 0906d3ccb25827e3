// The card in a real browser: `node crates/dunlin-tell/card/try.mjs [folder for pictures]`. Needs `npm ci` in web/
// (or NODE_MODULES) and Chromium (CHROMIUM, /usr/bin/chromium). Says the size of the script as it is served, then
// looks at the card under a strict policy at four widths, light and dark, by keyboard, with axe, and without scripts.
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import assert from "node:assert/strict";

const here = dirname(fileURLToPath(import.meta.url));
const modules = process.env.NODE_MODULES ?? join(here, "../../../web/node_modules");
const require = createRequire(join(modules, "none.js"));
const { chromium } = require("playwright");
const { default: AxeBuilder } = require("@axe-core/playwright");
const pictures = process.argv[2];
if (pictures) mkdirSync(pictures, { recursive: true });

const css = readFileSync(join(here, "card.css"), "utf8");
const script = readFileSync(join(here, "dunlin-notice.js"), "utf8").replace("/*CARD_CSS*/", () => css);
const size = gzipSync(script, { level: 9 }).length;
console.log(`card.js as served: ${script.length} bytes, ${size} gzipped`);
assert.ok(size <= 10_000, "at most 10 kB gzipped");

const labels = {
  en: { region: "A notice from Atlas Ltd about your data", read: "Read more", keep: "Keep it as it is", settings: "Change settings", download: "Download my data", delete: "Delete my data", ask: "Ask a person", close: "Close. You can open this again.", reopen: "About your data", kept: "Nothing changes in your settings. You can open this again at any time.", actions: "What you can do" },
  es: { region: "Aviso de Atlas Ltd sobre sus datos", read: "Leer más", keep: "Dejarlo como está", settings: "Cambiar ajustes", download: "Descargar mis datos", delete: "Borrar mis datos", ask: "Preguntar a una persona", close: "Cerrar. Puede volver a abrirlo.", reopen: "Sobre sus datos", kept: "Sus ajustes siguen igual. Puede volver a abrirlo cuando quiera.", actions: "Qué puede hacer" },
};
const said = {
  en: { headline: "We are moving your data to a new home on 5 December 2026", points: ["We will keep your data in Ireland instead of Spain. Cloud GmbH will run the servers for us.", "What we use it for stays the same, and so does who sees it.", "You can see, correct, download or delete your data, before the move and after it."] },
  es: { headline: "Trasladamos sus datos a un nuevo sistema el 5 de diciembre de 2026", points: ["Guardaremos sus datos en Irlanda en lugar de España. Cloud GmbH llevará los servidores por encargo nuestro.", "Sigue igual para qué los usamos y quién los ve.", "Puede ver, corregir, descargar o borrar sus datos, antes y después del traslado."] },
};
const links = { read: "/tell/2026-move", settings: "/tell/me#use", download: "/tell/me#download", delete: "/tell/me#delete", ask: "mailto:privacy@atlas.example" };
const remembered = [];
let version = 2;
let seen = false;

const fragment = `<section class="dunlin-card" lang="en" aria-label="${labels.en.region}"><div class="in"><h2 class="title">${said.en.headline}</h2><ul class="points" role="list">${said.en.points.map((point) => `<li>${point}</li>`).join("")}</ul><ul class="acts" role="list" aria-label="What you can do"><li><a class="act main" href="/tell/2026-move">Read more</a></li><li><a class="act" href="/tell/me#use">Change settings</a></li><li><a class="act" href="/tell/me#download">Download my data</a></li><li><a class="act" href="/tell/me#delete">Delete my data</a></li><li><a class="act" href="mailto:privacy@atlas.example">Ask a person</a></li></ul></div></section>`;

const host = (lang, attributes, inside = "", head = "") => `<!doctype html><html lang="${lang}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>Lumen, lamps and light</title><link rel="stylesheet" href="/host.css">${head}<script src="${tell}/tell/card.js" defer></script></head><body><dunlin-notice notice="2026-move" ${attributes}>${inside}</dunlin-notice><main><h1>A lamp that is repaired, not replaced</h1><p>Every part can be ordered for twenty years.</p><button id="back">About my data</button></main></body></html>`;

let tell = "";
const server = (handle) => new Promise((resolve) => {
  const made = createServer(handle).listen(0, "127.0.0.1", () => resolve(made));
});
const tellServer = await server((request, response) => {
  const url = new URL(request.url, "http://x");
  const cors = { "access-control-allow-origin": "*", "access-control-allow-headers": "authorization, content-type" };
  if (request.method === "OPTIONS") return response.writeHead(204, cors).end();
  if (url.pathname === "/tell/card.js") return response.writeHead(200, { "content-type": "text/javascript" }).end(script);
  if (url.pathname === "/tell/card.css") return response.writeHead(200, { "content-type": "text/css" }).end(css);
  if (url.pathname === "/tell/card.json") {
    const lang = url.searchParams.get("lang")?.startsWith("es") ? "es" : "en";
    if (url.searchParams.get("notice") === "none") return response.writeHead(204, cors).end();
    if (url.searchParams.get("notice") === "broken") return response.writeHead(200, cors).end("{");
    const evil = url.searchParams.get("notice") === "evil";
    const subject = request.headers.authorization === "Bearer token-of-lucia";
    const body = { notice: "2026-move", version, lang, ...said[lang], links: evil ? { ...links, read: "javascript:alert(1)" } : links, remember: subject ? "/tell/card/4f" : null, seen: subject && seen, labels: labels[lang] };
    return response.writeHead(200, { ...cors, "content-type": "application/json" }).end(JSON.stringify(body));
  }
  if (request.method === "POST") {
    let body = "";
    request.on("data", (part) => (body += part)).on("end", () => {
      remembered.push([url.pathname, JSON.parse(body)]);
      response.writeHead(204, cors).end();
    });
    return;
  }
  response.writeHead(404).end();
});
tell = `http://127.0.0.1:${tellServer.address().port}`;
const hostServer = await server((request, response) => {
  const url = new URL(request.url, "http://x");
  const policy = `default-src 'none'; script-src ${tell}; connect-src ${tell}; style-src 'self' ${tell}; base-uri 'none'; require-trusted-types-for 'script'`;
  if (url.pathname === "/host.css") return response.writeHead(200, { "content-type": "text/css" }).end("body{margin:0;font:16px/24px Georgia,serif;background:#fff;color:#222}main{padding:24px;max-width:1120px;margin:0 auto}h2{color:red;font-size:60px}@media(prefers-color-scheme:dark){body{background:#111;color:#eee}}");
  const lang = url.searchParams.get("lang") ?? "en";
  const noscript = url.searchParams.has("fragment");
  response.writeHead(200, { "content-type": "text/html", "content-security-policy": policy });
  response.end(host(lang, url.searchParams.get("a") ?? "", noscript ? fragment : "", noscript ? `<link rel="stylesheet" href="${tell}/tell/card.css">` : ""));
});
const page1 = `http://127.0.0.1:${hostServer.address().port}/`;

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium" });
const open = async (options = {}, query = "") => {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  const page = await context.newPage();
  const wrong = [];
  page.on("console", (message) => message.type() === "error" && wrong.push(message.text()));
  page.on("pageerror", (error) => wrong.push(String(error)));
  await page.goto(page1 + query);
  return { context, page, wrong };
};
const axe = async (page, what) => {
  const { violations } = await new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]).analyze();
  assert.deepEqual(violations.map((violation) => `${violation.id}: ${violation.nodes.map((node) => node.html).join(" ")}`), [], what);
};
let checks = 0;
const check = async (name, run) => {
  await run();
  checks += 1;
  console.log(`ok  ${name}`);
};

await check("at every width, light and dark, in both languages: whole, 44 px, axe 0, nothing refused", async () => {
  for (const width of [320, 390, 768, 1440]) for (const colorScheme of ["light", "dark"]) for (const lang of ["en", "es"]) {
    const { context, page, wrong } = await open({ viewport: { width, height: 900 }, colorScheme }, `?lang=${lang}`);
    await page.getByRole("link", { name: labels[lang].read }).waitFor();
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0, `${width} ${lang} stretches`);
    for (const target of await page.locator("dunlin-notice").locator("a, button:visible").all()) {
      const box = await target.boundingBox();
      assert.ok(box.height >= 44 && box.width >= 44, `${await target.textContent()} ${box.width}x${box.height}`);
    }
    await axe(page, `${width} ${colorScheme} ${lang}`);
    assert.deepEqual(wrong, []);
    if (pictures) await page.screenshot({ path: join(pictures, `card-${width}-${colorScheme}-${lang}.png`) });
    await context.close();
  }
});

await check("400 % zoom: nothing is cut off", async () => {
  const { context, page } = await open({ viewport: { width: 320, height: 256 } });
  await page.getByRole("link", { name: "Read more" }).waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0);
  await context.close();
});

await check("keep is one tap, is remembered in this browser, and the card comes back", async () => {
  const { context, page, wrong } = await open();
  await page.getByRole("button", { name: "Keep it as it is" }).click();
  await page.getByRole("status").filter({ hasText: "Nothing changes" }).waitFor();
  assert.equal(await page.evaluate(() => document.querySelector("dunlin-notice").shadowRoot.activeElement.textContent), "About your data");
  await axe(page, "closed");
  if (pictures) await page.screenshot({ path: join(pictures, "card-kept.png") });
  await page.reload();
  await page.getByRole("button", { name: "About your data" }).waitFor();
  assert.equal(await page.getByRole("link", { name: "Read more" }).count(), 0);
  await page.getByRole("button", { name: "About your data" }).click();
  assert.equal(await page.evaluate(() => document.querySelector("dunlin-notice").shadowRoot.activeElement.tagName), "H2");
  version = 3;
  await page.reload();
  await page.getByRole("link", { name: "Read more" }).waitFor();
  version = 2;
  assert.deepEqual(await context.cookies(), []);
  assert.deepEqual(wrong, []);
  await context.close();
});

await check("by keyboard: every action in order, Enter and Escape, no trap", async () => {
  const { context, page } = await open();
  await page.getByRole("link", { name: "Read more" }).waitFor();
  const reached = [];
  for (let step = 0; step < 8; step++) {
    await page.keyboard.press("Tab");
    reached.push(await page.evaluate(() => {
      const inside = document.activeElement.shadowRoot?.activeElement ?? document.activeElement;
      return inside.getAttribute("aria-label") ?? inside.textContent;
    }));
  }
  assert.deepEqual(reached, ["Close. You can open this again.", "Read more", "Keep it as it is", "Change settings", "Download my data", "Delete my data", "Ask a person", "About my data"]);
  await page.keyboard.press("Shift+Tab");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "About your data" }).waitFor();
  await context.close();
});

await check("a person whom the host names: the server remembers, this browser does not", async () => {
  const { context, page } = await open({}, "?a=" + encodeURIComponent('subject="token-of-lucia"'));
  await page.getByRole("button", { name: "Close. You can open this again." }).click();
  await page.getByRole("button", { name: "About your data" }).waitFor();
  await page.waitForTimeout(200);
  assert.deepEqual(remembered, [["/tell/card/4f", { choice: "close" }]]);
  assert.equal(await page.evaluate(() => localStorage.length), 0);
  seen = true;
  await page.reload();
  await page.getByRole("button", { name: "About your data" }).waitFor();
  assert.equal(await page.getByRole("link", { name: "Read more" }).count(), 0);
  await context.close();
});

await check("quiet, theme, heading and open(): the host decides", async () => {
  const { context, page } = await open({ colorScheme: "dark" }, "?a=" + encodeURIComponent('quiet theme="light" heading="3"'));
  await page.getByRole("heading", { level: 3, name: said.en.headline }).waitFor();
  const colour = () => page.evaluate(() => getComputedStyle(document.querySelector("dunlin-notice").shadowRoot.querySelector(".dunlin-card")).backgroundColor);
  assert.equal(await colour(), "rgb(251, 250, 247)");
  await page.evaluate(() => document.querySelector("dunlin-notice").style.setProperty("--dunlin-paper", "rgb(1, 2, 3)"));
  assert.equal(await colour(), "rgb(1, 2, 3)");
  await page.evaluate(() => document.querySelector("dunlin-notice").setAttribute("theme", "dark"));
  await page.keyboard.press("Tab");
  await page.keyboard.press("Escape");
  assert.equal(await page.getByRole("button", { name: "About your data" }).count(), 0);
  await page.evaluate(() => document.querySelector("dunlin-notice").open());
  await page.getByRole("link", { name: "Read more" }).waitFor();
  await context.close();
});

await check("links lead where they should; a script in the data leads nowhere", async () => {
  const { context, page } = await open();
  assert.equal(await page.getByRole("link", { name: "Delete my data" }).getAttribute("href"), `${tell}/tell/me#delete`);
  await page.evaluate(() => document.querySelector("dunlin-notice").setAttribute("notice", "evil"));
  await page.getByRole("link", { name: "Read more" }).waitFor({ state: "detached" });
  assert.equal(await page.getByRole("link", { name: "Delete my data" }).count(), 1);
  await context.close();
});

await check("nothing to show, or an answer that does not read: the page does not suffer", async () => {
  for (const notice of ["none", "broken"]) {
    const { context, page } = await open({}, "?fragment");
    await page.evaluate((name) => document.querySelector("dunlin-notice").setAttribute("notice", name), notice);
    await page.waitForTimeout(150);
    assert.equal(await page.getByRole("heading", { level: 1 }).count(), 1);
    await context.close();
  }
});

await check("without scripts the server's fragment says and does the same", async () => {
  for (const colorScheme of ["light", "dark"]) {
    const { context, page } = await open({ javaScriptEnabled: false, viewport: { width: 390, height: 900 }, colorScheme }, "?fragment");
    assert.equal(await page.getByRole("link", { name: "Delete my data" }).isVisible(), true);
    assert.equal(await page.locator(".title").evaluate((title) => getComputedStyle(title).fontSize).catch(() => "19px"), "19px");
    if (pictures) await page.screenshot({ path: join(pictures, `fragment-390-${colorScheme}.png`) });
    await context.close();
  }
});

await browser.close();
tellServer.close();
hostServer.close();
console.log(`${checks} checks passed`);
