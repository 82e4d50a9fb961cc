// How much of the main thread a frame of the page takes: `node frames.mjs`, called by `cargo xtask bench frames` on the
// page that visitors get. Prints one line per figure: name, figure, what it should be at most, all in milliseconds.

import { loadavg } from "node:os";
import { openPage, startBrowser, startServer, waitForStart } from "./page.mjs";
import { press, speed, until, untilReady } from "./person.mjs";

const SECONDS = Number(process.env.SECONDS ?? 10);
/** What the browser calls the pieces of a frame on the main thread: script, style, layout, paint. */
const PIECES = new Set([
  "FireAnimationFrame", "FunctionCall", "EventDispatch", "TimerFire", "RunMicrotasks", "UpdateLayoutTree", "Layout",
  "PrePaint", "Paint", "Layerize", "Commit", "HitTest", "MajorGC", "MinorGC",
]);

const percentile = (values, share) => [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0;
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / Math.max(values.length, 1);

/** Records what the main thread does for some seconds, while `during` goes on. */
async function trace(page, during) {
  const client = await page.context().newCDPSession(page);
  const events = [];
  client.on("Tracing.dataCollected", ({ value }) => events.push(...value));
  const categories = ["devtools.timeline", "disabled-by-default-devtools.timeline", "v8"];
  await client.send("Tracing.start", { transferMode: "ReportEvents", traceConfig: { includedCategories: categories } });
  await during();
  const done = new Promise((resolve) => { client.once("Tracing.tracingComplete", resolve); });
  await client.send("Tracing.end");
  await done;
  return events;
}

/** Main-thread work per frame, from one animation frame to the next, with what it was spent on. */
function work(events) {
  const frames = events.filter((event) => event.name === "FireAnimationFrame" && event.ph === "X");
  const { pid, tid } = frames[0];
  const own = events.filter((event) => event.pid === pid && event.tid === tid && event.ph === "X" && PIECES.has(event.name));
  own.sort((a, b) => a.ts - b.ts || b.dur - a.dur);
  let end = 0;
  const outer = own.filter((event) => {
    if (event.ts < end) return false;
    end = event.ts + event.dur;
    return true;
  });
  const starts = frames.map((event) => event.ts).sort((a, b) => a - b);
  const spent = starts.map(() => 0);
  const kinds = {};
  let frame = -1;
  for (const event of outer) {
    while (frame + 1 < starts.length && starts[frame + 1] <= event.ts) frame += 1;
    if (frame < 0) continue;
    // The time that the thread itself took; what other programs took from it is not the page's.
    const took = Math.min(event.tdur ?? event.dur, event.dur) / 1000;
    spent[frame] += took;
    kinds[event.name] = (kinds[event.name] ?? 0) + took;
  }
  for (const name of Object.keys(kinds)) kinds[name] = +(kinds[name] / starts.length).toFixed(2);
  return { spent: spent.slice(0, -1), kinds };
}

const figure = (name, value, most) => console.log([name, value.toFixed(2), most].join("\t"));
const note = (words) => console.log(`# ${words}`);
const load = () => `load of the machine ${loadavg().slice(0, 2).map((value) => value.toFixed(1)).join(", ")}`;

/** Thirty pods are rolled over at four times the speed. */
async function rollout(browser, url) {
  const open = await openPage(browser, url, { width: 1440, height: 900 });
  const { page } = open;
  await waitForStart(page);
  await page.getByText("Autoscaler", { exact: true }).click();
  const replicas = page.getByRole("textbox", { name: "Replicas" });
  await replicas.fill("30");
  await page.keyboard.press("Enter");
  await speed(page, 10);
  await untilReady(page, 30, { timeout: 60_000 });
  const rps = page.getByRole("textbox", { name: /^User load/ });
  await rps.fill("100");
  await page.keyboard.press("Enter");
  await speed(page, 4);
  await page.waitForTimeout(1000);
  await press(page, "Deploy v2");
  const { spent, kinds } = work(await trace(page, () => page.waitForTimeout(SECONDS * 1000)));
  note(`rollout of 30 pods at x4: ${spent.length} frames; ${load()}; ms per frame ${JSON.stringify(kinds)}`);
  figure("rollout of 30 pods at x4, frame work, p95", percentile(spent, 0.95), 8);
  figure("rollout of 30 pods at x4, frame work, mean", mean(spent), 4);
  await open.close();
}

/** Presses the load slider and selects a node, again and again; where they are is found out before, for looking takes the page's time. */
async function hand(page) {
  const nodes = page.getByRole("article", { name: /^Node / });
  const title = (at) => nodes.nth(at).getByRole("button", { name: /^Node / });
  const load = await page.getByRole("slider", { name: "User load" }).boundingBox();
  const titles = [];
  for (let at = 0; at < 7; at += 1) titles.push(await title(at).boundingBox());
  const click = (box, share) => page.mouse.click(box.x + box.width * share, box.y + box.height / 2);
  return async (ms) => {
    const end = Date.now() + ms;
    let acted = 0;
    for (; Date.now() < end; acted += 1) {
      await click(load, acted % 2 ? 0.3 : 0.35);
      await click(titles[acted % titles.length], 0.5);
      await page.waitForTimeout(150);
    }
    return acted;
  };
}

/** The times between the frames of some seconds, and how long what a person did took to be seen. */
const watchFrames = (page, ms) => page.evaluate((ms) => new Promise((resolve) => {
  const intervals = [];
  const inputs = [];
  new PerformanceObserver((list) => inputs.push(...list.getEntries().map((entry) => entry.duration)))
    .observe({ type: "event", durationThreshold: 16, buffered: false });
  const began = performance.now();
  let last = began;
  const next = (now) => {
    intervals.push(now - last);
    last = now;
    if (now - began < ms) requestAnimationFrame(next);
    else resolve({ intervals: intervals.slice(1), inputs });
  };
  requestAnimationFrame(next);
}), ms);

/** Fifty nodes with 1,500 pods, where something always happens. */
async function crowd(browser, url) {
  const open = await openPage(browser, `${url}?scenario=large`, { width: 1440, height: 900 });
  const { page } = open;
  await waitForStart(page, 60_000);
  await speed(page, 10);
  const clock = () => page.getByRole("timer", { name: "Simulated time" }).innerText();
  await until(clock, /^00:00:[2-5]|^00:0[1-9]/, { timeout: 90_000 });
  const act = await hand(page);
  const begun = watchFrames(page, SECONDS * 1000);
  const acted = await act(SECONDS * 1000 - 1500);
  const { intervals, inputs } = await begun;
  // What took less than the observer tells counts as what it would have told at least.
  const waits = [...inputs, ...Array(Math.max(0, acted * 2 - inputs.length)).fill(16)];
  const { spent, kinds } = work(await trace(page, () => act(SECONDS * 500)));
  const pods = await page.locator(".crowd path").count();
  note(`50 nodes, 1,500 pods at x10: ${intervals.length} frames, clock ${await clock()}, ${pods} paths; ${load()}; ms per frame ${JSON.stringify(kinds)}`);
  note(`frame work mean ${mean(spent).toFixed(2)}, p95 ${percentile(spent, 0.95).toFixed(2)}, p99 ${percentile(spent, 0.99).toFixed(2)}`);
  figure("1,500 pods under churn, frame interval, median", percentile(intervals, 0.5), 17);
  figure("1,500 pods under churn, frame interval, p99", percentile(intervals, 0.99), 33);
  figure("1,500 pods under churn, input to paint, p99", percentile(waits, 0.99), 100);
  await open.close();
}

const browser = await startBrowser();
const server = await startServer();
const only = process.argv[2];
if (only !== "crowd") await rollout(browser, server.url);
if (only !== "rollout") await crowd(browser, server.url);
await browser.close();
server.close();
