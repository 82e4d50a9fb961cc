// The cluster panel: what is believed beside what is true, what is wanted and missing, and tiles for any number of pods.

import assert from "node:assert/strict";
import { test } from "node:test";
import { assertClean, assertQuiet, openPage, setUp, waitForStart } from "./page.mjs";
import {
  balancer, focused, node, nodeLabel, press, speed, tiles, until, untilEvent, untilReady,
} from "./person.mjs";

const own = setUp();

/** Opens the page, gives it to `use` once three pods are ready, and closes it; nothing must have gone wrong. */
async function visit(use, { query = "", ready = 3, ...options } = {}) {
  const open = await openPage(own.browser, own.url + query, { width: 1440, height: 900, ...options });
  await waitForStart(open.page);
  if (ready) {
    await speed(open.page, 4);
    await untilReady(open.page, ready, { timeout: 60_000 });
    await speed(open.page, 1);
  }
  await use(open.page, open);
  assertQuiet(open);
  await open.close();
}

const tray = (page) => page.getByRole("region", { name: "Waiting for a node" });
/** Types replicas into their field, without the autoscaler in the way. */
async function scale(page, replicas) {
  const autoscaler = page.getByRole("switch", { name: "Autoscaler" });
  if (await autoscaler.isChecked()) await page.getByText("Autoscaler", { exact: true }).click();
  await page.getByRole("textbox", { name: "Replicas" }).fill(String(replicas));
  await page.keyboard.press("Enter");
}
/** How far the cluster panel and the page would have to be scrolled to see all of the panel, downwards and sideways. */
const hidden = (page) => page.getByRole("region", { name: "Cluster", exact: true }).evaluate((panel) => ({
  inside: panel.scrollHeight - panel.clientHeight,
  beyond: Math.max(0, Math.round(panel.getBoundingClientRect().height - innerHeight)),
  sideways: document.documentElement.scrollWidth - innerWidth,
}));

test("a machine without power: the truth stands beside what the cluster believes, with mouse and with keyboard", () => visit(async (page) => {
  await press(page, "Kill node-02");
  await until(() => node(page, "node-02").innerText(), /No power · Node says Ready\s+Silent \d s; believed \d s more\./);
  // The pod's address is still listed, and whoever is sent there gets no answer.
  await until(() => balancer(page), /3 ready endpoints 1 answers nothing$/);
  assert.match(await tiles(node(page, "node-02")).innerText(), /Unknown/);
  await until(() => node(page, "node-02").innerText(), /No power · Node says NotReady\s+Silent \d+ s; pods evicted in \d s\./);
  await until(() => balancer(page), /2 ready endpoints$/);

  await page.getByRole("button", { name: /^Node node-02/ }).focus();
  await page.keyboard.press("k");
  await untilEvent(page, /You gave node-02 its power back\. you$/);
  await until(() => nodeLabel(page, "node-02"), /^Node node-02, Ready, machine on, /);
  assert.doesNotMatch(await node(page, "node-02").innerText(), /No power|Node says/);
}));

test("a full disk: the node says so before and after the cluster knows, and the pod that it evicts is not told as completed", () => visit(async (page) => {
  await page.getByRole("button", { name: /^Node node-02/ }).click();
  await page.getByRole("button", { name: /^Fill disk/ }).click();
  await until(() => node(page, "node-02").innerText(), /Disk full · Node says Ready/);
  await speed(page, 4);
  await until(() => node(page, "node-02").innerText(), /Disk pressure: it takes no new pods\./);
  await until(() => tiles(node(page, "node-02")).allInnerTexts(), (all) => all.length === 1 && /Evicted/.test(all[0]));
  await untilReady(page, 3);
  assert.equal(await tiles(node(page, "node-02")).count(), 1, "the replacement is elsewhere");
}));

test("a pod that takes too much memory is killed, and that stands among the faults until all is well again", () => visit(async (page) => {
  await tiles(node(page, "node-02")).first().click();
  await page.getByRole("button", { name: /^Eat memory/ }).click();
  const faults = page.getByRole("list", { name: "Faults" });
  await until(() => faults.innerText(), /^web-\S+ took too much memory\s/);
  await untilReady(page, 3);
  await until(() => faults.innerText(), /^web-\S+ took too much memory\s+\d+ requests? failed; all ready after \d+\ss$/);
}));

for (const [width, height] of [[600, 400], [844, 390]]) test(`in a frame of ${width} by ${height} pixels the cluster is in sight`, () => visit(async (page) => {
  for (const name of ["node-01", "node-02", "node-03"]) {
    const box = await node(page, name).boundingBox();
    assert.ok(box.y + box.height <= height, `${name} ends at ${box.y + box.height}`);
  }
  assert.equal((await hidden(page)).sideways, 0);
}, { width, height }));

