// Time, choices, the keyboard, and what the page says to what can't be done.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { assertQuiet, openPage, startBrowser, startServer, waitForStart } from "./page.mjs";
import {
  balancer, counter, events, node, nodeLabel, press, saying, speed, tiles, until, untilCounter, untilEvent, untilReady,
} from "./person.mjs";

let browser, server;
before(async () => {
  browser = await startBrowser();
  server = await startServer();
});
after(async () => {
  await browser?.close();
  server?.close();
});

/** Opens the page, gives it to `use` with what openPage returns, and closes it; nothing must have gone wrong. */
async function visit(use, { query = "", ready = false } = {}) {
  const open = await openPage(browser, server.url + query, { width: 1440, height: 900 });
  await waitForStart(open.page);
  if (ready) {
    await speed(open.page, 4);
    await untilReady(open.page, 3);
  }
  await use(open.page, open);
  assertQuiet(open);
  await open.close();
}

/** The simulated time that the page shows, in seconds. */
async function clock(page) {
  const [hours, minutes, seconds] = (await page.getByRole("timer", { name: "Simulated time" }).innerText()).split(":");
  return Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
}
/** Waits until the browser has painted so many pictures. */
const pictures = (page, count) => page.evaluate((left) => new Promise((resolve) => {
  const next = () => { left -= 1; if (left > 0) requestAnimationFrame(next); else resolve(); };
  requestAnimationFrame(next);
}), count);

test("time stands still, goes on, goes step by step and at another speed", () => visit(async (page) => {
  await until(() => clock(page), (at) => at > 1);
  await press(page, "Pause");
  const stood = await clock(page);
  await pictures(page, 20);
  assert.equal(await clock(page), stood);
  assert.equal(await page.getByRole("button", { name: "Pause", exact: true }).count(), 0);

  const before = await events(page);
  await press(page, "Step to the next event");
  const after = await until(() => events(page), (found) => found[0] !== before[0]);
  assert.ok(await clock(page) >= stood);
  assert.ok(after.length > before.length || after[0] !== before[0], "a step brings one more event");
  assert.ok(await page.getByRole("button", { name: "Play", exact: true }).isVisible());

  await press(page, "Play");
  await until(() => clock(page), (at) => at > stood);
  const slider = page.getByRole("slider", { name: "Speed" });
  await slider.focus();
  await page.keyboard.press("ArrowRight");
  assert.ok(await page.getByText("×2", { exact: true }).isVisible());
  await page.keyboard.press("End");
  assert.equal(await slider.getAttribute("aria-valuetext"), "60 times");
  const [from, began] = [await clock(page), Date.now()];
  await until(() => clock(page), (at) => at > from + 40);
  assert.ok(Date.now() - began < 20_000, "sixty times as fast, or as fast as the machine can");
}));

test("the same seed gives the same events again, and another seed others", async () => {
  /** The first events with their times, and the pods' names. */
  const beginning = async (page) => {
    await untilReady(page, 3);
    // The ages and the counts of what goes on are those of the moment of reading.
    return (await events(page)).reverse().slice(0, 18).map((event) => `${event.split(" ", 1)[0]} ${saying(event).replace(/ ×\d+ /, " ")}`);
  };
  await visit(async (page) => {
    const first = await beginning(page);
    assert.ok(first.some((event) => /SuccessfulCreate Created pod: web-/.test(event)));
    await press(page, "Kill node-03");
    await untilEvent(page, /You cut the power of node-03/);
    await press(page, "Restart with seed 7");
    await until(() => nodeLabel(page, "node-03"), /machine on/);
    assert.deepEqual(await beginning(page), first);
    assert.ok(!(await events(page)).some((event) => /cut the power/.test(event)));

    await visit(async (other) => {
      const others = await beginning(other);
      assert.notDeepEqual(others, first);
      assert.equal(others.length, first.length);
    }, { query: "?seed=8" });
  }, { query: "?seed=7" });
});

