// Looking closely: details of anything, why something happened, what can be done about it, the feed, and the address.

import assert from "node:assert/strict";
import { test } from "node:test";
import { assertQuiet, incomplete, openPage, setUp, shot, violations, waitForStart } from "./page.mjs";
import {
  chain, detail, details, eventRow, events, focused, node, nodeLabel, onceReady, press, speed, tiles, until, untilEvent, untilReady, walkTo,
} from "./person.mjs";

const own = setUp();

const converged = (use, options) => onceReady(own.browser, own.url, use, options);
/** Waits until the focus is on what is called so. */
const untilFocus = (page, name) => until(() => focused(page), (found) => (name instanceof RegExp ? name.test(found) : name === found), { what: `the focus on ${name}`, timeout: 3_000 });
const hash = (page) => page.evaluate(() => location.hash);
const tab = (page, name) => page.getByRole("tab", { name, exact: true });
const chosen = (page, name) => tab(page, name).getAttribute("aria-selected");
/** The name of a node's pod, as the details' heading says it. */
const heading = (page) => details(page).getByRole("heading", { level: 2 }).innerText();

test("a pod by mouse: what is wanted and what is, whose it is, what it waits for; and back", () => converged(async (page) => {
  const cluster = await page.getByRole("region", { name: "Cluster" }).boundingBox();
  const tile = tiles(node(page, "node-02")).first();
  await tile.click();
  assert.equal(await chosen(page, "Details"), "true");
  assert.equal(await tile.getAttribute("aria-pressed"), "true");
  assert.match(await heading(page), /^web-\w+-\w{5}$/);
  assert.match(await detail(page), /^Pod Ready YAML why\? web-\w+-\w{5} Owned by Deployment web › ReplicaSet web-\w+ /);
  const spec = await detail(page, "Spec against status");
  assert.match(spec, /Wanted Is image web:v1 web:v1 node any that fits node-02 /);
  assert.match(await detail(page, "Conditions"), /Ready True/);
  assert.match(await detail(page, "Timers"), /readiness probe in \d\.\d s .* every 1 s here; upstream every 10 s/);
  assert.match(await detail(page, "Last decision"), /Scheduled to node-02 .* score .* TaintToleration/);
  assert.match(await detail(page, "Events"), /Started Container started/);
  assert.deepEqual(await page.getByRole("region", { name: "Cluster" }).boundingBox(), cluster, "the cluster stays where it is");

  // Owners lead further, and the choice is in the address.
  await details(page).getByRole("button", { name: "Deployment web" }).click();
  assert.equal(await heading(page), "web");
  assert.match(await detail(page, "Spec against status"), /replicas 3 3 updated 3 3 ready 3 3 available 3 3 /);
  assert.match(await detail(page, "Revisions"), /^Revisions Revision 1 v1 3 pods current$/);
  await until(() => hash(page), (found) => found === "#select=deployment/default/web");
  await details(page).getByRole("button", { name: "Close details" }).click();
  assert.equal(await chosen(page, "Events"), "true");
  await until(() => hash(page), (found) => found === "");
}));

test("timers run, and the pod that is gone stays as it was last seen", () => converged(async (page) => {
  await tiles(node(page, "node-02")).first().click();
  const left = async () => Number(/readiness probe in (\d\.\d) s/.exec(await detail(page, "Timers"))[1]);
  const seen = new Set();
  await until(async () => seen.add(await left()).size, (size) => size >= 3);
  assert.ok([...seen].every((seconds) => seconds <= 1));
  const name = await heading(page);
  await details(page).getByRole("button", { name: /^Delete / }).click();
  await until(() => detail(page), /^Pod (Terminating|Deleted).*/);
  await speed(page, 10);
  await until(() => detail(page), /Deleted\. This is how it was last seen\./);
  assert.equal(await heading(page), name);
  assert.match(await detail(page, "Spec against status"), /image web:v1 web:v1 node any that fits node-02 /, "what it was is still there");
  assert.equal(await details(page).getByRole("button", { name: /^Crash / }).count(), 0, "nothing can be done to it any more");
  await untilEvent(page, new RegExp(`You deleted pod ${name}\\. you$`));
}));

