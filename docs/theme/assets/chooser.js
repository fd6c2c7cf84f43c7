/* The chooser of an initialization: a form over the rows of the table in whose place it stands. Without a script the
   table is there. What is chosen stands in the address. */
(() => {
  const make = (tag, name, text = "") => {
    const element = document.createElement(tag);
    if (name) element.className = `x0-choose__${name}`;
    element.textContent = text;
    return element;
  };
  const text = (node) => node.textContent.trim().replace(/\s+/g, " ");
  /** A cell without what belongs to the book and not to an answer: marks, citations, numbers of equations. */
  const plain = (cell) => {
    const copy = cell.cloneNode(true);
    for (const part of copy.querySelectorAll(".x0-proof, .x0-cite, .x0-ref, .katex-mathml")) part.remove();
    return [...copy.childNodes];
  };
  /** The lines of a call; words between calls become comments. */
  const lines = (cell) => [...cell.childNodes].map((node) => {
    const said = text(node).replace(/^[,，、\s]+|[,，、\s]+$/g, "");
    return node.nodeName === "CODE" ? said : said && `# ${said}`;
  }).filter(Boolean);

  const read = (row) => {
    const [norm, skip, what, call, why, gives, more] = row.cells;
    const mark = what.querySelector("[data-row]");
    return {
      key: mark.dataset.row, special: "special" in mark.dataset, norm: text(norm), skip: text(skip), what: text(what),
      lines: lines(call), why, gives, of: gives.querySelector("[data-of]").dataset.of, link: more.querySelector("a"),
    };
  };

  const build = (box) => {
    if (box.querySelector("form")) return;
    const words = JSON.parse(document.getElementById("x0-words").textContent), calls = JSON.parse(box.dataset.calls);
    const [norm, skip, what, , why_, gives_] = [...box.querySelectorAll("th")].map(text);
    const rows = [...box.querySelectorAll("tbody tr")].map(read), plainRows = rows.filter((row) => !row.special);
    const form = make("form", "form"), heading = make("p", "title", words.choose), fields = {};
    form.setAttribute("aria-label", words.choose);
    form.append(heading);
    const field = (name, label) => {
      const wrap = make("label", "field", label), select = make("select");
      select.name = name;
      wrap.append(select);
      form.append(wrap);
      fields[name] = select;
    };
    Object.entries({ norm, skip, what, framework: words.framework }).forEach(([name, label]) => field(name, label));
    const option = (value, label) => new Option(label, value);
    const set = (name, values) => fields[name].replaceChildren(...values.map((value) => option(value, value)));
    set("norm", [...new Set(plainRows.map(({ norm }) => norm))]);
    set("skip", [...new Set(plainRows.map(({ skip }) => skip))]);
    fields.framework.replaceChildren(...["PyTorch", "Keras", "JAX"].map((name) => option(name.toLowerCase(), name)));

    const answer = make("div", "answer"), code = make("code"), shown = make("pre"), copy = make("button", "copy", words.copy);
    const note = make("p", "note"), gives = make("p", "gives"), why = make("p", "why");
    answer.setAttribute("role", "status");
    copy.type = "button";
    shown.append(code);
    const call = make("div", "call");
    call.append(shown, copy);
    answer.append(call, note, gives, why);
    form.append(answer);
    copy.addEventListener("click", async () => {
      await navigator.clipboard.writeText(code.textContent);
      copy.textContent = words.copied;
      setTimeout(() => { copy.textContent = words.copy; }, 1500);
    });

    /** Offer what the tables have for the norm and the skip connection; `key` is the row to choose if it is there. */
    const offer = (key) => {
      const { norm, skip } = fields, fits = (x) => plainRows.some((row) => row.norm === norm.value && row.skip === x);
      for (const x of skip.options) x.disabled = !fits(x.value);
      if (!fits(skip.value)) skip.value = [...skip.options].find((x) => !x.disabled).value;
      const group = document.createElement("optgroup");
      group.label = words.layers;
      group.append(...rows.filter((row) => row.special).map((row) => option(row.key, row.what)));
      const here = plainRows.filter((row) => row.norm === norm.value && row.skip === skip.value);
      fields.what.replaceChildren(...here.map((row) => option(row.key, row.what)), group);
      if (rows.some((row) => row.key === key && (row.special || here.includes(row)))) fields.what.value = key;
    };
    const show = () => {
      const row = rows.find(({ key }) => key === fields.what.value), framework = fields.framework.selectedIndex;
      const other = framework ? row.lines.map((line) => (line[0] === "#" ? line : calls[line]?.[framework - 1])) : row.lines;
      const known = other.every(Boolean);
      code.textContent = (known ? other : row.lines).join("\n");
      note.textContent = known ? "" : words.same;
      gives.replaceChildren(make("span", "label", gives_), `${row.of}${document.documentElement.lang === "en" ? ": " : "："}`, ...plain(row.gives));
      if (row.of.toLowerCase() === gives_.toLowerCase()) gives.childNodes[1].remove();
      const link = make("a", "", text(row.link));
      link.href = row.link.href;
      why.replaceChildren(make("span", "label", why_), ...plain(row.why), " → ", link);
    };
    const keep = () => {
      const address = new URL(location);
      address.searchParams.set("row", fields.what.value);
      address.searchParams.set("framework", fields.framework.value);
      history.replaceState(history.state, "", address);
    };
    const asked = new URLSearchParams(location.search), start = rows.find(({ key }) => key === asked.get("row"));
    const first = start || rows.find(({ key }) => key === "relu") || rows[0];
    if (!first.special) [fields.norm.value, fields.skip.value] = [first.norm, first.skip];
    if ([...fields.framework.options].some(({ value }) => value === asked.get("framework"))) {
      fields.framework.value = asked.get("framework");
    }
    offer(first.key);
    show();
    form.addEventListener("input", ({ target }) => {
      if (target === fields.norm || target === fields.skip) offer(fields.what.value);
      show();
      keep();
    });
    form.addEventListener("submit", (event) => event.preventDefault());
    box.prepend(form);
  };
  const all = () => document.querySelectorAll(".x0-choose").forEach(build);
  if (window.document$) window.document$.subscribe(all);
  else all();
})();
