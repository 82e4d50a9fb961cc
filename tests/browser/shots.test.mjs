// What the page looks like in the states that matter: pictures for the documents, nothing that assistive technology
// can't use, and nothing that a narrow screen must scroll sideways for. Time is the test's own here, so that every
// run shows the same. `cargo xtask shots` keeps the pictures.

import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { assertQuiet, openPage, setUp, violations } from "./page.mjs";
import { balancer, counter, nodeLabel, press, tiles, until } from "./person.mjs";
import { small } from "./png.mjs";

const keep = process.env.SETPOINT_SHOTS;
/** Most bytes of a picture: they are all in the repository. */
const BYTES_MAX = 120_000;

const own = setUp();

/** Lets the page's time pass until what is read satisfies `wanted`, and then `more` milliseconds. */
async function pass(page, read, wanted, more = 0) {
  for (let step = 0; step < 600; step += 1) {
    if (wanted.test(await read())) {
      await page.clock.runFor(more);
      return;
    }
    await page.clock.runFor(100);
  }
  assert.fail(`${wanted} did not come within a minute; there was: ${await read()}`);
}
const says = (page, title) => () => counter(page, title);

/** Types a load into its field. */
async function typeLoad(page, rps) {
  await page.getByRole("textbox", { name: /^User load/ }).fill(String(rps));
  await page.keyboard.press("Enter");
  await page.clock.runFor(400);
}

/** The states, each from the converged cluster on; on a phone the picture shows the named part. */
const states = [
  { name: "start", enter: (page) => page.clock.runFor(6_000) },
  {
    name: "rollout", scroll: "Cluster",
    async enter(page) {
      await typeLoad(page, 60);
      await page.clock.runFor(2_000);
      await press(page, "Deploy v2");
      await pass(page, says(page, "Version"), /Rolling out v1 2 → v2 2/, 400);
    },
  },
  {
    name: "dead-node", scroll: "Cluster",
    async enter(page) {
      await press(page, "Kill node-02");
      await pass(page, () => nodeLabel(page, "node-02"), /NotReady/);
      await pass(page, () => balancer(page), /2 ready endpoints/);
      await pass(page, () => tiles(page).count().then(String), /4/, 1_000);
    },
  },
  {
    // More load than the nodes hold pods for.
    name: "overload",
    async enter(page) {
      await press(page, "Kill node-02");
      await press(page, "Kill node-03");
      await typeLoad(page, 1000);
      await pass(page, () => page.getByRole("region", { name: "Waiting for a node" }).innerText(), /\d+ pods?\s/, 1_000);
    },
  },
  {
    name: "inspector", scroll: "Events and details",
    async enter(page) {
      await typeLoad(page, 300);
      await press(page, "Average CPU");
      await pass(page, says(page, "Target replicas"), /[5-9] by HPA/, 1_000);
    },
  },
  {
    // What is watched, while a node dies.
    name: "terminal", scroll: "History, kubectl and manifests",
    async enter(page) {
      await page.getByRole("tab", { name: "kubectl" }).click();
      await page.clock.runFor(400);
      await page.getByRole("textbox", { name: /^kubectl command/ }).fill("kubectl get pods -w");
      await page.keyboard.press("Enter");
      await press(page, "One replica more");
      await press(page, "Kill node-02");
      await pass(page, () => nodeLabel(page, "node-02"), /NotReady/, 4_000);
    },
  },
  {
    name: "manifest", scroll: "History, kubectl and manifests",
    async enter(page) {
      await page.getByRole("tab", { name: "Manifests" }).click();
      await page.clock.runFor(400);
      await page.getByRole("combobox", { name: "File" }).selectOption("broken-typo.yaml");
      await page.clock.runFor(800);
      await press(page, "Apply");
      await page.clock.runFor(800);
    },
  },
  { name: "stateful", scenario: "stateful", scroll: "Cluster", enter: (page) => page.clock.runFor(9_000) },
  { name: "batch", scenario: "batch", scroll: "Cluster", enter: (page) => page.clock.runFor(9_000) },
  { name: "crowded", scenario: "crowded", scroll: "Cluster", enter: (page) => page.clock.runFor(37_000) },
  {
    name: "crash",
    async enter(page) {
      await page.clock.runFor(2_000);
      await page.evaluate(() => window.setpointCrashed("panicked at crates/sim/src/sim.rs:142:9:\nreplicas out of range"));
    },
    crashed: true,
  },
];

