/*! <dunlin-notice>: the front of a notice, on the company's own pages. One script, no dependency, no cookie, no third
    party. It needs of a Content-Security-Policy: script-src and connect-src for the server it comes from, and no style-src.

    <script src="https://data.example/tell/card.js" defer></script>
    <dunlin-notice notice="2026-move"></dunlin-notice>

    Attributes
      notice   the notice's name; without it the server chooses the one that is published
      lang     the reader's language; without it the page's, then the browser's
      subject  who is signed in: a token that the host signs (EdDSA, five minutes at most, once). Then the server
               remembers the answer and the links lead to this person's own pages; without it this browser remembers
      src      another address for the JSON; without it "card.json" beside this script
      theme    light or dark; without it as the reader's system
      heading  the level of the heading, 2 to 6; without it 2
      quiet    shows nothing once closed; the page brings the card back by open()
    What stands inside the element is shown until the data has come, and when it does not come: the server's fragment.

    Colours, type and shape: --dunlin-paper -ink -muted -line -edge -accent -on-accent -font -radius -width.
    Methods open(), close(). Events dunlin-open, dunlin-close (detail.choice: keep, close); they bubble.

    It fetches GET <src>?notice=2026-move&lang=es, with "Authorization: Bearer <subject>" when there is one, and gets
    204 when there is nothing to show, or
      { "notice": "2026-move", "version": 2, "lang": "es",
        "headline": "Trasladamos sus datos …",
        "points": [ "Guardaremos sus datos en Irlanda …", "…", "…" ],         at most three
        "links": { "read": "/tell/2026-move", "settings": "/tell/me#use", "download": "/tell/me#download",
                   "delete": "/tell/me#delete", "ask": "mailto:privacy@atlas.example" },    relative to the JSON
        "remember": "/tell/card/4f…",  null without a subject; gets POST {"choice":"keep"|"close"}
        "seen": false,                 whether this person has answered already
        "labels": { "region", "read", "keep", "settings", "download", "delete", "ask", "close", "reopen", "kept",
                    "actions" } } */
