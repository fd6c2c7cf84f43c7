// Before printing: what is wider than the paper shrinks, and a figure that would leave a third of an opening page empty.
// What is still too wide is told.
() => {
  const told = [];
  for (const box of document.querySelectorAll(".x0-eq__math")) {
    const formula = box.querySelector(".katex-display > .katex");
    const room = box.clientWidth;
    if (formula && formula.offsetWidth > room) {
      const scale = Math.max(0.5, (room - 1) / formula.offsetWidth);
      box.style.fontSize = `${scale}em`;
    }
  }
  for (const code of document.querySelectorAll("td code")) code.innerHTML = code.innerHTML.replace(/-\w+/g, `<span style="white-space: nowrap">$&</span>`).replace(/[(,]/g, "$&<wbr>");
  const room = document.body.clientWidth;
  for (const table of document.querySelectorAll("table")) {
    for (let size = 8.5; table.offsetWidth > room && size > 5; size -= 0.5) table.style.fontSize = `${size}pt`;
  }
  for (const svg of document.querySelectorAll(".x0-fig__img > svg")) svg.style.overflow = "hidden";
  const page = 945;
  for (const figure of document.querySelectorAll(".chapter .x0-fig:has(.x0-fig__img > svg)")) {
    const svg = figure.querySelector(".x0-fig__img > svg"), { width, height } = svg.getBoundingClientRect();
    const free = page - figure.getBoundingClientRect().top + figure.closest(".chapter").getBoundingClientRect().top;
    const over = figure.offsetHeight + 8 - free;
    if (free > page / 3 && over > 0 && over < height / 3) svg.style.maxWidth = `${width * (1 - over / height)}px`;
  }
  const edge = document.body.getBoundingClientRect().right + 1;
  for (const box of document.querySelectorAll(".x0-eq__math .katex-html, table, pre, p, li, svg, h1, h2, h3")) {
    const right = box.getBoundingClientRect().right;
    if (right > edge && !box.closest("svg svg")) {
      const named = box.closest("[id]");
      told.push(`${box.tagName} ${Math.round(right - edge)} px in ${named ? named.id : ""}: ${box.textContent.slice(0, 60)}`);
    }
  }
  return told;
}
