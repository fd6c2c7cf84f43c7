/* What the pages need from a script, and no more. Everything is readable without it.
   `document$`, `alert$` come from the theme's bundle; `document$` fires on every page, also after instant navigation. */
(() => {
  const zh = document.documentElement.lang.startsWith("zh");
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

  /* ---- The other language: same page, same section. The header outlives instant navigation, so its link is
     computed from the address, with both roots taken once, when the page was first loaded. */
  const other = $("#x0-lang");
  const roots = other && {
    here: new URL(other.dataset.x0Here, location).pathname,
    there: new URL(other.dataset.x0There, location).pathname,
  };
  const section = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const seen = target && target.getBoundingClientRect();
    if (seen && seen.bottom > 0 && seen.top < innerHeight) return location.hash;
    const passed = $$("article :is(h2, h3)[id]").filter((h) => h.getBoundingClientRect().top < 120);
    return passed.length && scrollY > 0 ? `#${passed.at(-1).id}` : "";
  };
  const aim = (hash) => {
    if (other && location.pathname.startsWith(roots.here)) {
      other.href = roots.there + location.pathname.slice(roots.here.length) + hash;
    }
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

  /* ---- The drawer and the search box: buttons for the theme's hidden checkboxes. */
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
  const search = $(".md-search__input");
  $("#x0-search-open")?.addEventListener("click", () => search?.focus());
  // The theme searches when a key is released: pasting, dictation and some input methods release none.
  search?.addEventListener("input", () => search.dispatchEvent(new KeyboardEvent("keyup")));
  // Chinese words are parted by zero-width spaces in the index; what is shown and copied has none.
  const found = $(".md-search-result__list");
  if (found) {
    new MutationObserver(() => {
      const texts = document.createTreeWalker(found, NodeFilter.SHOW_TEXT);
      while (texts.nextNode()) {
        const text = texts.currentNode;
        if (text.data.includes("\u200b")) text.data = text.data.replaceAll("\u200b", "");
      }
    }).observe(found, { childList: true, subtree: true });
  }
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
    if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && search) {
      event.preventDefault();
      search.focus();
      search.select();
    }
    // The theme binds single letters (n, p, s, f …); WCAG 2.1.4 asks that they can be turned off. They are off.
    if (event.key.length === 1 && !event.target.closest("input, textarea, select")) event.stopPropagation();
  });

  /* ---- Boxes that scroll sideways: reachable with the keyboard, and only while they do scroll. */
  const kinds = [
    [".x0-eq__math", "公式，可左右滚动", "Formula, scrolls sideways"],
    [".md-typeset__scrollwrap", "表格，可左右滚动", "Table, scrolls sideways"],
    [".highlight pre > code", "代码，可左右滚动", "Code, scrolls sideways"],
    [".x0-out pre > code", "输出，可左右滚动", "Output, scrolls sideways"],
  ];
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

  window.document$?.subscribe(() => {
    aim(location.hash);
    if (menu) show();
    sizes.disconnect();
    for (const [selector, inChinese, inEnglish] of kinds) {
      for (const box of $$(selector)) {
        labels.set(box, zh ? inChinese : inEnglish);
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
