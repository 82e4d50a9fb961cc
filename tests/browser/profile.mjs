// Which functions an untouched page runs, for `cargo xtask profile`: their indices, one to a line.

import { openPage, startBrowser, startServer, waitForFirst } from "./page.mjs";

/** Long enough for the cluster to settle. */
const SOME_MS = 9_000;
/** Long enough for every period of the control plane to come round. */
const LONG_MS = 45_000;
/** What a visitor may come with. */
const VISITORS = [
  { width: 1440, height: 900, theme: "light" },
  { width: 1024, height: 768, theme: "dark" },
  { width: 390, height: 844, theme: "dark", context: { hasTouch: true, deviceScaleFactor: 2 } },
  { width: 1280, height: 800, theme: "light", context: { reducedMotion: "reduce" } },
  { width: 1280, height: 800, theme: "light" },
  { width: 320, height: 640, theme: "light", slowness: 6 },
  { width: 1920, height: 1080, theme: "dark", slowness: 3 },
  { width: 1280, height: 800, theme: "light", slowness: 4 },
  { width: 1280, height: 720, theme: "dark", slowness: 10 },
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

/** Opens the page, leaves it alone for some time, and notes what ran. */
async function visit({ slowness = 1, ...visitor }, ms) {
  const prepare = async (page) => {
    await page.addInitScript(keepInstance);
    await (await page.context().newCDPSession(page)).send("Emulation.setCPUThrottlingRate", { rate: slowness });
  };
  const { page, close } = await openPage(browser, server.url, { ...visitor, prepare });
  await waitForFirst(page);
  await page.waitForTimeout(ms);
  const traces = await page.evaluate(() => {
    const bytes = new Uint8Array(window.instance.exports.profile.buffer);
    return [...bytes.keys()].filter((at) => bytes[at] === 1);
  });
  traces.forEach((at) => ran.add(at));
  await close();
}

// How the first pictures fall among the first events depends on the machine, so it is tried often, alone and in a crowd.
for (let round = 0; round < 4; round += 1) {
  for (const visitor of VISITORS) await visit(visitor, 1_500);
  await Promise.all(VISITORS.map((visitor) => visit(visitor, 3_000)));
}
for (const visitor of VISITORS) await visit(visitor, SOME_MS);
for (const visitor of VISITORS) await Promise.all([visitor, visitor].map((one) => visit(one, SOME_MS)));
await Promise.all(VISITORS.map((visitor) => visit(visitor, LONG_MS)));
await browser.close();
server.close();
console.log([...ran].sort((a, b) => a - b).join("\n"));
