// Before printing: formulas and tables that are wider than the paper shrink; what is still too wide is told.
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