test("nodes, the Service, a component and the autoscaler by mouse", () => converged(async (page) => {
  await page.getByRole("button", { name: /^Node node-01, Ready/ }).click();
  assert.match(await detail(page, "Belief and truth"), /The cluster believes The machine is machine Node says Ready power on/);
  assert.match(await detail(page, "Timers"), /monitor grace .* 4 s here; upstream 50 s \(--node-monitor-grace-period\)/);
  assert.match(await detail(page, "Runs"), /Pod web-\S+ Ready/);

  await page.getByRole("button", { name: "web:80", exact: true }).click();
  assert.match(await detail(page), /^Service 3 ready/);
  await details(page).getByRole("button", { name: /^Pod web-/ }).first().click();
  assert.match(await detail(page), /^Pod Ready/);

  await page.getByRole("region", { name: "Control plane" }).getByRole("button", { name: /^ReplicaSet/ }).click();
  const words = await detail(page);
  assert.match(words, /^Controller runs .* thermostat, for a number of pods.* in queue \d+ at work \d+ runs \d+ found nothing to do \d+ /);
  assert.match(words, /Observe, compare, act .* Observe want 3 have 3 Diff none Act nothing to do/);
  await details(page).getByRole("button", { name: /^Stop / }).click();
  await until(() => detail(page), /^Controller stopped/);
  await untilEvent(page, /You stopped replicaset-controller\. you$/);
  await tab(page, "Details").click();
  await details(page).getByRole("button", { name: /^Start / }).click();
  await until(() => detail(page), /^Controller runs/);

  await page.getByRole("button", { name: "Target replicas" }).click();
  assert.match(await detail(page), /^Deployment /);
}));

test("why: from a new pod back to the click that killed the node, and as text", () => converged(async (page) => {
  await press(page, "Kill node-02");
  await speed(page, 4);
  await untilEvent(page, /TaintManagerEviction /);
  const ready = await untilEvent(page, /SuccessfulCreate .* Created pod: web-\S+ /, { what: "a new pod" });
  const name = /Created pod: (\S+)/.exec(ready)[1];
  await untilEvent(page, new RegExp(`Started .* Pod/${name} `));
  await eventRow(page, new RegExp(`Started[\\s\\S]*${name}`)).getByRole("button", { name: /^why\?/ }).click();
  await untilFocus(page, "Why did this happen?");
  const links = await chain(page);
  assert.match(links[0], new RegExp(`^kubelet on node-0[13] started a container of ${name} `));
  assert.match(links.at(-1), /^You cut the power of node-02 \d+:\d\d\.\d It began here$/);
  for (const wanted of [/^Scheduler chose node-0[13]/, /^ReplicaSet controller wanted 3, had 2, created 1/, /^Taint eviction deleted web-/, /^Node lifecycle controller marked node-02 unreachable/]) {
    assert.ok(links.some((link) => wanted.test(link)), `${wanted} in ${links.join("\n")}`);
  }
  await press(page, "Copy as text");
  await until(() => details(page).getByRole("status").innerText(), /^Copied$/);
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  assert.match(copied, /^\d+:\d\d\.\d {2}kubelet on [\s\S]*\n\d+:\d\d\.\d {2}You cut the power of node-02\n$/);

  await details(page).getByRole("button", { name: "Back" }).click();
  assert.equal(await chosen(page, "Events"), "true");
  await untilFocus(page, /^why\? Started$/);
  // The pod itself can be asked as well, and each link leads to its object.
  await eventRow(page, new RegExp(`Started[\\s\\S]*${name}`)).getByRole("button", { name: `Pod/${name}`, exact: true }).click();
  assert.equal(await heading(page), name);
  await details(page).getByRole("button", { name: `why? ${name}` }).click();
  assert.match((await chain(page)).at(-1), /^You cut the power of node-02 /);
  await details(page).getByRole("button", { name: "node-02", exact: true }).last().click();
  assert.match(await detail(page), /^Node /);
}, { context: { permissions: ["clipboard-read", "clipboard-write"] } }));