test("the timing is chosen, named, and stays over a restart", () => visit(async (page) => {
  const timing = page.getByRole("group", { name: "Timing" });
  const pressed = async () => Promise.all(["Classroom", "Real"].map((name) => timing.getByRole("button", { name }).getAttribute("aria-pressed")));
  assert.deepEqual(await pressed(), ["true", "false"]);
  assert.ok(await page.getByText("Classroom timing: a dead node is noticed after 4 s, not 50 s.").isVisible());
  await timing.getByRole("button", { name: "Real" }).click();
  assert.deepEqual(await pressed(), ["false", "true"]);
  assert.ok(await page.getByText("Real timing: a dead node is noticed after 50 s, as by default.").isVisible());
  await untilEvent(page, /You switched to upstream's default timing\. you$/);
  await press(page, "Restart with seed 1");
  assert.deepEqual(await pressed(), ["false", "true"]);
  await timing.getByRole("button", { name: "Classroom" }).click();
  await untilEvent(page, /You switched to classroom timing\. you$/);
}));

test("the theme goes from the system's to light, to dark and back, and is remembered", () => visit(async (page) => {
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await background();
  await press(page, "Theme: system. Switch to light");
  assert.equal(await background(), light);
  await press(page, "Theme: light. Switch to dark");
  const dark = await background();
  assert.notEqual(dark, light);
  await page.reload();
  await waitForStart(page);
  assert.equal(await background(), dark);
  await press(page, "Theme: dark. Switch to system");
  assert.equal(await background(), light);
}));

test("what no longer applies is told in a sentence, and nothing breaks", () => visit(async (page) => {
  assert.ok(await page.getByRole("button", { name: "Undo rollout" }).isDisabled(), "there is no earlier revision");
  await speed(page, 1);
  // Two presses before the page could draw the first: only the keyboard's repeat is that fast.
  await node(page, "node-02").evaluate((element) => {
    for (let press = 0; press < 2; press += 1) element.dispatchEvent(new KeyboardEvent("keydown", { key: "k", bubbles: true }));
  });
  await untilEvent(page, /NotDone .* The machine of node-02 has no power already\. you$/);
  assert.match(await nodeLabel(page, "node-02"), /machine off/);

  // A pod on a dead machine can be chosen, but not crashed.
  await tiles(node(page, "node-02")).click();
  assert.equal(await tiles(node(page, "node-02")).getAttribute("aria-pressed"), "true");
  const known = (await events(page)).filter((event) => /NotDone/.test(event)).length;
  await press(page, "Crash a pod");
  await until(async () => (await events(page)).filter((event) => /NotDone/.test(event)).length, (count) => count > known);
  await press(page, "Hang a pod");
  await press(page, "Delete a pod");
  await press(page, "Delete a pod");

  for (const name of ["node-01", "node-03"]) await press(page, `Kill ${name}`);
  assert.ok(await page.getByRole("button", { name: "Kill a node" }).isDisabled(), "no node is left to kill");
  await speed(page, 4);
  await until(() => balancer(page), /0 ready endpoints$/);
  await untilCounter(page, "Healthy pods", /^Healthy pods 0 of 3/);
  await untilCounter(page, "Requests", /10\/s fail|9\/s fail|\d+\/s fail; [1-9]/);
  for (const name of ["node-01", "node-02", "node-03"]) await press(page, `Restore ${name}`);
  await untilReady(page, 3, { timeout: 30_000 });
  await until(() => balancer(page), /3 ready endpoints$/);
}, { ready: true }));

test("numbers that can't be are not taken", () => visit(async (page) => {
  const replicas = page.getByRole("textbox", { name: "Replicas" });
  const set = async (text) => { await replicas.fill(text); await page.keyboard.press("Enter"); };
  await set("many");
  await until(() => replicas.inputValue(), /^3$/);
  await set("-5");
  await untilEvent(page, /You set deployment web to 0 replicas\. you$/);
  await set("999");
  await untilEvent(page, /You set deployment web to 200 replicas\. you$/);
  // Three nodes of 4 CPU hold 48 pods of 250m; the scheduler says why the others wait.
  await speed(page, 4);
  await until(() => page.getByRole("region", { name: "Waiting for a node" }).innerText(), /0\/3 nodes are available: 3 Insufficient cpu\./);
  const load = page.getByRole("textbox", { name: /^User load/ });
  await load.fill("99999999");
  await page.keyboard.press("Enter");
  await untilEvent(page, /You set the load on web to \d+ requests per second\. you$/);
  await until(() => page.getByRole("slider", { name: "User load" }).inputValue(), /^1000$/);
  const from = await clock(page);
  await until(() => clock(page), (at) => at > from + 2, { what: "time that goes on" });
}, { ready: true }));

test("replicas by hand, and the autoscaler off and on", () => visit(async (page) => {
  const autoscaler = page.getByRole("switch", { name: "Autoscaler (HPA)" });
  await page.getByText("Autoscaler (HPA)").click();
  assert.equal(await autoscaler.isChecked(), false);
  await untilCounter(page, "Target replicas", /Autoscaler off$/);
  await untilCounter(page, "Average CPU", /No autoscaler watches it$/);
  await press(page, "Raise the target");
  await untilCounter(page, "Target replicas", /^Target replicas 4 by you/);
  await press(page, "One replica more");
  await untilReady(page, 5);
  await until(() => balancer(page), /5 ready endpoints$/);
  await page.getByText("Autoscaler (HPA)").click();
  await untilCounter(page, "Target replicas", /Autoscaler: 3 to 20/);
  await speed(page, 15);
  await untilEvent(page, /New size: \d; reason: All metrics below target/);
  await untilReady(page, 3);
}, { ready: true }));

test("the keyboard alone reaches the cluster, walks its nodes and kills one", () => visit(async (page) => {
  await page.keyboard.press("Tab");
  assert.ok(await page.getByRole("link", { name: "Skip to the cluster" }).isVisible());
  await page.keyboard.press("Enter");
  const focused = () => page.evaluate(() => document.activeElement.getAttribute("aria-label") ?? document.activeElement.innerText);
  assert.equal(await focused(), "Cluster");
  await untilReady(page, 3);
  while (!/^Node node-01/.test(await focused())) await page.keyboard.press("Tab");
  await page.keyboard.press("ArrowRight");
  assert.match(await focused(), /^Node node-02/);
  await page.keyboard.press("ArrowDown");
  assert.match(await focused(), /^v1\s/);
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute("aria-pressed")), "true");
  await page.keyboard.press("ArrowUp");
  assert.match(await focused(), /^Node node-02/);
  await page.keyboard.press("k");
  await untilEvent(page, /You cut the power of node-02\. you$/);
  await until(() => page.getByRole("status").innerText(), /machine off/);
  await page.keyboard.press("k");
  await untilEvent(page, /You gave node-02 its power back\. you$/);
}));

