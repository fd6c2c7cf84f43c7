/* What the pages need from a script, and no more. Everything is readable without it.
   `document$` comes from the theme's bundle and fires when the page is there. */
(() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

  /* ---- The other language: same page, same section. A page that is not translated yet leads to its home. */
  const other = $("#x0-lang");
  const section = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const seen = target && target.getBoundingClientRect();
    if (seen && seen.bottom > 0 && seen.top < innerHeight) return location.hash;
    const passed = $$("article :is(h2, h3)[id]").filter((h) => h.getBoundingClientRect().top < 120);
    return passed.length && scrollY > 0 ? `#${passed.at(-1).id}` : "";
  };
  const aim = (hash) => {
    if (other && !$(".x0-pending")) other.hash = hash;
  };
  for (const type of ["pointerenter", "focus", "pointerdown", "click"]) {
    other?.addEventListener(type, () => aim(section()));
  }
  addEventListener("hashchange", () => aim(location.hash));

  /* ---- Light and dark: remembered in this browser only, for both languages. */
  const theme = $("#x0-theme");
  const root = document.documentElement;
  const press = () => theme?.setAttribute("aria-pressed", root.dataset.mdColorScheme === "slate");
  theme?.addEventListener("click", () => {
    const scheme = root.dataset.mdColorScheme === "slate" ? "default" : "slate";
    root.dataset.mdColorScheme = scheme;
    try { localStorage.setItem("x0.scheme", scheme); } catch { /* storage is off: this page only */ }
  });
  new MutationObserver(press).observe(root, { attributeFilter: ["data-md-color-scheme"] });
  press();

  /* ---- The drawer: a button for the theme's hidden checkbox. */
  const drawer = $("#__drawer");
  const menu = $("#x0-menu");
  const open = menu?.getAttribute("aria-label");
  const show = () => {
    menu.setAttribute("aria-expanded", drawer.checked);
    menu.setAttribute("aria-label", drawer.checked ? menu.dataset.close : open);
    if (drawer.checked) ($("#x0-nav [aria-current]") || $("#x0-nav a"))?.focus();
  };
  const close = () => {
    if (!drawer?.checked) return;
    drawer.click();
    menu.focus();
  };
  drawer?.addEventListener("change", show);
  menu?.addEventListener("click", () => drawer.click());
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      close();
      hide();
    }
    // The theme binds single letters (n, p, s, f …); WCAG 2.1.4 asks that they can be turned off. They are off.
    if (event.key.length === 1 && !event.target.closest("input, textarea, select")) event.stopPropagation();
  });

  /* ---- Boxes that scroll sideways: reachable with the keyboard, and only while they do scroll. */
  const words = JSON.parse($("#x0-words").textContent);
  const kinds = {
    ".x0-eq__math": words.formula,
    ".md-typeset__scrollwrap": words.table,
    ".highlight pre > code": words.code,
    ".x0-out pre > code": words.output,
    ".x0-fig__img": words.figure,
  };
  const measure = (box, label) => {
    if (box.scrollWidth > box.clientWidth + 1) {
      box.tabIndex = 0;
      if (!box.hasAttribute("role")) box.setAttribute("role", "group");
      if (!box.hasAttribute("aria-label")) box.setAttribute("aria-label", label);
    } else {
      box.removeAttribute("tabindex");
    }
  };
  const labels = new WeakMap();
  const sizes = new ResizeObserver((entries) => {
    for (const { target } of entries) measure(target, labels.get(target));
  });

  /* ---- The ledger: show the rows that fit the form. A link to a row that does not fit clears the form first. */
  const filter = (form) => {
    const rows = $$("[data-verdict]", form.parentElement);
    const texts = rows.map((row) => row.textContent.toLowerCase());
    const output = $("output", form);
    const apply = () => {
      const { text, ...wanted } = Object.fromEntries(new FormData(form));
      const words = text.toLowerCase().split(/\s+/);
      rows.forEach((row, n) => {
        row.hidden = !words.every((word) => texts[n].includes(word))
          || Object.entries(wanted).some(([name, value]) => value && row.dataset[name] !== value);
      });
      for (const group of $$("section", form.parentElement)) {
        group.hidden = !$("[data-verdict]:not([hidden])", group);
      }
      const shown = rows.filter((row) => !row.hidden).length;
      output.textContent = [shown, rows.length].reduce((s, n) => s.replace("{}", n), output.dataset.shown);
    };
    form.addEventListener("input", apply);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => setTimeout(apply)); // the fields are empty only afterwards
    apply(); // the browser may have kept what was chosen before
  };
  addEventListener("hashchange", () => {
    const row = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!row?.closest("[hidden]")) return;
    const form = $(".x0-filter");
    form?.reset();
    setTimeout(() => row.scrollIntoView());
  });

  /* ---- Cards: what a reference means, beside it. The mouse and the keyboard open one in passing; on touch the first
     tap does, and the card holds the link. */
  const CARDS = ".x0-ref, .x0-term, .x0-cite, .x0-tag, .x0-val, .x0-proof, .x0-eq__mark";
  const card = document.createElement("div");
  let shown = null; // the link whose card is open
  let timer = 0;
  let touch = false;
  const pages = new Map(); // other pages that were asked for, by path
  const target = async (link) => {
    const { pathname, hash } = new URL(link.href);
    if (pathname !== location.pathname && !pages.has(pathname)) {
      const read = (answer) => (answer.ok ? answer.text() : Promise.reject(new Error(answer.status)));
      pages.set(pathname, fetch(pathname).then(read)
        .then((text) => new DOMParser().parseFromString(text, "text/html")));
    }
    const page = pathname === location.pathname ? document : await pages.get(pathname);
    return page.getElementById(decodeURIComponent(hash.slice(1)));
  };
  const parts = (found) => {
    if (found.matches(".x0-eq")) return [$(".x0-eq__math", found), $(".x0-eq__no", found)];
    if (found.matches("dt")) return [found, found.nextElementSibling];
    if (!found.matches("h1, h2, h3, h4")) return [found];
    const texts = [found]; // a heading: with what it heads, three paragraphs at most
    while (texts.length < 4 && texts.at(-1).nextElementSibling?.matches("p, .x0-eq, ul")) {
      texts.push(texts.at(-1).nextElementSibling);
    }
    return texts;
  };
  const copy = (part, base) => {
    const made = part.cloneNode(true);
    for (const extra of $$(".x0-back, .x0-eq__tools, .x0-refs__pages, .x0-glossary__pages", made)) extra.remove();
    for (const link of $$("a[href]", made)) link.href = new URL(link.getAttribute("href"), base);
    for (const named of [made, ...$$("[id]", made)]) if (!named.closest("svg")) named.removeAttribute("id");
    if (!/^(DIV|P|FIGURE|UL)$/.test(made.tagName)) {
      const box = document.createElement("div");
      box.className = /^(DT|H\d)$/.test(made.tagName) ? "x0-card__title" : "";
      box.append(...made.childNodes);
      return box;
    }
    return made;
  };
  const fill = async (link) => {
    const tip = link.dataset.tip;
    const made = [];
    if (tip) made.push(Object.assign(document.createElement("p"), { textContent: tip }));
    else {
      const found = await target(link);
      if (!found) return false;
      made.push(...parts(found).filter(Boolean).map((part) => copy(part, link.href)));
    }
    const foot = document.createElement("p");
    const label = link.matches(".x0-val") ? words.module : tip ? words.test : words.open;
    foot.className = "x0-card__foot";
    foot.append(Object.assign(document.createElement("a"), { href: link.href, textContent: label }));
    const tex = $(".x0-eq__copy", link.parentElement)?.dataset.tex;
    if (tex) {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: words.copy_tex });
      button.dataset.clipboardText = tex;
      foot.append(button);
    }
    card.replaceChildren(...made, foot);
    return true;
  };
  const hide = () => {
    clearTimeout(timer);
    shown?.removeAttribute("aria-describedby");
    shown = null;
    if (card.matches(":popover-open")) card.hidePopover();
  };
  const place = (link) => {
    card.classList.toggle("x0-card--sheet", touch);
    card.style.translate = "";
    card.showPopover();
    if (touch) return;
    const at = link.getClientRects()[0];
    const { width, height } = card.getBoundingClientRect();
    const left = Math.max(8, Math.min(at.left, document.documentElement.clientWidth - width - 8));
    const below = at.bottom + 6 + height < innerHeight || at.top < height + 6;
    card.style.translate = `${left}px ${below ? at.bottom + 6 : at.top - height - 6}px`;
  };
  const reveal = async (link) => {
    if (shown === link) return;
    hide();
    shown = link;
    if (link.title) {
      link.dataset.tip = link.title;
      link.removeAttribute("title"); // the browser would show it beside the card
    }
    const filled = await fill(link).catch(() => false);
    if (shown !== link) return; // the reader has gone on
    if (!filled || !link.isConnected) {
      shown = null;
      if (touch) link.click(); // there is nothing to show: the link does what links do
      return;
    }
    place(link);
    link.setAttribute("aria-describedby", card.id);
  };
  const later = (action, wait) => {
    clearTimeout(timer);
    timer = setTimeout(action, wait);
  };
  const cardOf = (node) => node.closest?.("article")?.contains(node) && node.closest(CARDS);
  if (card.showPopover) {
    Object.assign(card, { id: "x0-card", className: "x0-card md-typeset", popover: "manual" });
    card.setAttribute("role", "dialog");
    card.setAttribute("aria-label", words.card);
    document.body.append(card);
    document.addEventListener("pointerdown", (event) => {
      touch = event.pointerType === "touch";
      if (!card.contains(event.target) && !cardOf(event.target)) hide();
    });
    document.addEventListener("pointerover", (event) => {
      if (event.pointerType !== "mouse") return;
      const link = cardOf(event.target);
      touch = false;
      if (link && link !== shown) later(() => reveal(link), 250);
      else if (link || card.contains(event.target)) clearTimeout(timer);
      else later(hide, 250);
    });
    document.addEventListener("focusin", (event) => {
      const link = cardOf(event.target);
      if (link?.matches(":focus-visible") && !touch) later(() => reveal(link), 150);
      else if (!card.contains(event.target) && !touch) hide();
    });
    document.addEventListener("scroll", () => shown && !touch && !card.matches(":hover") && later(hide, 150));
    document.addEventListener("click", (event) => {
      const link = cardOf(event.target);
      if (link && touch && shown !== link) {
        event.preventDefault();
        event.stopPropagation();
        reveal(link);
      } else if (event.target.closest?.("a")) hide();
    }, true);
  }

  /* ---- A way back: after a jump within the page, a button leads to where it began; terms and references too. */
  const back = Object.assign(document.createElement("button"), { className: "x0-return", hidden: true });
  const mark = (link, there) => {
    const way = $(".x0-back", there.matches("dt") ? there.nextElementSibling : there);
    if (!link.matches(".x0-term, .x0-cite") || !way) return;
    link.id ||= `from-${there.id}-${$$("article a").indexOf(link)}`;
    way.href = `#${link.id}`;
  };
  back.type = "button";
  back.textContent = `↩ ${words.return}`;
  back.addEventListener("click", () => {
    back.hidden = true;
    history.back();
  });
  document.body.append(back);
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href*='#']");
    const there = link?.hash && link.pathname === location.pathname
      && document.getElementById(decodeURIComponent(link.hash.slice(1)));
    if (!there || event.defaultPrevented || link.matches(".x0-back, .x0-anchor")) return;
    link.closest(".x0-where__toc")?.removeAttribute("open");
    if (!link.closest("article") || link.closest(".x0-where")) return;
    back.hidden = Math.abs(there.getBoundingClientRect().top) < innerHeight;
    mark(link, there);
  }, true); // before the theme takes the click

  /* ---- A block of code that shows less than it needs is copied with all that it needs. */
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.(".md-code__button, .md-clipboard");
    const keys = button?.closest("[data-copy]")?.dataset.copy.split(" ");
    if (!keys) return;
    const pieces = JSON.parse($("#x0-code").dataset.pieces);
    button.dataset.clipboardText = keys.map((key) => pieces[key]).join("\n\n\n");
  }, true);

  /* ---- The page as Markdown: its file lies beside it. Where it cannot be copied, the reader sees it. */
  document.addEventListener("click", async (event) => {
    if (!event.target.closest?.(".x0-take")) return;
    const file = new URL("index.md", location.href.split("#")[0]);
    const blob = fetch(file).then((answer) => (answer.ok ? answer.blob() : Promise.reject(new Error(answer.status))))
      .then((found) => new Blob([found], { type: "text/plain" }));
    blob.catch(() => {}); // said below
    try {
      await navigator.clipboard.write([new ClipboardItem({ "text/plain": blob })]);
      window.alert$?.next(words.copied);
    } catch {
      location.href = file;
    }
  });

  window.document$?.subscribe(() => {
    hide();
    aim(location.hash);
    if (menu) show();
    sizes.disconnect();
    for (const [selector, label] of Object.entries(kinds)) {
      for (const box of $$(selector)) {
        labels.set(box, label);
        sizes.observe(box);
      }
    }
    $$(".x0-filter").forEach(filter);
    // The theme's own clipboard code copies what stands in `data-clipboard-text`, and says so.
    for (const button of $$("[data-tex]")) button.dataset.clipboardText = button.dataset.tex;
    // The theme puts each copy button into a <nav>: dozens of landmarks with one name.
    for (const nav of $$("nav.md-code__nav")) nav.setAttribute("role", "none");
    $(".md-dialog__inner")?.setAttribute("role", "status");
  });
})();