test("a new pod tells how it came to be: from the click through controllers, API server, scheduler and kubelet, each with its time", () => converged(async (page) => {
  await page.getByRole("switch", { name: "Autoscaler" }).click();
  const created = async () => (await events(page)).flatMap((event) => /Created pod: (\S+)/.exec(event)?.[1] ?? []);
  await until(created, (names) => names.length === 3);
  await press(page, "One replica more");
  const [name] = await until(created, (names) => names.length === 4);
  await page.getByRole("button", { name: new RegExp(`, pod ${name}`) }).click();
  const way = details(page).getByRole("group").filter({ hasText: "How it came to be" });
  await way.getByText("How it came to be").click();
  const steps = async () => (await way.getByRole("listitem").allInnerTexts()).map((step) => step.replace(/\s+/g, " ").trim());
  await until(steps, (found) => / found web-/.test(found.join(" ")) && /EndpointSlice/.test(found.at(-1)));
  const time = String.raw`\+(\d+ ms|\d+\.\d s)`;
  const wanted = [
    String.raw`\+0 You set deployment web to 4 replicas`,
    `${time} Deployment controller scaled web-\\w+ up from 3 to 4`,
    `${time} ReplicaSet controller wanted 4, had 3, created 1 of replicaset web-\\w+`,
    `${time} API server stored the new pod ${name}`,
    `${time} Scheduler chose node-0\\d: score \\d+.*`,
    `${time} API server stored the binding of ${name} to node-0\\d`,
    `${time} kubelet on node-0\\d had nothing to pull: Container image "web:v1" already present on machine.*`,
    `${time} kubelet on node-0\\d started a container of ${name}`,
    `${time} kubelet on node-0\\d found ${name} ready, and told the API server`,
    `${time} EndpointSlice controller listed it among the ready endpoints of web`,
  ];
  const told = (await steps()).filter((step) => !/Readiness probe failed/.test(step));
  assert.equal(told.length, wanted.length, told.join("\n"));
  for (const [at, step] of wanted.entries()) assert.match(told[at], new RegExp(`^${step}$`));
  await shot(page, "way");
  assert.deepEqual(await violations(page), []);
  // A step leads to its thing, and a chain of causes tells how long after the act each link was.
  await way.getByRole("button", { name: /^node-0\d$/ }).first().click();
  assert.match(await detail(page), /^Node /);
  await untilEvent(page, new RegExp(`Started .* Pod/${name} `));
  await eventRow(page, new RegExp(`Started[\\s\\S]*${name}`)).getByRole("button", { name: /^why\?/ }).click();
  const links = await chain(page);
  assert.match(links[0], new RegExp(String.raw` \d+:\d\d\.\d ${time}$`));
  assert.match(links.at(-1), /It began here$/);
}));