test("pods crash, hang and are deleted, and the cluster puts them right", () => visit(async (page) => {
  // A pod each, or the kubelet's limit of events on one pod would swallow some of them, as upstream's does.
  for (const [on, action, told, wanted] of [
    ["node-01", "Delete a pod", /You deleted pod web-\S+\. you$/, /Killing .* Stopping container web/],
    ["node-02", "Crash a pod", /You crashed pod web-\S+\. you$/, /Started ×2 .* Container started/],
    ["node-03", "Hang a pod", /You made pod web-\S+ hang\. you$/, /Killing .* Container web failed liveness probe, will be restarted/],
  ]) {
    const tile = tiles(node(page, on)).first();
    const name = /web-\w+-(\w+)/.exec(await tile.innerText())[1];
    await tile.click();
    await until(() => page.getByRole("group", { name: "Break something" }).innerText(), new RegExp(`Aimed at ${name}$`));
    await press(page, action);
    await untilEvent(page, told);
    const event = await untilEvent(page, wanted);
    assert.ok(event.includes(name), event);
    await untilReady(page, 3, { timeout: 30_000 });
  }
  const again = await tiles(page).filter({ hasText: "1 restart" }).count();
  assert.equal(again, 2, "the crashed and the hung container were started again");
}, { ready: true }));

test("the events are narrowed to warnings and to a text", () => visit(async (page) => {
  const box = page.getByRole("searchbox", { name: "Filter events" });
  await box.fill("node-02");
  const found = await until(() => events(page), (all) => all.length > 0 && all.every((event) => /node-02/.test(event)));
  assert.ok(found.some((event) => /NodeReady/.test(event)));
  await box.fill("nothing says this");
  await until(() => page.getByText("No event matches.").isVisible(), (visible) => visible);
  await box.fill("");
  await press(page, "▲ Warnings");
  assert.equal(await page.getByRole("button", { name: "▲ Warnings" }).getAttribute("aria-pressed"), "true");
  await until(() => events(page), (all) => all.length > 0 && all.every((event) => /Unhealthy|Failed/.test(event)));
  assert.match(await counter(page, "Healthy pods"), /3 of 3/);
}, { ready: true }));