(() => {
  "use strict";
  if (customElements.get("dunlin-notice")) return;
  const CSS = `/*CARD_CSS*/`;
  const here = document.currentScript && document.currentScript.src;
  const SVG = "http://www.w3.org/2000/svg";
  let sheet;

  const make = (name, className, text) => {
    const element = document.createElement(name);
    if (className) element.className = className;
    if (text) element.textContent = text;
    return element;
  };

  /* A script: address in the data would run on the host's page. */
  const address = (link, base) => {
    try {
      const url = new URL(link, base);
      return ["https:", "http:", "mailto:", "tel:"].includes(url.protocol) ? url.href : null;
    } catch {
      return null;
    }
  };

  class DunlinNotice extends HTMLElement {
    #data;
    #base;
    #asked = 0;
    #card;
    #after;
    #title;
    #again;
    #said;

    static get observedAttributes() {
      return ["src", "notice", "lang", "subject", "theme"];
    }

    connectedCallback() {
      this.#load();
    }

    attributeChangedCallback(name, before, now) {
      if (!this.isConnected || before === now) return;
      if (name === "theme") this.#theme();
      else this.#load();
    }

    open() {
      if (!this.#card) return;
      this.#show(true);
      this.#title.focus();
    }

    close() {
      this.#answer("close");
    }

    async #load() {
      /* Several attributes may change at once; the last one asks. */
      const turn = ++this.#asked;
      await null;
      if (turn !== this.#asked || !this.isConnected) return;
      const src = this.getAttribute("src") || (here && new URL("card.json", here).href);
      if (!src) return;
      const url = new URL(src, document.baseURI);
      const notice = this.getAttribute("notice");
      const lang = this.getAttribute("lang") || this.closest("[lang]")?.lang || navigator.language;
      if (notice) url.searchParams.set("notice", notice);
      if (lang) url.searchParams.set("lang", lang);
      const subject = this.getAttribute("subject");
      const headers = { Accept: "application/json" };
      if (subject) headers.Authorization = "Bearer " + subject;
      try {
        const answer = await fetch(url, { headers, credentials: "omit", referrerPolicy: "no-referrer" });
        const data = answer.status === 200 ? await answer.json() : null;
        if (turn !== this.#asked) return;
        if (!data || !data.headline || !data.labels) return;
        this.#data = data;
        this.#base = url.href;
        this.#build();
      } catch {
        /* Nothing came: what stands inside the element stays. The page must not suffer. */
      }
    }

    #build() {
      const data = this.#data;
      const labels = data.labels;
      const root = this.shadowRoot || this.attachShadow({ mode: "open" });
      if (!sheet) {
        sheet = new CSSStyleSheet();
        sheet.replaceSync(CSS);
      }
      root.adoptedStyleSheets = [sheet];

      const card = make("section", "dunlin-card");
      card.lang = data.lang || "";
      card.setAttribute("aria-label", labels.region);
      const inner = make("div", "in");
      const level = Number(this.getAttribute("heading"));
      const title = make("h" + (level >= 2 && level <= 6 ? level : 2), "title", data.headline);
      title.tabIndex = -1;
      const close = make("button", "x");
      close.type = "button";
      close.setAttribute("aria-label", labels.close);
      const cross = document.createElementNS(SVG, "svg");
      cross.setAttribute("viewBox", "0 0 16 16");
      cross.setAttribute("aria-hidden", "true");
      const path = document.createElementNS(SVG, "path");
      path.setAttribute("d", "m3.5 3.5 9 9m0-9-9 9");
      cross.append(path);
      close.append(cross);
      close.addEventListener("click", () => this.#answer("close"));

      const points = make("ul", "points");
      points.setAttribute("role", "list");
      for (const point of (data.points || []).slice(0, 3)) points.append(make("li", "", point));

      const acts = make("ul", "acts");
      acts.setAttribute("role", "list");
      acts.setAttribute("aria-label", labels.actions);
      const act = (element) => {
        const item = make("li");
        item.append(element);
        acts.append(item);
      };
      const link = (name) => {
        const href = data.links && data.links[name] && address(data.links[name], this.#base);
        if (!href || !labels[name]) return;
        const element = make("a", name === "read" ? "act main" : "act", labels[name]);
        element.href = href;
        act(element);
      };
      link("read");
      const keep = make("button", "act", labels.keep);
      keep.type = "button";
      keep.addEventListener("click", () => this.#answer("keep"));
      act(keep);
      ["settings", "download", "delete", "ask"].forEach(link);

      inner.append(title, close, points, acts);
      card.append(inner);
      card.addEventListener("keydown", (event) => {
        if (event.key === "Escape" && !event.defaultPrevented) this.#answer("close");
      });

      const after = make("div", "dunlin-card after");
      after.lang = data.lang || "";
      const line = make("div", "in");
      const again = make("button", "act again", labels.reopen);
      again.type = "button";
      again.addEventListener("click", () => this.open());
      const said = make("p", "said");
      said.setAttribute("role", "status");
      line.append(again, said);
      after.append(line);

      this.#card = card;
      this.#after = after;
      this.#title = title;
      this.#again = again;
      this.#said = said;
      root.replaceChildren(card, after);
      this.#theme();
      this.#show(!(data.remember ? data.seen : this.#stored() === String(data.version)));
    }

    #theme() {
      for (const part of [this.#card, this.#after]) {
        if (part) part.dataset.theme = this.getAttribute("theme") || "";
      }
    }

    #show(open) {
      this.#card.hidden = !open;
      this.#after.hidden = open || this.hasAttribute("quiet");
      this.#said.textContent = "";
      if (open) this.dispatchEvent(new CustomEvent("dunlin-open", { bubbles: true, composed: true }));
    }

    #answer(choice) {
      if (!this.#card || this.#card.hidden) return;
      const had = this.shadowRoot.activeElement;
      this.#show(false);
      if (had && !this.#after.hidden) this.#again.focus();
      if (choice === "keep") this.#said.textContent = this.#data.labels.kept || "";
      this.#store(choice);
      const detail = { choice, notice: this.#data.notice, version: this.#data.version };
      this.dispatchEvent(new CustomEvent("dunlin-close", { bubbles: true, composed: true, detail }));
    }

    get #key() {
      return "dunlin-notice:" + this.#data.notice;
    }

    #stored() {
      try {
        return localStorage.getItem(this.#key);
      } catch {
        return null;
      }
    }

    #store(choice) {
      const url = this.#data.remember && address(this.#data.remember, this.#base);
      if (url) {
        const body = JSON.stringify({ choice });
        const headers = { "Content-Type": "application/json" };
        fetch(url, { method: "POST", body, headers, credentials: "omit", keepalive: true }).catch(() => {});
        return;
      }
      try {
        localStorage.setItem(this.#key, String(this.#data.version));
      } catch {
        /* A browser that keeps nothing shows the card again. */
      }
    }
  }

  customElements.define("dunlin-notice", DunlinNotice);
})();
