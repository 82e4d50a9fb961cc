// A small driver: the finished page on a server of its own, in Chromium, at a size and in a theme.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { after, before } from "node:test";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const here = dirname(fileURLToPath(import.meta.url));
/** The finished page. */
export const dist = process.env.SETPOINT_DIST ?? join(here, "../../dist");

/** Serves a folder below `base`; `strict` adds the strictest Content-Security-Policy. */
export async function startServer({ dir = dist, base = "/", strict = false } = {}) {
  const [program, ...first] = process.env.XTASK ? [process.env.XTASK] : ["cargo", "xtask"];
  const args = [...first, "host", dir, "--base", base, ...(strict ? ["--strict"] : [])];
  const server = spawn(program, args, { cwd: join(here, "../.."), stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: server.stdout });
  const url = await new Promise((resolve, reject) => {
    lines.once("line", resolve);
    server.once("error", reject);
    server.once("exit", (code) => reject(new Error(`${program} host ended with ${code}`)));
  });
  return { url, close: () => server.stdin.end() };
}

/** Starts the Chromium in CHROMIUM, or the one on PATH. */
export function startBrowser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
      "--disable-background-networking", "--disable-component-update", "--disable-sync",
    ],
  });
}

/** A browser and the address of a server for as long as the tests of a file run; `options` are startServer's. */
export function setUp(options) {
  const own = {};
  let server;
  before(async () => {
    own.browser = await startBrowser();
    server = await startServer(options);
    own.url = server.url;
  });
  after(async () => {
    await own.browser?.close();
    server?.close();
  });
  return own;
}

/**
 * Opens an address in a browser profile of its own. `prepare` gets the page before it goes anywhere; `context`
 * takes what Playwright's newContext takes. What went wrong collects in `problems`, what was asked for in `requests`.
 */
export async function openPage(browser, url, { width = 1280, height = 800, theme = "light", prepare, context } = {}) {
  const own = await browser.newContext({
    viewport: { width, height }, colorScheme: theme, reducedMotion: "no-preference", ...context,
  });
  // A busy machine is not a wrong page.
  own.setDefaultTimeout(90_000);
  const page = await own.newPage();
  const problems = [];
  const requests = [];
  page.on("console", (line) => {
    if (["error", "warning"].includes(line.type())) problems.push(`console: ${line.text()}`);
  });
  page.on("pageerror", (error) => problems.push(`error: ${error.message}`));
  page.on("requestfailed", (request) => problems.push(`request: ${request.url()}`));
  page.on("request", (request) => requests.push(request.url()));
  await prepare?.(page);
  await page.goto(url);
  return { page, problems, requests, close: () => own.close() };
}

/** Waits until a person would see `text` (a string or a pattern) on the page. */
export async function waitForText(page, text, timeout = 40_000) {
  await page.getByText(text).first().waitFor({ state: "visible", timeout });
}

/** Waits until the page has started, and leaves it untouched: the loading state has given way to the app. */
export async function waitForFirst(page, timeout = 80_000) {
  await page.locator("#boot-loading").waitFor({ state: "detached", timeout });
  await page.locator("#app > *").first().waitFor({ state: "visible", timeout });
}

/** Waits until the page has started and, for its second file is there too, hears at once what a person does. */
export async function waitForStart(page, timeout) {
  await waitForFirst(page, timeout);
  await page.waitForFunction(() => {
    let heard = false;
    document.addEventListener("wheel", () => { heard = true; }, { once: true, capture: true });
    document.body.dispatchEvent(new WheelEvent("wheel"));
    return heard;
  }, null, { timeout });
}

/** What axe says of WCAG 2.2 AA within a part of the page: the rules that are broken, and those that it could not decide. */
async function axe(page, within) {
  const source = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
  await page.evaluate(source);
  // Where the page is scrolled the bar that stays at its top lies over what passes below it.
  await page.evaluate(() => scrollTo({ top: 0, behavior: "instant" }));
  return page.evaluate((within) => globalThis.axe.run(within, {
    runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"], resultTypes: ["violations", "incomplete"],
  }), within);
}
/** One line for each place where a rule is broken or undecided. */
const places = (rules) => rules.flatMap((rule) => rule.nodes.map((node) => `${rule.id}: ${node.target} ${node.failureSummary}`));

/**
 * What axe finds against WCAG 2.2 AA, one line each, and what it could not decide. It decides no contrast of letters over a canvas,
 * in SVG and of single signs; the colours of all text are checked over the pairs of tokens instead (web/src/contrast.rs).
 */
export async function violations(page) {
  const found = await axe(page, "html");
  return places([...found.violations, ...found.incomplete.filter((rule) => rule.id !== "color-contrast")]);
}
/** All that axe could not decide within a part of the page that has neither canvas nor text in SVG. */
export const incomplete = async (page, within) => places((await axe(page, within)).incomplete);

/** Asserts that nothing went wrong, and nothing left the page's own origin. */
export function assertQuiet({ page, problems, requests }) {
  assert.deepEqual(problems, []);
  const { origin } = new URL(page.url());
  const foreign = requests.filter((url) => !url.startsWith("data:") && new URL(url).origin !== origin);
  assert.deepEqual(foreign, []);
}

/** As assertQuiet, and axe has no complaint. */
export async function assertClean(open) {
  assertQuiet(open);
  assert.deepEqual(await violations(open.page), []);
}

/** Keeps a picture where SETPOINT_SHOTS says, for a person to look at. */
export async function shot(page, name) {
  if (process.env.SETPOINT_SHOTS) await page.screenshot({ path: join(process.env.SETPOINT_SHOTS, `${name}.png`) });
}