test("a pod that hangs is still listed, and the strip says that it answers nothing", () => visit(async (page) => {
  await press(page, "Hang a pod");
  await until(() => balancer(page), /3 ready endpoints 1 answers nothing$/);
  await until(() => tiles(page).allInnerTexts(), (all) => all.some((tile) => /Hangs/.test(tile)));
  await speed(page, 10);
  await until(() => balancer(page), /^Load balancer web:80 3 ready endpoints$/, { timeout: 30_000 });
}));

test("what is wanted and missing stands in the tray before anybody has made it", () => visit(async (page) => {
  assert.match(await tray(page).innerText(), /Nothing is waiting\./);
  await press(page, "Pause");
  await press(page, "Delete a pod");
  await until(() => tray(page).innerText(), /1 not created yet\s+Missing$/);
  // The ReplicaSet acts within a few steps; then it is a pod like any other.
  await press(page, "Play");
  await until(() => tray(page).innerText(), /Nothing is waiting\.$/);
  await untilReady(page, 3);
}));

test("pods without room wait in the tray with the scheduler's words, and nothing moves", () => visit(async (page) => {
  const places = () => page.evaluate(() => ["nodes", "tray"].map((id) => Math.round(document.getElementById(id).getBoundingClientRect().y)));
  const before = await places();
  await scale(page, 60);
  await speed(page, 10);
  await until(() => tray(page).innerText(), /12 pods\b.*\b12 pods: 0\/3 nodes are available: 3 Insufficient cpu\..* preemption: /s, { timeout: 40_000 });
  assert.equal(await tiles(tray(page)).count(), 12);
  assert.deepEqual(await places(), before);
  assert.deepEqual(await hidden(page), { inside: 0, beyond: 0, sideways: 0 });
  // The same again on a telephone.
  await page.setViewportSize({ width: 390, height: 844 });
  await until(() => hidden(page), (rest) => rest.inside === 0 && rest.sideways === 0);
}));

for (const [width, height] of [[1440, 900], [1024, 768]]) {
  test(`thirty pods on three nodes need no scrolling at ${width} by ${height}, and keep their words and their places`, () => visit(async (page) => {
    await scale(page, 30);
    await speed(page, 10);
    await untilReady(page, 30, { timeout: 60_000 });
    assert.deepEqual(await hidden(page), { inside: 0, beyond: 0, sideways: 0 });
    assert.ok((await tiles(page).allInnerTexts()).every((tile) => /^v1\s.*\bReady\b/s.test(tile)));
    const outside = await tiles(page).evaluateAll((all) => all.filter((tile) => {
      const [box, around] = [tile.getBoundingClientRect(), tile.closest("article").getBoundingClientRect()];
      return box.bottom > around.bottom || box.right > around.right || box.height < 24 || box.width < 24;
    }).length);
    assert.equal(outside, 0, "every tile is inside its node, and large enough to be pressed");

    // One goes, and its neighbours stay where they are.
    await page.waitForTimeout(4000);
    const where = () => tiles(page).evaluateAll((all) => Object.fromEntries(all.map((tile) => [tile.id, `${tile.getBoundingClientRect().x} ${tile.getBoundingClientRect().y}`])));
    const before = await where();
    await press(page, "Delete a pod");
    await untilEvent(page, /You deleted pod web-/);
    await until(where, (now) => Object.keys(before).some((id) => !(id in now)));
    const after = await where();
    const kept = Object.keys(before).filter((id) => id in after);
    assert.equal(kept.length, 29);
    assert.deepEqual(kept.filter((id) => before[id] !== after[id]), []);
  }, { width, height }));
}

test("twenty nodes with 150 pods fit the screen, and a dead one says so in its own words", () => visit(async (page) => {
  await until(() => page.getByRole("article", { name: /^Node node-\d\d, Ready, machine on, [78] pods/ }).count(), (count) => count === 20, { timeout: 40_000 });
  assert.deepEqual(await hidden(page), { inside: 0, beyond: 0, sideways: 0 });
  await press(page, "Kill node-07");
  await until(() => node(page, "node-07").innerText(), /No power\s+says Ready/);
  await until(() => node(page, "node-07").innerText(), /No power\s+says NotReady/);
}, { query: "?scenario=fifty-services" }));

