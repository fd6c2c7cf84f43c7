/* The search box. find.js cuts and weighs words; this fetches what it needs, listens to keys and shows what was found.
   Nothing is fetched before the box is opened. */
(() => {
  const box = document.getElementById("x0-find"), open = document.getElementById("x0-find-open");
  if (!box || !open) return;
  const [input, status, list] = ["__input", "__status", "__list"].map((name) => box.querySelector(`.x0-find${name}`));
  const root = new URL(box.dataset.root.replace(/\/?$/, "/"), location), script = new URL(box.dataset.script, location);
  const folder = new URL("search/", root);
  for (const link of box.querySelectorAll("a")) link.href = link.href;
  if (/Mac|iPhone|iPad/.test(navigator.platform)) open.querySelector("kbd").textContent = "⌘ K";

  /* ---- The index */
  const get = async (name, options) => {
    const answer = await fetch(new URL(name, folder), options);
    if (!answer.ok) throw new Error(`${answer.status} ${name}`);
    return answer;
  };
  let index, texts;
  const load = () => {
    index ??= (async () => {
      const loaded = new Promise((resolve, reject) => {
        const element = Object.assign(document.createElement("script"), { src: script, onload: resolve, onerror: reject });
        document.head.append(element);
      });
      // The head says of which version the other files must be: none comes from an older visit.
      const head = await (await get("head.json", { cache: "no-cache" })).json();
      await loaded;
      const known = new Map();
      texts = (n) => {
        if (!known.has(n)) known.set(n, get(`text-${n}.txt?${head.version}`).then((answer) => answer.text()));
        return known.get(n);
      };
      return new globalThis.x0Find.Index(head, async (n) => (await get(`part-${n}.txt?${head.version}`)).text());
    })();
    index.catch(() => { index = undefined; });
    return index;
  };

  /* ---- What was found */
  const MOST = 12, MOST_OF_A_PAGE = 3;
  const fill = (element, pieces) => {
    element.replaceChildren(...pieces.map((piece, n) => {
      if (!(n % 2)) return piece;
      const mark = document.createElement("mark");
      mark.textContent = piece;
      return mark;
    }));
    return element;
  };
  const make = (tag, name) => Object.assign(document.createElement(tag), { className: `x0-find__${name}` });
  const item = (row, met) => {
    const link = Object.assign(make("a", "link"), { href: new URL(row.url, root) });
    link.append(fill(make("span", "title"), globalThis.x0Find.pieces(row.title, met)));
    if (row.title !== row.page) {
      const page = make("span", "page");
      page.textContent = row.page;
      link.append(page);
    }
    const text = make("span", "text");
    link.append(text);
    texts(row.n).then((found) => fill(text, globalThis.x0Find.excerpt(found, met)), () => {});
    const entry = document.createElement("li");
    entry.append(link);
    return entry;
  };
  let asked = 0;
  const ask = async () => {
    const query = input.value.trim(), now = ++asked;
    if (!query) {
      status.textContent = "";
      list.replaceChildren();
      return;
    }
    const patience = setTimeout(() => { status.textContent = box.dataset.fetching; }, 150);
    try {
      const rows = await (await load()).find(query, 60);
      if (now !== asked) return;
      const pages = new Map();
      const shown = rows.filter(({ at }) => {
        pages.set(at, (pages.get(at) || 0) + 1);
        return pages.get(at) <= MOST_OF_A_PAGE;
      }).slice(0, MOST);
      status.textContent = shown.length ? "" : box.dataset.none;
      list.replaceChildren(...shown.map((row) => item(row, rows.met)));
      list.scrollTop = 0;
    } catch {
      if (now === asked) status.textContent = box.dataset.failed;
    } finally {
      clearTimeout(patience);
      box.dataset.asked = query; // for whoever waits for an answer
    }
  };

  /* ---- Keys and clicks */
  const show = () => {
    if (!box.open) box.showModal();
    input.focus();
    input.select();
    load();
  };
  const links = () => [...list.querySelectorAll("a")];
  const step = (by) => {
    const all = [input, ...links()], at = Math.max(0, all.indexOf(document.activeElement));
    all[Math.min(all.length - 1, Math.max(0, at + by))].focus();
  };
  let soon;
  open.addEventListener("click", show);
  input.addEventListener("input", (event) => {
    clearTimeout(soon);
    if (!event.isComposing) soon = setTimeout(ask, 60);
  });
  input.addEventListener("compositionend", () => { soon = setTimeout(ask, 60); });
  box.querySelector(".x0-find__close").addEventListener("click", () => box.close());
  box.querySelector("form").addEventListener("submit", async (event) => {
    event.preventDefault();
    clearTimeout(soon);
    if (box.dataset.asked !== input.value.trim()) await ask();
    links()[0]?.click();
  });
  box.addEventListener("click", (event) => {
    if (event.target === box || event.target.closest("a")) box.close();
  });
  box.addEventListener("keydown", (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!by || event.isComposing) return;
    event.preventDefault();
    step(by);
  });
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    const slash = event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey;
    if (!slash && !(event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey))) return;
    event.preventDefault();
    show();
  });
})();
