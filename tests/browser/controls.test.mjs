// Time, choices, the keyboard, and what the page says to what can't be done.

import assert from "node:assert/strict";
import { test } from "node:test";
import { assertQuiet, openPage, setUp, waitForStart } from "./page.mjs";
import {
  balancer, counter, dragLoad, events, hint, load, loads, node, nodeLabel, press, saying, speed, tabTo, tiles, until, untilCounter,
  untilEvent, untilReady,
} from "./person.mjs";

const own = setUp();

/** Opens the page, gives it to `use` with what openPage returns, and closes it; nothing must have gone wrong. */
async function visit(use, { query = "", ready = false } = {}) {
  const open = await openPage(own.browser, own.url + query, { width: 1440, height: 900 });
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
/** The first events with their times, and the pods' names. */
async function beginning(page, count = 18) {
  // The ages and the counts of what goes on are those of the moment of reading.
  return (await events(page)).reverse().slice(0, count).map((event) => `${event.split(" ", 1)[0]} ${saying(event).replace(/ ×\d+ /, " ")}`);
}
/** The faults that are listed, one line each. */
async function faults(page) {
  const rows = await page.getByRole("list", { name: "Faults" }).getByRole("listitem").allInnerTexts();
  return rows.map((row) => row.replace(/\s+/g, " ").trim());
}
/** Waits until the browser has painted so many pictures. */
const pictures = (page, count) => page.evaluate((left) => new Promise((resolve) => {
  const next = () => { left -= 1; if (left > 0) requestAnimationFrame(next); else resolve(); };
  requestAnimationFrame(next);
}), count);

/** The two ways to do things: what each test of a story is run with. */
const hands = [
  {
    name: "mouse",
    press,
    setLoad: dragLoad,
    async type(page, name, text) {
      await page.getByRole("textbox", { name }).click({ clickCount: 3 });
      await page.keyboard.type(text);
      await page.keyboard.press("Enter");
    },
  },
  {
    name: "keyboard alone",
    async press(page, name) {
      await tabTo(page, page.getByRole("button", { name, exact: true }));
      await page.keyboard.press("Enter");
    },
    async setLoad(page, rps) {
      await tabTo(page, page.getByRole("slider", { name: "User load" }));
      for (let left = loads.indexOf(rps) - Math.max(0, loads.indexOf(await load(page))); left !== 0; left -= Math.sign(left)) {
        await page.keyboard.press(left > 0 ? "ArrowRight" : "ArrowLeft");
      }
    },
    async type(page, name, text) {
      await tabTo(page, page.getByRole("textbox", { name }));
      await page.keyboard.press("Control+a");
      await page.keyboard.type(text);
      await page.keyboard.press("Enter");
    },
  },
];

for (const hand of hands) {
  test(`load up and down, with the stabilisation window counting down: ${hand.name}`, () => visit(async (page) => {
    await hand.setLoad(page, 300);
    assert.equal(await load(page), 300);
    await untilEvent(page, /You set the load on web to 300 requests per second\. you$/);
    await until(() => hint(page), /^300 requests per second\. Watch: CPU follows, and the HPA sets replicas/);
    await untilCounter(page, "Target replicas", /^Target replicas (8|9|10) by HPA The HPA keeps it between 3 and 20\.$/);
    await untilCounter(page, "Average CPU", /Target 70%\. \d+ × \d+\/70 = \d+\.\d\d.* → \d+/);
    await hand.setLoad(page, 10);
    const held = /^Target replicas (\d+) s (\d+) by HPA Holding \d+\. Down to 3 in \1 s: the highest wish of 30 s counts \(classroom\)\.$/;
    const left = (words) => Number(held.exec(words)[1]);
    const first = left(await untilCounter(page, "Target replicas", held));
    assert.ok(first <= 30, `${first} s of 30 s`);
    await speed(page, 2);
    await untilCounter(page, "Target replicas", (words) => held.test(words) && left(words) <= first - 3);
    await speed(page, 10);
    await untilEvent(page, /SuccessfulRescale .* New size: 3; reason: All metrics below target/);
    await untilReady(page, 3);
    await untilCounter(page, "Target replicas", /^Target replicas 3 by HPA The HPA keeps it between 3 and 20\.$/);
  }, { ready: true }));

  test(`a rollout under load, paused and resumed, fails no request: ${hand.name}`, () => visit(async (page) => {
    await hand.type(page, /^User load/, "60");
    await untilCounter(page, "Requests", /(5|6)\d served\/s, load 60\/s/);
    await speed(page, 1);
    await hand.press(page, "Deploy v2");
    await untilCounter(page, "Version", /^Version Rolling out v1 \d → v2 1 /);
    await hand.press(page, "Pause rollout");
    await untilCounter(page, "Version", /^Version Paused v1 \d → v2 \d Paused: changes of the template wait\./);
    assert.match(await hint(page), /^Paused\. Watch: /);
    await speed(page, 10);
    const paused = await counter(page, "Version");
    const stood = await clock(page);
    await until(() => clock(page), (at) => at > stood + 10);
    assert.equal(await counter(page, "Version"), paused, "nothing goes on while it is paused");
    await hand.press(page, "Resume rollout");
    await untilCounter(page, "Version", /^Version Complete v2 \d+ deployment "web" successfully rolled out/);
    assert.match(await counter(page, "Requests"), /\b0 failed since resume$/);
    await page.getByRole("button", { name: "Data as table" }).click();
    const failed = await page.getByRole("region", { name: "History as a table" }).locator("td:nth-child(3)").allInnerTexts();
    assert.ok(failed.length > 2 && failed.every((number) => number === "0"), `failed requests: ${failed}`);
  }, { ready: true }));

  test(`a broken version stalls, is listed as a fault, and undo ends it: ${hand.name}`, () => visit(async (page) => {
    await hand.press(page, "Deploy broken");
    assert.match(await hint(page), /^web:broken rolls out\. Watch: it never gets ready, the old pods go on serving; then undo\.$/);
    await speed(page, 10);
    await untilCounter(page, "Version", /^Version Stalled v1 3 → broken 1 .*progress deadline/);
    await until(() => faults(page), (rows) => /^Rollout of web stalled for .* 0 requests failed; no pod missing$/.test(rows[0]));
    assert.match(await counter(page, "Requests"), /\b0 failed since deploy broken$/);
    await hand.press(page, "Undo rollout");
    await untilCounter(page, "Version", /^Version Complete v1 3 /);
    await untilReady(page, 3);
  }, { ready: true }));

  test(`a fault is listed with its cost, and put right from there: ${hand.name}`, () => visit(async (page) => {
    assert.deepEqual(await faults(page), []);
    assert.ok(await page.getByText("Nothing is broken. What you break stands here, with what failed since and a way back.").isVisible());
    await hand.press(page, "Kill a node");
    const killed = /of (node-\d\d)/.exec(await untilEvent(page, /You cut the power of node-\d\d/))[1];
    assert.match(await hint(page), new RegExp(`^${killed} lost power\\. Watch: its lease expires, `));
    const [row] = await until(() => faults(page), (rows) => /all ready after \d+ s/.test(rows[0] ?? ""));
    assert.match(row, new RegExp(`^${killed} off for \\d+ s Restore \\d+ requests? failed; all ready after `));
    await hand.press(page, `Restore ${killed} (fault)`);
    await until(() => nodeLabel(page, killed), /, Ready, machine on, /);
    await until(() => faults(page), (rows) => rows.length === 1 && !/Restore/.test(rows[0]));
    const said = /([\d,]+) requests? failed/.exec((await faults(page))[0]);
    assert.ok(said && Number(said[1]) > 0, "what was sent to the dead machine is counted");
  }, { ready: true }));

  test(`time: pause, step, speed, and the same seed gives the same events: ${hand.name}`, () => visit(async (page) => {
    await until(() => clock(page), (at) => at > 1);
    await hand.press(page, "Pause");
    const stood = await clock(page);
    await pictures(page, 20);
    assert.equal(await clock(page), stood);
    const before = await events(page);
    await hand.press(page, "Step to the next event");
    await until(() => events(page), (found) => found[0] !== before[0]);
    assert.ok(await clock(page) >= stood);
    const first = await beginning(page, 12);
    await hand.press(page, "Restart with seed 1");
    await speed(page, 10);
    await untilReady(page, 3);
    // The parts of the page are drawn one after the other.
    const told = () => until(() => beginning(page, 12), (found) => found.length >= first.length);
    assert.deepEqual((await told()).slice(0, first.length), first);
    await hand.type(page, "Seed", "8");
    await until(() => page.getByRole("button", { name: "Restart with seed 8" }).count(), (count) => count === 1);
    await speed(page, 10);
    await untilReady(page, 3);
    assert.notDeepEqual((await told()).slice(0, first.length), first, "another seed, other names");
    await hand.type(page, "Seed", "no number");
    await until(() => page.getByRole("textbox", { name: "Seed" }).inputValue(), /^8$/);
  }));

  test(`theme and timing are switched, and every period is told and can be set: ${hand.name}`, () => visit(async (page) => {
    await hand.press(page, "All periods, to see and to change");
    const sheet = page.getByRole("region", { name: "Periods" }).last();
    const rows = sheet.getByRole("row");
    const here = () => page.getByRole("textbox", { name: "node monitor grace" }).inputValue();
    await until(() => rows.filter({ hasText: "node monitor grace" }).innerText(), /50 s$/);
    assert.equal(await here(), "4 s");
    assert.ok(await rows.count() > 25);
    await hand.type(page, "node monitor grace", "20s");
    await until(here, /^20 s$/);
    assert.ok(await page.getByText("Classroom timing: node loss is noticed after 20 s, not 50 s.").isVisible());
    await hand.type(page, "node monitor grace", "0");
    await until(() => hint(page), /^Not done: A period lasts 100 ms to 24 h here/);
    await hand.press(page, "Real");
    await until(here, /^50 s$/);
    assert.ok(await page.getByText("Real timing: node loss is noticed after 50 s, as by default.").isVisible());
    await page.keyboard.press("Escape");
    await until(() => sheet.count(), (count) => count === 0);
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await ground();
    await hand.press(page, "Theme: system. Switch to light");
    await hand.press(page, "Theme: light. Switch to dark");
    assert.notEqual(await ground(), light);
  }));

  test(`how a rollout goes is edited, and what can't be is told: ${hand.name}`, () => visit(async (page) => {
    await page.locator("summary").filter({ hasText: "Rollout" }).click();
    await hand.type(page, "Max surge", "2");
    await until(() => page.getByRole("textbox", { name: "Max surge" }).inputValue(), /^2$/);
    await until(() => counter(page, "Version"), /surge 2, unavailable 0$/);
    await hand.type(page, "Max surge", "50%");
    await until(() => counter(page, "Version"), /surge 2, unavailable 0$/);
    await hand.type(page, "Max surge", "0");
    await until(() => hint(page), /^Not done: .*maxUnavailable.*may not be 0 when `?maxSurge/i);
    await hand.type(page, "Max surge", "many");
    await until(() => hint(page), /^Not done: /);
    await untilEvent(page, /NotDone /);
  }, { ready: true }));
}

test("single keys drive time outside of fields, and can be switched off", () => visit(async (page) => {
  await until(() => clock(page), (at) => at > 0.5);
  await page.keyboard.press("Space");
  assert.ok(await page.getByRole("button", { name: "Play", exact: true }).isVisible());
  const stood = await clock(page);
  await page.keyboard.press(".");
  await until(() => clock(page), (at) => at > stood);
  await page.keyboard.press("]");
  assert.ok(await page.getByText("×2", { exact: true }).isVisible());
  await page.keyboard.press("[");
  assert.ok(await page.getByText("×1", { exact: true }).isVisible());
  await page.keyboard.press("?");
  const sheet = page.getByRole("region", { name: "Keys" });
  assert.match(await sheet.innerText(), /Space\s+Play or pause/);

  // In a field the keys are text.
  await page.getByRole("searchbox", { name: "Filter events" }).fill("");
  await page.getByRole("searchbox", { name: "Filter events" }).pressSequentially("t. ?");
  assert.equal(await page.getByRole("searchbox", { name: "Filter events" }).inputValue(), "t. ?");
  assert.ok(await page.getByRole("button", { name: "Theme: system. Switch to light" }).isVisible());

  await sheet.getByRole("switch").click();
  await page.keyboard.press("Escape");
  assert.equal(await sheet.count(), 0);
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press("t");
  await page.keyboard.press("?");
  assert.ok(await page.getByRole("button", { name: "Theme: system. Switch to light" }).isVisible());
  assert.equal(await sheet.count(), 0);
  await page.reload();
  await waitForStart(page);
  await page.keyboard.press("?");
  assert.equal(await sheet.count(), 0, "the choice is remembered");
}));

test("the hint keeps its place whatever it says, and can be dismissed", () => visit(async (page) => {
  const places = () => page.evaluate(() => ["Counters", "Cluster", "History"].map((name) => document.querySelector(`[aria-label="${name}"]`).getBoundingClientRect().top));
  assert.match(await hint(page), /^A simulated Kubernetes cluster\. Kill a node, raise the load or deploy v2, and watch its control loops put it right\.$/);
  const before = await places();
  await press(page, "Deploy v2");
  assert.match(await hint(page), /^web:v2 rolls out\. Watch: an old pod ends only once a new one is ready to serve\.$/);
  assert.deepEqual(await places(), before);
  await press(page, "Dismiss this hint");
  assert.equal(await hint(page), "");
  assert.deepEqual(await places(), before);
  await press(page, "Kill node-02");
  assert.match(await hint(page), /^node-02 lost power\./);
  assert.deepEqual(await places(), before);
}, { ready: true }));

test("the chart tells of any second, to the pointer and to the keys, and as a table", () => visit(async (page) => {
  await dragLoad(page, 100);
  await untilCounter(page, "Requests", /load 100\/s/);
  const began = await clock(page);
  await until(() => clock(page), (at) => at > began + 8);
  await press(page, "Pause");
  const names = async () => (await page.getByRole("region", { name: "History", exact: true }).locator("dl").innerText()).replace(/\s+/g, " ");
  assert.match(await names(), /^now 0:\d\d Load 100\/s failed 0\/s Pods ready \d desired \d /);
  const slider = page.getByRole("slider", { name: "Time on the chart" });
  const box = await slider.boundingBox();
  await page.mouse.move(box.x + box.width * 2.5 / 60, box.y + 40);
  assert.match(await names(), /^at 0:0[23] Load 0\/s failed 0\/s Pods ready 0 desired 3 /);
  await page.mouse.move(0, 0);
  assert.match(await names(), /^now /);
  await slider.focus();
  const last = await slider.getAttribute("aria-valuetext");
  assert.match(last, /: load 100 requests per second, 0 failed, \d of \d pods ready/);
  await page.keyboard.press("Home");
  assert.match(await slider.getAttribute("aria-valuetext"), /^0:01: load 0 requests per second, 0 failed, 0 of \d pods ready$/);
  for (let step = 0; step < 2; step += 1) await page.keyboard.press("ArrowRight");
  assert.match(await names(), /^at 0:0[23] /);
  await press(page, "Data as table");
  const rows = page.getByRole("region", { name: "History as a table" }).getByRole("row");
  assert.match(await rows.nth(1).innerText(), /100\s+0\s+\d+\s+\d+/);
  assert.ok((await rows.allInnerTexts()).some((row) => /load 100/.test(row)), "what was done stands in its row");
}, { ready: true }));

test("a cluster without a Deployment says so, and the sample brings it back", () => visit(async (page) => {
  await page.locator("summary").filter({ hasText: "Rollout" }).click();
  await press(page, "Delete the Deployment");
  const nothing = page.getByRole("heading", { name: "There is no Deployment" });
  await nothing.waitFor({ state: "visible" });
  await until(() => tiles(page).count(), (count) => count === 0);
  await until(() => balancer(page), /web:80 0 ready endpoints$/);
  await press(page, "Apply the sample: web, 3 replicas");
  await speed(page, 10);
  await untilReady(page, 3);
  await untilCounter(page, "Requests", /[1-9]\d* served\/s, load 10\/s/);
}, { ready: true }));

test("the quick guide shows each of its sentences in the cluster", () => visit(async (page) => {
  await press(page, "Keys and help");
  const guide = page.getByRole("region", { name: "In 30 seconds" });
  for (const [name, done] of [
    ["Two more", /You set deployment web to 5 replicas\. you$/],
    ["Delete one", /You deleted pod web-\S+\. you$/],
    ["Cut its power", /You cut the power of node-0\d\. you$/],
    ["Load × 10", /You set the load on web to 100 requests per second\. you$/],
    ["Ship v2", /You deployed web:v2 to deployment web\. you$/],
    ["Ship a bad one", /You deployed web:broken to deployment web\. you$/],
  ]) {
    await guide.getByRole("button", { name, exact: true }).click();
    await untilEvent(page, done);
  }
  for (const [name, tab] of [["Type it", "kubectl"], ["See the text", "Manifests"]]) {
    await guide.getByRole("button", { name, exact: true }).click();
    await until(() => page.getByRole("tab", { name: tab }).getAttribute("aria-selected"), /^true$/);
  }
}, { ready: true }));

test("at ×60 under a rollout and a kill, at most 20 announcements a minute", () => visit(async (page) => {
  const seconds = 15;
  await page.evaluate(() => {
    window.spoken = [];
    window.watchedFrom = performance.now();
    for (const region of document.querySelectorAll("[role='status'], [role='alert'], [aria-live='polite'], [aria-live='assertive']")) {
      new MutationObserver(() => window.spoken.push([performance.now(), region.textContent]))
        .observe(region, { subtree: true, childList: true, characterData: true });
    }
  });
  await speed(page, 60);
  await press(page, "Deploy v2");
  await press(page, "Kill node-02");
  await page.waitForTimeout(seconds * 500);
  await press(page, "Restore node-02");
  await press(page, "Deploy v3");
  await page.waitForTimeout(seconds * 500);
  // On a busy machine the presses take their time too.
  const [spoken, watched] = await page.evaluate(() => [window.spoken, performance.now() - window.watchedFrom]);
  assert.ok(spoken.length >= 2, "something was said");
  const most = Math.max(seconds, watched / 1000) / 3;
  assert.ok(spoken.length <= most, `${spoken.length} announcements in ${Math.round(watched)} ms: ${JSON.stringify(spoken)}`);
  assert.ok(spoken.some(([, text]) => /node-02|ready|rollout/.test(text)));
}, { ready: true }));

for (const [width, height, context] of [[1440, 900], [1024, 768], [390, 844, { hasTouch: true, isMobile: true }], [320, 640, { hasTouch: true, isMobile: true }]]) {
  test(`every target is at least 24 pixels, and nothing is cut off, at ${width} by ${height}`, async () => {
    const open = await openPage(own.browser, own.url, { width, height, context });
    const { page } = open;
    await waitForStart(page);
    await speed(page, 4);
    await untilReady(page, 3);
    await page.evaluate(() => document.querySelectorAll("details").forEach((fold) => { fold.open = true; }));
    const small = await page.evaluate(() => [...document.querySelectorAll("#app button, #app a[href], #app input, #app select, #app summary, #app [tabindex='0']")]
      // What is not shown at this width is no target.
      .filter((target) => target.checkVisibility())
      .map((target) => ({ name: target.getAttribute("aria-label") ?? target.textContent ?? target.id, box: target.getBoundingClientRect() }))
      .filter(({ box }) => box.width < 24 || box.height < 24)
      .map(({ name, box }) => `${name}: ${box.width} by ${box.height}`));
    assert.deepEqual(small.filter((name) => !/^Skip to/.test(name)), []);
    const cut = await page.evaluate(() => [...document.querySelectorAll("#app button, .gauge h2, .gauge .state, .tools, .transport, .words .note, .faults p, .legend")]
      .filter((part) => part.scrollWidth > part.clientWidth + 1 && part.clientWidth > 0 && !part.closest(".pod, .plane"))
      .map((part) => `${part.className || part.tagName} "${part.textContent}": ${part.scrollWidth} in ${part.clientWidth}`));
    assert.deepEqual(cut, []);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), width);
    assertQuiet(open);
    await open.close();
  });
}

test("a machine that does not keep up says so, and leaves the slider its place on a small phone", async () => {
  const open = await openPage(own.browser, own.url, { width: 320, height: 640, context: { hasTouch: true, isMobile: true } });
  const { page } = open;
  await waitForStart(page);
  const tools = await page.context().newCDPSession(page);
  await tools.send("Emulation.setCPUThrottlingRate", { rate: 12 });
  await speed(page, 60);
  await page.getByText(/^×[\d.]+ of ×60$/).waitFor({ state: "visible" });
  assert.ok((await page.getByRole("slider", { name: "Speed" }).boundingBox()).width >= 24);
  assertQuiet(open);
  await open.close();
});

test("sixty times as fast, or as fast as the machine can", () => visit(async (page) => {
  const slider = page.getByRole("slider", { name: "Speed" });
  await slider.focus();
  await page.keyboard.press("ArrowRight");
  assert.ok(await page.getByText("×2", { exact: true }).isVisible());
  await page.keyboard.press("End");
  assert.equal(await slider.getAttribute("aria-valuetext"), "60 times");
  const [from, began] = [await clock(page), Date.now()];
  await until(() => clock(page), (at) => at > from + 40);
  assert.ok(Date.now() - began < 20_000);
}));

test("the same seed gives the same events again, and another seed others", async () => {
  await visit(async (page) => {
    await untilReady(page, 3);
    const first = await beginning(page);
    assert.ok(first.some((event) => /SuccessfulCreate Created pod: web-/.test(event)));
    await press(page, "Kill node-03");
    await untilEvent(page, /You cut the power of node-03/);
    await press(page, "Restart with seed 7");
    await until(() => nodeLabel(page, "node-03"), /machine on/);
    await untilReady(page, 3);
    assert.deepEqual(await beginning(page), first);
    assert.ok(!(await events(page)).some((event) => /cut the power/.test(event)));

    await visit(async (other) => {
      await untilReady(other, 3);
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
  assert.ok(await page.getByText("Classroom timing: node loss is noticed after 4 s, not 50 s.").isVisible());
  await timing.getByRole("button", { name: "Real" }).click();
  assert.deepEqual(await pressed(), ["false", "true"]);
  assert.ok(await page.getByText("Real timing: node loss is noticed after 50 s, as by default.").isVisible());
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
  // While time stands still, what is told stays on top; and nothing else may change the number.
  await page.getByText("Autoscaler", { exact: true }).click();
  await press(page, "Pause");
  const replicas = page.getByRole("textbox", { name: "Replicas" });
  const load = page.getByRole("textbox", { name: /^User load/ });
  const set = async (field, text) => { await field.fill(text); await page.keyboard.press("Enter"); };
  await set(replicas, "many");
  await until(() => replicas.inputValue(), /^3$/);
  await set(replicas, "-5");
  await untilEvent(page, /You set deployment web to 0 replicas\. you$/);
  await set(replicas, "999");
  await untilEvent(page, /You set deployment web to 200 replicas\. you$/);
  await set(load, "99999999");
  await untilEvent(page, /You set the load on web to \d+ requests per second\. you$/);
  await until(() => page.getByRole("slider", { name: "User load" }).inputValue(), (notch) => notch === String(loads.length - 1));

  // Three nodes of 4 CPU hold 48 pods of 250m; the scheduler says why the others wait.
  await press(page, "Play");
  const waiting = page.getByRole("region", { name: "Waiting for a node" });
  await until(() => waiting.innerText(), /0\/3 nodes are available: 3 Insufficient cpu\./);
  await until(() => waiting.innerText(), /152 pods/, { timeout: 30_000 });
  await until(() => balancer(page), /48 ready endpoints$/, { timeout: 30_000 });
}, { ready: true }));

test("replicas by hand, and the autoscaler off and on", () => visit(async (page) => {
  const autoscaler = page.getByRole("switch", { name: "Autoscaler" });
  await page.getByText("Autoscaler", { exact: true }).click();
  assert.equal(await autoscaler.isChecked(), false);
  await untilCounter(page, "Target replicas", /No autoscaler: it stays as it is set\.$/);
  await untilCounter(page, "Average CPU", /No autoscaler watches it$/);
  await press(page, "One replica more");
  await untilCounter(page, "Target replicas", /^Target replicas 4 by you/);
  await press(page, "One replica more");
  await untilReady(page, 5);
  await until(() => balancer(page), /5 ready endpoints$/);
  await page.getByText("Autoscaler", { exact: true }).click();
  await untilCounter(page, "Target replicas", /The HPA keeps it between 3 and 20/);
  await speed(page, 10);
  await untilEvent(page, /New size: \d; reason: All metrics below target/);
  await untilReady(page, 3);
}, { ready: true }));

test("the autoscaler's bounds and target are edited, and what can't be is told", () => visit(async (page) => {
  await page.locator("summary[aria-label='Bounds of the autoscaler']").click();
  const set = async (name, text) => {
    await page.getByRole("textbox", { name, exact: true }).fill(text);
    await page.keyboard.press("Enter");
  };
  await set("Max", "5");
  await untilCounter(page, "Target replicas", /The HPA keeps it between 3 and 5\.$/);
  await set("Min", "4");
  await untilCounter(page, "Target replicas", /^Target replicas 4 by HPA The HPA keeps it between 4 and 5\.$/);
  await set("CPU target %", "50");
  await untilCounter(page, "Average CPU", /Target 50%\./);
  await set("Min", "9");
  await until(() => hint(page), /^Not done: .*minReplicas|^Not done: .*maxReplicas/);
  await untilCounter(page, "Target replicas", /between 4 and 5\.$/);
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
  await until(() => page.getByRole("tab", { name: "Details" }).getAttribute("aria-selected"), /true/);
  await page.keyboard.press("Escape");
  await until(focused, /^v1\s/);
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
    await until(() => page.getByRole("group", { name: "Break something" }).innerText(), new RegExp(`Pod\\s+${name}\\s`));
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

test("another scenario is chosen on top: orders on a Friday, at the service's own address", () => visit(async (page) => {
  await page.getByRole("combobox", { name: "Scenario" }).selectOption("Order service on Friday");
  await page.waitForURL(/\?scenario=order-service$/);
  await waitForStart(page);
  await until(() => balancer(page), /order-service:8080 3 ready endpoints/);
  await speed(page, 10);
  const replicas = page.getByRole("textbox", { name: "Replicas" });
  await until(() => replicas.inputValue(), /^10$/, { timeout: 30_000 });
  assert.match(await counter(page, "Target replicas"), /by HPA/);
}));

test("the autoscaler goes by memory or by requests per second as well", () => visit(async (page) => {
  await page.locator("summary").filter({ hasText: "3–20, 70%" }).click();
  const metric = page.getByRole("combobox", { name: "Metric" });
  await metric.selectOption("memory");
  await until(() => counter(page, "Average CPU"), /HPA: memory 70%/);
  await metric.selectOption("requests");
  await until(() => counter(page, "Average CPU"), /HPA: 20 requests\/s per pod/);
  await hands[0].type(page, "Req/s per pod", "2");
  await speed(page, 10);
  // 10 requests per second, 2 for each pod.
  await until(() => counter(page, "Target replicas"), /^Target replicas[^0-9]*5\b/s, { timeout: 30_000 });
}, { ready: true }));
