// The page as a person has it: what is read on it, and what is done with mouse and keyboard. Nothing here looks
// behind what is shown and what is named for assistive technology.

import assert from "node:assert/strict";
import { assertQuiet, openPage, waitForStart } from "./page.mjs";

/** The words of an element as they are shown, on one line. */
const shown = async (locator) => (await locator.innerText()).replace(/\s+/g, " ").trim();

/** A counter's words by its heading, with what its field holds: "Target replicas 3 by manifest The HPA keeps it between 3 and 20." */
export async function counter(page, title) {
  const counters = page.getByRole("region", { name: "Counters" }).getByRole("article");
  const card = counters.filter({ has: page.getByRole("heading", { name: title, exact: true }) });
  const words = await shown(card);
  return words.includes(" Replicas ") ? words.replace("Replicas", await card.getByRole("textbox").inputValue()) : words;
}

/** A node as a landmark, by its name. */
export const node = (page, name) => page.getByRole("article", { name: new RegExp(`^Node ${name},`) });
/** What a node's name says to those who hear it. */
export const nodeLabel = (page, name) => node(page, name).getAttribute("aria-label");
/** The tiles of the pods on a node, or of all pods on nodes. */
export const tiles = (scope) => scope.getByRole("button", { name: /, pod web-/ });

/** The load balancer's words. */
export const balancer = (page) => shown(page.getByText("Load balancer", { exact: true }).locator(".."));

/** The events on the page, newest first, one line each: "0:10 SuccessfulRescale 4s New size: 6; … ". */
export async function events(page) {
  const tab = page.getByRole("tab", { name: "Events", exact: true });
  if (await tab.getAttribute("aria-selected") !== "true") await tab.click();
  // Lines out of sight are not laid out, and have no inner text.
  const rows = await page.getByRole("list", { name: "Events, newest first" }).getByRole("listitem").evaluateAll((all) =>
    all.map((row) => [...row.querySelectorAll("time, b, .times, .age, p, .object, .source")].map((part) => part.textContent).join(" ")));
  return rows.map((row) => row.replace(/\s+/g, " ").trim());
}

/** An event without its time and age, which are not what it says: "SuccessfulRescale New size: 6; …". */
export const saying = (event) => event.replace(/^\d+:\d\d (\S+( ×\d+)?) \d\S* /, "$1 ");

/** Waiting costs nothing where it is not needed: on a machine that is busy with other things all takes this many times as long. */
const PATIENCE = 4;

/** Reads until what is read satisfies `wanted` (a pattern or a predicate), and returns it. */
export async function until(read, wanted, { timeout = 20_000, what = "" } = {}) {
  const holds = (value) => (wanted instanceof RegExp ? wanted.test(value) : wanted(value));
  const end = Date.now() + timeout * PATIENCE;
  for (;;) {
    const value = await read();
    if (holds(value)) return value;
    if (Date.now() > end) assert.fail(`${what || wanted} did not come within ${timeout * PATIENCE} ms; there was: ${JSON.stringify(value)}`);
    await new Promise((resolve) => { setTimeout(resolve, 40); });
  }
}

/** Waits for a counter's words. */
export const untilCounter = (page, title, wanted, options) => until(() => counter(page, title), wanted, options);
/** Waits for an event that says so, and returns it. */
export async function untilEvent(page, wanted, options) {
  const all = await until(() => events(page), (found) => found.some((event) => wanted.test(event)), { what: String(wanted), ...options });
  return all.find((event) => wanted.test(event));
}
/** Waits until all of so many pods are ready. */
export const untilReady = (page, pods, options) => untilCounter(page, "Healthy pods", new RegExp(`^Healthy pods ${pods} of ${pods} All are ready$`), options);

/** Moves the speed slider to a speed that it offers. */
export async function speed(page, times) {
  const notch = [0.25, 0.5, 1, 2, 4, 10, 25, 60].indexOf(times);
  const slider = page.getByRole("slider", { name: "Speed" });
  await slider.fill(String(notch));
  assert.equal(await slider.getAttribute("aria-valuetext"), `${times} times`);
}

/** The line that says what this is, or what to watch. */
export const hint = (page) => shown(page.locator(".guide"));