/** Converges a page whose time stands still, and brings it into the state. */
async function open(state, size) {
  const found = await openPage(own.browser, `${own.url}?scenario=${state.scenario ?? "welcome"}`, {
    ...size,
    prepare: async (page) => {
      await page.clock.install({ time: 0 });
      await page.clock.pauseAt(1000);
    },
  });
  const { page } = found;
  await until(() => page.locator("#boot-loading").count(), (count) => count === 0);
  await pass(page, says(page, "Requests"), /[1-9]\d* served\/s, load 10\/s/);
  await pass(page, says(page, "Healthy pods"), /^Healthy pods (\d) of \1/);
  await state.enter(page);
  await page.mouse.move(0, 0);
  await page.evaluate(() => document.activeElement.blur());
  return found;
}

/** Puts on a theme, and waits for what moves because of that. */
async function wear(page, theme) {
  await page.emulateMedia({ colorScheme: theme });
  await page.evaluate(() => Promise.allSettled(document.getAnimations().map((moving) => moving.finished)));
}

/** Stops the cluster if it still runs, and lets the browser's own time go on, which axe needs. */
async function hold(page, state) {
  if (!state.crashed) await press(page, "Pause");
  await page.clock.resume();
}

const themes = ["light", "dark"];
const screens = [
  { width: 1440, height: 900 },
  { width: 1024, height: 768 },
  { width: 390, height: 844, context: { hasTouch: true, isMobile: true } },
];
for (const state of states) {
  for (const screen of screens) {
    test(`pictures: ${state.name}, ${screen.width} pixels wide`, async () => {
      const found = await open(state, screen);
      const { page } = found;
      // What was pressed on the way may have been scrolled to.
      await page.evaluate(() => scrollTo(0, 0));
      if (state.scroll && screen.context) {
        await page.getByLabel(state.scroll, { exact: true }).evaluate((part) => part.scrollIntoView());
      }
      for (const theme of themes) {
        await wear(page, theme);
        // The dots get the theme's colours a moment later.
        await page.clock.runFor(250);
        const picture = small(await page.screenshot({ animations: "disabled" }));
        const name = `${state.name}-${screen.width}-${theme}.png`;
        assert.ok(picture.length < BYTES_MAX, `${name} has ${picture.length} bytes`);
        if (keep) {
          await mkdir(keep, { recursive: true });
          await writeFile(join(keep, name), picture);
        }
      }
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), screen.width);
      await hold(page, state);
      // What is half below the bar that stays at hand on a phone would count as too small.
      await page.evaluate(() => scrollTo(0, 0));
      assert.deepEqual(await violations(page), []);
      assertQuiet(found);
      await found.close();
    });
  }

  test(`usable by all at 320, 768 and 1280 pixels in both themes: ${state.name}`, async () => {
    const found = await open(state, { width: 1280, height: 800 });
    const { page } = found;
    await hold(page, state);
    const problems = [];
    for (const width of [320, 768, 1280]) {
      for (const theme of themes) {
        await page.setViewportSize({ width, height: 800 });
        await wear(page, theme);
        problems.push(...(await violations(page)).map((line) => `${width} ${theme}: ${line}`));
        const wide = await page.evaluate(() => document.documentElement.scrollWidth);
        if (wide > width) problems.push(`${width} ${theme}: ${wide} pixels wide`);
      }
    }
    assert.deepEqual(problems, []);
    assertQuiet(found);
    await found.close();
  });
}
