// Which functions an untouched page runs, for `cargo xtask profile`: their indices, one to a line.

import { openPage, startBrowser, startServer } from "./page.mjs";
import { untilReady } from "./person.mjs";

/** Long enough for every period of the control plane to come round. */
const LONG_MS = 25_000;
/** What a visitor may come with. */
const VISITORS = [
  { width: 1440, height: 900, theme: "light" },
  { width: 1024, height: 768, theme: "dark" },
  { width: 390, height: 844, theme: "dark", context: { hasTouch: true, deviceScaleFactor: 2 } },
  { width: 1280, height: 800, theme: "light", context: { reducedMotion: "reduce" } },
];

/** Keeps the page's instance of the wasm where this program can reach it. */
function keepInstance() {
  for (const name of ["instantiate", "instantiateStreaming"]) {
    const instantiate = WebAssembly[name];
    WebAssembly[name] = async (...given) => {
      const made = await instantiate.apply(WebAssembly, given);
      window.instance = made.instance ?? made;
      return made;
    };
  }
}

const server = await startServer();
const browser = await startBrowser();
const ran = new Set();
await Promise.all(VISITORS.map(async (visitor) => {
  const prepare = (page) => page.addInitScript(keepInstance);
  const { page } = await openPage(browser, server.url, { ...visitor, prepare });
  await untilReady(page, 3);
  await new Promise((resolve) => { setTimeout(resolve, LONG_MS); });
  const traces = await page.evaluate(() => {
    const bytes = new Uint8Array(window.instance.exports.profile.buffer);
    return [...bytes.keys()].filter((at) => bytes[at] === 1);
  });
  traces.forEach((at) => ran.add(at));
}));
await browser.close();
server.close();
console.log([...ran].sort((a, b) => a - b).join("\n"));