/** Walks with the Tab key until the focus is on an element, as far as the page goes once. */
export async function tabTo(page, locator) {
  const wanted = await locator.elementHandle();
  const isThere = () => wanted.evaluate((element) => document.activeElement === element);
  for (let steps = 0; steps < 200 && !(await isThere()); steps += 1) await page.keyboard.press("Tab");
  assert.ok(await isThere(), `the Tab key never gets to ${locator}`);
}

/** Presses a button by its name. */
export const press = (page, name) => page.getByRole("button", { name, exact: true }).click();

/** Where the load slider stops, in requests per second. */
export const loads = [10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100, 120, 150, 200, 250, 300, 400, 500, 600, 800, 1000];
/** The load that the slider stands at. */
export async function load(page) {
  const said = await page.getByRole("slider", { name: "User load" }).getAttribute("aria-valuetext");
  return Number(/^\d+/.exec(said)[0]);
}

/** Moves the load slider to a load that it offers with the mouse, by dragging its handle. */
export async function dragLoad(page, rps) {
  const slider = page.getByRole("slider", { name: "User load" });
  const box = await slider.boundingBox();
  // The handle's middle travels the slider's width less its own.
  const at = (notch) => box.x + 8 + (box.width - 16) * notch / (loads.length - 1);
  const middle = box.y + box.height / 2;
  await page.mouse.move(at(Number(await slider.inputValue())), middle);
  await page.mouse.down();
  await page.mouse.move(at(loads.indexOf(rps)), middle, { steps: 8 });
  await page.mouse.up();
}

/**
 * Watches from now on, in every picture that the browser paints, what the page says of its pods. The function that it
 * returns stops watching, and gives the readings: number of ready pods in the counter, and of tiles that say Ready.
 */
export async function watchReady(page) {
  await page.evaluate(() => {
    const seen = { counter: [], tiles: [] };
    const look = () => {
      const title = [...document.querySelectorAll("h2")].find((heading) => heading.textContent === "Healthy pods");
      const words = title.closest("article").innerText;
      seen.counter.push(Number(/(\d+)\s+of \d+/.exec(words)[1]));
      const all = [...document.querySelectorAll("[aria-label='Cluster'] article button")];
      seen.tiles.push(all.filter((tile) => /\bReady\b/.test(tile.innerText)).length);
      window.watching = requestAnimationFrame(look);
    };
    window.seenReady = seen;
    look();
  });
  return () => page.evaluate(() => {
    cancelAnimationFrame(window.watching);
    return window.seenReady;
  });
}

/** The panel beside the cluster, on its Details. */
export const details = (page) => page.getByRole("tabpanel", { name: "Details" });
/** The words of the details, or of one of their parts by its heading. */
export async function detail(page, title) {
  const panel = details(page);
  if (!title) return shown(panel);
  return shown(panel.getByRole("heading", { name: title, exact: true }).locator(".."));
}
/** The chain of causes, newest first, one line each: "Scheduler chose node-01: score 669 … 0:00.0". */
export async function chain(page) {
  const links = await details(page).locator("ol").getByRole("listitem").allInnerTexts();
  return links.map((link) => link.replace(/\s+/g, " ").trim());
}
/** An event's row, by what it says. */
export const eventRow = (page, wanted) =>
  page.getByRole("list", { name: "Events, newest first" }).getByRole("listitem").filter({ hasText: wanted }).first();
/** What has the focus, by its name or its words. */
export const focused = (page) => page.evaluate(() => {
  const at = document.activeElement;
  return (at.getAttribute("aria-label") ?? at.innerText ?? "").replace(/\s+/g, " ").trim();
});
/** Presses a key until what has the focus is called so, at most `most` times. */
export async function walkTo(page, key, wanted, most = 80) {
  for (let step = 0; step < most; step += 1) {
    if (wanted.test(await focused(page))) return;
    await page.keyboard.press(key);
  }
  assert.fail(`${most} times ${key} did not lead to ${wanted}; the focus is on ${await focused(page)}`);
}

/** Opens the page, waits until all pods are ready, and gives it to `use`; in the end nothing must have gone wrong. */
export async function onceReady(browser, url, use, { hash = "", ...options } = {}) {
  const open = await openPage(browser, url + hash, { width: 1440, height: 900, ...options });
  await waitForStart(open.page);
  await speed(open.page, 4);
  await untilReady(open.page, 3);
  await speed(open.page, 1);
  await use(open.page);
  assertQuiet(open);
  await open.close();
}
