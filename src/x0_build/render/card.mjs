// Draws SVGs as PNGs: reads {folder, font, cards: {name: svg}} and writes {name: PNG in base64}.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const { folder, font, cards } = JSON.parse(readFileSync(0, "utf8"));
const { initWasm, Resvg } = await import(pathToFileURL(`${folder}/index.mjs`));
await initWasm(readFileSync(`${folder}/index_bg.wasm`));
const options = { font: { fontBuffers: [readFileSync(font)], defaultFontFamily: "DejaVu Sans" } };
const drawn = Object.entries(cards).map(([name, svg]) => [
  name, Buffer.from(new Resvg(svg, options).render().asPng()).toString("base64"),
]);
process.stdout.write(JSON.stringify(Object.fromEntries(drawn)));