test("a resync every ten seconds is a choice: every loop looks again, and lights its four phases", () => converged(async (page) => {
  await page.getByRole("region", { name: "Control plane" }).getByRole("button", { name: /^ReplicaSet/ }).click();
  const turn = details(page).getByRole("listitem").filter({ hasText: "Repeat" });
  const words = async () => (await turn.innerText()).replace(/\s+/g, " ");
  await until(words, /Observe want 3 have 3 Diff none Act nothing to do Repeat on change, or all every 12 h$/);
  assert.ok(!/by resync/.test(await detail(page)), "nobody has asked for one");
  const choice = details(page).getByRole("button", { name: /^Resync every 10 s Not upstream's default/ });
  await choice.click();
  await until(words, /Repeat on change, or all in \d+ s$/);
  await speed(page, 4);
  await until(words, /Observe want 3 have 3 by resync Diff none Act nothing to do Repeat on change, or all in \d+ s$/);
  const times = async () => (await details(page).getByRole("listitem").filter({ hasText: "by resync" }).allInnerTexts())
    .map((run) => { const [, minutes, seconds] = /^(\d+):([\d.]+)/.exec(run); return Number(minutes) * 60 + Number(seconds); });
  const found = await until(times, (all) => all.length >= 3);
  assert.ok(found.slice(1).every((at, before) => Math.abs(found[before] - at - 10) < 0.2), String(found));
  // Each phase is lit in its turn by an animation that begins half a second after the one before; the last one stays lit.
  const lit = await turn.locator("dl > div").evaluateAll((all) => all.map((phase) => {
    const { animationName, animationDelay } = getComputedStyle(phase);
    return `${phase.firstElementChild.textContent} ${animationName} ${animationDelay}`;
  }));
  assert.deepEqual(lit, ["Observe lit 0s", "Diff lit 0.5s", "Act lit 1s", "Repeat lit-last 1.5s"]);
  await shot(page, "resync");
  assert.deepEqual(await violations(page), []);
  await details(page).getByRole("button", { name: /^Resync every 12 h Upstream's default/ }).click();
  await until(words, /Repeat on change, or all every 12 h$/);
  await untilEvent(page, /You set .*resync.* you$/);
}));

test("without a clipboard the chain is selected, to be copied by hand", () => converged(async (page) => {
  await eventRow(page, "Scheduled").getByRole("button", { name: /^why\?/ }).click();
  await press(page, "Copy as text");
  await until(() => details(page).getByRole("status").innerText(), /^Selected: copy it from there$/);
  assert.match(await page.evaluate(() => String(getSelection()).trim()), /^Scheduler chose node-0[\s\S]*The scenario created Deployment web/);
}, { prepare: (page) => page.addInitScript(() => Object.defineProperty(navigator, "clipboard", { value: undefined })) }));

test("why by keyboard alone: into the feed, to the chain, and back to the line", () => converged(async (page) => {
  await tab(page, "Events").focus();
  await page.keyboard.press("Tab");
  await untilFocus(page, /Warnings/);
  await page.keyboard.press("Tab");
  await page.keyboard.type("Scheduled");
  await page.keyboard.press("Tab");
  await untilFocus(page, "Events, newest first");
  await walkTo(page, "ArrowDown", /^why\? Scheduled$/);
  await page.keyboard.press("Enter");
  await untilFocus(page, "Why did this happen?");
  assert.match((await chain(page)).at(-1), /^The scenario created Deployment web .* It began here$/);
  await walkTo(page, "Tab", /^web-/);
  await page.keyboard.press("Enter");
  await untilFocus(page, /^web-/);
  assert.match(await detail(page), /^(Pod|ReplicaSet|Deployment) /);
  await page.keyboard.press("Escape");
  await untilFocus(page, "why? Scheduled");
}));

test("a pod, a node and a component by keyboard alone, and acts on them", () => converged(async (page) => {
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await walkTo(page, "Tab", /^Node node-01/);
  await walkTo(page, "ArrowRight", /^Node node-02/);
  await page.keyboard.press("Enter");
  await untilFocus(page, "node-02");
  assert.match(await detail(page), /^Node Ready/);
  await walkTo(page, "Tab", /^Cordon /);
  await page.keyboard.press("Enter");
  await until(() => focused(page), /^Uncordon /);
  await until(() => detail(page), /^Node Ready, ?SchedulingDisabled|Cordoned|no new pods/i);
  await page.keyboard.press("Escape");
  await untilFocus(page, /^Node node-02/);
  assert.equal(await chosen(page, "Events"), "true");
  await untilEvent(page, /You cordoned node-02\. you$/);

  await node(page, "node-02").getByRole("button", { name: /^Node node-02/ }).focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  const name = await heading(page);
  await walkTo(page, "Tab", /^Crash /);
  await page.keyboard.press("Enter");
  await untilEvent(page, new RegExp(`You crashed pod ${name}\\. you$`));
  // Tabs are one stop; the arrow keys choose.
  await tab(page, "Events").focus();
  await page.keyboard.press("ArrowRight");
  assert.equal(await chosen(page, "Details"), "true");
  await untilFocus(page, "Details");
  assert.equal(await heading(page), name);
  await walkTo(page, "Tab", /^Hang /);
  await page.keyboard.press("Enter");
  await untilEvent(page, new RegExp(`You made pod ${name} hang\\. you$`));
}));

test("a node is cordoned and drained from its details, and comes back", () => converged(async (page) => {
  await page.getByRole("button", { name: /^Node node-02, Ready/ }).click();
  await details(page).getByRole("button", { name: /^Drain / }).click();
  await untilEvent(page, /You began to drain node-02\. you$/);
  await until(() => node(page, "node-02").innerText(), /No Pods Scheduled/);
  await speed(page, 4);
  await untilReady(page, 3);
  await tab(page, "Details").click();
  assert.match(await detail(page, "Belief and truth"), /≠ takes new pods yes no/);
  await details(page).getByRole("button", { name: /^Uncordon / }).click();
  await until(() => detail(page, "Belief and truth"), / takes new pods yes yes/);
  await details(page).getByRole("button", { name: /^Kill / }).click();
  await until(() => nodeLabel(page, "node-02"), /machine off/);
  await until(() => detail(page, "Belief and truth"), /≠ machine Node says Ready no power/);
  await details(page).getByRole("button", { name: /^Restore / }).click();
  await until(() => nodeLabel(page, "node-02"), /machine on/);
}));

test("a Deployment goes back to any of its revisions", () => converged(async (page) => {
  await press(page, "Deploy v2");
  await page.getByRole("button", { name: "Version", exact: true }).click();
  await until(() => detail(page, "Spec against status"), /≠ image web:v2 /);
  await details(page).getByRole("button", { name: /^Pause / }).click();
  await details(page).getByRole("button", { name: /^Resume / }).click();
  await speed(page, 4);
  await until(() => detail(page, "Revisions"), /^Revisions Revision 2 v2 3 pods current Revision 1 v1 0 pods Roll back to 1$/);
  await details(page).getByRole("button", { name: "Roll back to 1" }).click();
  await until(() => detail(page, "Revisions"), /^Revisions Revision 3 v1 3 pods current Revision 2 v2 0 pods Roll back to 2$/);
  await untilEvent(page, /You rolled deployment web back to revision 1\. you$/);
}));

test("the feed is narrowed by object, and keeps still while it is read", () => converged(async (page) => {
  const row = eventRow(page, "Scheduled");
  const object = await row.getByRole("button", { name: /^Pod\/web-/ }).innerText();
  await row.getByRole("button", { name: `Only ${object}` }).click();
  assert.equal(await page.getByRole("searchbox", { name: "Filter events" }).inputValue(), object);
  const found = await until(() => events(page), (all) => all.length > 2 && all.every((event) => event.includes(object)));
  assert.ok(found.some((event) => /Started/.test(event)));
  await until(() => hash(page), (found) => found === `#filter=${object}`);
  await page.getByRole("searchbox", { name: "Filter events" }).fill("");

  const list = page.getByRole("list", { name: "Events, newest first" });
  await list.hover();
  await page.mouse.wheel(0, 150);
  await until(() => list.evaluate((element) => element.scrollTop), (top) => top > 100);
  const place = async () => (await eventRow(page, object).boundingBox()).y;
  // The wheel takes a while to come to rest.
  let before;
  await until(async () => {
    const last = before;
    before = await place();
    await page.waitForTimeout(200);
    return before === last;
  }, (rests) => rests);
  await press(page, "Deploy v2");
  await speed(page, 4);
  const news = page.getByRole("button", { name: /^↑ \d+ new$/ });
  await until(async () => (await news.count()) && Number(/\d+/.exec(await news.innerText())[0]), (count) => count >= 5);
  assert.equal(await place(), before, "what is read stays where it is");
  await news.click();
  await untilEvent(page, /You deployed web:v2 to deployment web\. you$/);
  assert.equal(await list.evaluate((element) => element.scrollTop), 0);
}));

test("the address brings back what was chosen, and survives nonsense", async () => {
  await converged(async (page) => {
    assert.equal(await chosen(page, "Events"), "true");
    assert.equal(await page.getByRole("button", { name: "▲ Warnings" }).getAttribute("aria-pressed"), "true");
    assert.equal(await page.getByRole("searchbox", { name: "Filter events" }).inputValue(), "probe failed");
    await until(() => events(page), (all) => all.length > 0 && all.every((event) => /Unhealthy .*probe failed/.test(event)));
    await tab(page, "Details").click();
    assert.equal(await heading(page), "node-03");
    assert.match(await page.getByRole("button", { name: /Restart/ }).first().getAttribute("aria-label"), /seed 7/);
    await until(() => hash(page), (found) => found === "#select=node/node-03&events=warnings&filter=probe%20failed&seed=7");
    await page.reload();
    await waitForStart(page);
    assert.equal(await heading(page), "node-03");
  }, { hash: "#select=node/node-03&tab=events&events=warnings&filter=probe%20failed&seed=7" });
  for (const nonsense of ["#select=pod&&&=%&tab=x&filter=%ff%", "#%E0%A4%A", "#select=%00/%00/%00", "#select=secret/a/b&x=1"]) {
    const open = await openPage(own.browser, own.url + nonsense, { width: 1440, height: 900 });
    await waitForStart(open.page);
    await open.page.getByRole("tab", { name: "Events" }).waitFor();
    assertQuiet(open);
    await open.close();
  }
});

test("on a phone the details are below, and the way there is one press", () => converged(async (page) => {
  const tile = tiles(node(page, "node-02")).first();
  await tile.scrollIntoViewIfNeeded();
  const before = await tile.boundingBox();
  await tile.click();
  assert.deepEqual(await tile.boundingBox(), before, "nothing moves and nothing covers it");
  await press(page, "Details below ↓");
  await untilFocus(page, /^web-/);
  await until(() => details(page).getByRole("heading", { level: 2 }).evaluate((element) => {
    const box = element.getBoundingClientRect();
    return box.top >= 0 && box.bottom <= innerHeight;
  }), (seen) => seen);
}, { width: 390, height: 844 }));

test("where there is room, events and details stand side by side", () => converged(async (page) => {
  const side = page.getByRole("complementary", { name: "Events and details" });
  const half = (name) => side.getByRole("region", { name, exact: true });
  await half("Events").getByRole("list", { name: "Events, newest first" }).waitFor();
  await tiles(node(page, "node-02")).first().click();
  const name = await half("Details").getByRole("heading", { level: 2 }).last().innerText();
  assert.match(name, /^web-/);
  await half("Events").getByRole("listitem").filter({ hasText: name }).first().getByRole("button", { name: /^why\?/ }).click();
  await until(() => half("Details").innerText(), /Why did this happen\?/);
  assert.equal(await half("Events").getByRole("listitem").filter({ hasText: name }).count() > 0, true);
  await half("Details").getByRole("button", { name: "Back" }).click();
  await until(() => half("Details").innerText(), new RegExp(name));
  assert.deepEqual(await violations(page), []);
  await page.setViewportSize({ width: 1440, height: 900 });
  await until(() => tab(page, "Details").count(), (count) => count === 1);
}, { width: 1920, height: 1080 }));

for (const theme of ["light", "dark"]) {
  for (const width of [320, 768, 1280]) {
    test(`assistive technology can use the details and a chain of causes, ${theme}, ${width} px`, () => converged(async (page) => {
      const clean = async (name) => {
        await shot(page, `${name}-${width}-${theme}`);
        // What is half below the bar that stays at hand on a phone would count as too small.
        await page.evaluate(() => scrollTo(0, 0));
        assert.deepEqual(await violations(page), []);
        assert.deepEqual(await incomplete(page, "aside.side"), []);
        assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "nothing is wider than the page");
      };
      await eventRow(page, "Scheduled").getByRole("button", { name: /^why\?/ }).click();
      await clean("why");
      await tiles(node(page, "node-02")).first().click();
      await clean("pod");
      await page.getByRole("region", { name: "Control plane" }).getByRole("button", { name: /^Scheduler/ }).click();
      await clean("component");
      await tab(page, "Events").click();
      await clean("events");
    }, { theme, width, height: 800 }));
  }
}