test("1,500 pods on fifty nodes: marks can be pressed, and the keyboard reads them one by one", () => visit(async (page, open) => {
  await until(() => page.getByRole("article", { name: /^Node node-\d\d, Ready, machine on, [23]\d pods/ }).count(), (count) => count === 50, { timeout: 60_000 });
  assert.equal((await hidden(page)).sideways, 0);
  await press(page, "Pause");
  const crowd = node(page, "node-03").getByRole("group", { name: "Pods" });
  const box = await crowd.boundingBox();
  await page.mouse.click(box.x + 13, box.y + 4);
  const chosen = await node(page, "node-03").locator(".chosen").boundingBox();
  assert.ok(Math.abs(chosen.x - box.x - 9) < 3 && Math.abs(chosen.y - box.y) < 3, "the second mark is chosen");

  // The Tab key stops at the first node only; the arrows reach the others, and their pods.
  await page.getByRole("button", { name: /^Node node-01/ }).focus();
  for (let step = 0; step < 2; step += 1) await page.keyboard.press("ArrowRight");
  assert.match(await focused(page), /^Node node-03, Ready/);
  await page.keyboard.press("ArrowDown");
  const first = await focused(page);
  assert.match(first, /^v\d \w+.*, pod \S+, status \w+/);
  await page.keyboard.press("ArrowRight");
  const second = await focused(page);
  assert.match(second, /^v\d \w+.*, pod \S+, status \w+/);
  assert.notEqual(second, first);
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute("aria-pressed")), "true", "it is the chosen one");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute("aria-pressed")), "false");
  await page.keyboard.press("ArrowUp");
  assert.match(await focused(page), /^Node node-03/);
  await page.keyboard.press("k");
  await until(() => node(page, "node-03").innerText(), /No power\s+says Ready/);
  await assertClean(open);
}, { query: "?scenario=large", ready: 0 }));

for (const width of [1440, 1024, 390]) test(`the control plane's parts say what they do, in words that fit ${width} pixels, and can be looked at`, () => visit(async (page) => {
  const plane = page.getByRole("region", { name: "Control plane" });
  const sizes = () => plane.getByRole("button").evaluateAll((all) => all.map((chip) => `${chip.getBoundingClientRect().x} ${chip.getBoundingClientRect().width}`));
  const before = await sizes();
  assert.ok(before.length >= 7);
  await page.evaluate(() => {
    window.cut = new Set();
    window.said = new Set();
    const look = () => {
      for (const word of document.querySelectorAll("section[aria-labelledby=plane] button > *")) {
        window.said.add(word.innerText);
        if (word.scrollWidth > word.clientWidth) window.cut.add(word.innerText);
      }
      requestAnimationFrame(look);
    };
    look();
  });
  await press(page, "Deploy v2");
  await until(() => page.evaluate(() => [...window.said].join(", ")), /(?=.*bind pod)(?=.*slices)(?=.*scale \d)(?=.*create 1)/);
  assert.deepEqual(await page.evaluate(() => [...window.cut]), [], "no word is cut");
  assert.deepEqual(await sizes(), before, "nothing moves");
  const scheduler = plane.getByRole("button", { name: /^Scheduler/ });
  await scheduler.focus();
  await page.keyboard.press("Enter");
  assert.equal(await scheduler.getAttribute("aria-pressed"), "true");
}, { width }));

test("without motion there are rates instead of dots, and nothing is animated", () => visit(async (page) => {
  await until(() => page.getByRole("region", { name: "Cluster", exact: true }).innerText(), /Rates beside the wires: no motion/);
  await press(page, "Deploy v2");
  await until(() => tiles(page).allInnerTexts(), (all) => all.some((tile) => /^v2\s/.test(tile)));
  assert.equal(await page.evaluate(() => document.getAnimations().length), 0);
  // The picture of the wires stands still between two seconds.
  await press(page, "Pause");
  const picture = () => page.evaluate(() => document.querySelector("canvas").toDataURL());
  const later = async () => {
    await page.waitForTimeout(300);
    return picture();
  };
  // The last second before the pause is still drawn, sooner or later.
  await until(async () => (await picture()) === (await later()), (rests) => rests, { what: "a picture at rest" });
  assert.equal(await picture(), await later());
}, { context: { reducedMotion: "reduce" } }));

test("the legend says how many requests a dot stands for", () => visit(async (page) => {
  const panel = page.getByRole("region", { name: "Cluster", exact: true });
  await until(() => panel.innerText(), /1 dot = 1 request\b/);
  await page.getByRole("textbox", { name: /^User load/ }).fill("1000");
  await page.keyboard.press("Enter");
  await until(() => panel.innerText(), /1 dot = 50 requests/);
  await speed(page, 4);
  await until(() => panel.innerText(), /1 dot = 100 requests/);
}));
