// The page starts wherever it is put, keeps to itself, and says so when it can't start or has stopped.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { test } from "node:test";
import { assertClean, dist, openPage, setUp, shot, violations, waitForFirst, waitForText } from "./page.mjs";

const own = setUp({ base: "/a/deep/path/", strict: true });

/** The card's text, with its buttons. */
const card = (page) => page.getByRole("alertdialog");
const themes = ["light", "dark"];

for (const theme of themes) {
  test(`starts below a sub-path under the strictest policy, ${theme}`, async () => {
    const open = await openPage(own.browser, own.url, { theme });
    await waitForFirst(open.page);
    assert.equal(await card(open.page).isVisible(), false);
    await shot(open.page, `start-${theme}`);
    await assertClean(open);
    await open.close();
  });
}

test("the first load is index.html and what it names, nothing else", async () => {
  const open = await openPage(own.browser, own.url);
  await waitForFirst(open.page);
  await open.page.waitForLoadState("networkidle");
  const html = await readFile(join(dist, "index.html"), "utf8");
  const named = [...html.matchAll(/"\.\/([^"]+)"/g)].map((match) => new URL(match[1], own.url).href);
  const loaded = new Set(open.requests.filter((url) => !url.startsWith("data:")));
  assert.deepEqual([...loaded].sort(), [...new Set([own.url, ...named])].sort());
  await open.close();
});

const isRest = (url) => url.includes("/setpoint-rest-");

test("an untouched page runs without its second file, and fetches it when a person turns to it", async () => {
  const open = await openPage(own.browser, own.url);
  await waitForFirst(open.page);
  // The pods have started and the load has found them.
  await new Promise((resolve) => { setTimeout(resolve, 8_000); });
  assert.deepEqual(open.requests.filter(isRest), []);
  const fetched = open.page.waitForResponse((response) => isRest(response.url()));
  await open.page.mouse.move(300, 300);
  await (await fetched).finished();
  await open.page.waitForTimeout(500);
  await open.page.getByRole("button", { name: "Deploy v2" }).click();
  await waitForText(open.page, "Rolling out");
  assert.equal(open.requests.filter(isRest).length, 1);
  await assertClean(open);
  await open.close();
});

/** Opens the page, whose second file arrives as `arrive` has it. */
async function openLate(arrive, options) {
  const open = await openPage(own.browser, own.url, {
    prepare: (page) => page.route((url) => isRest(url.href), arrive), ...options,
  });
  await waitForFirst(open.page);
  return open;
}
/** Holds a route back until it is told to let go. */
function gate() {
  let go;
  const gone = new Promise((resolve) => { go = resolve; });
  return { go, arrive: (route) => gone.then(() => route.continue()) };
}

test("what a person does before the second file is there is done once it is", async () => {
  const { go, arrive } = gate();
  const open = await openLate(arrive);
  const { page } = open;
  await page.getByRole("button", { name: "Deploy v2" }).click();
  await waitForText(page, "The rest of the page is on its way");
  assert.deepEqual(await violations(page), []);
  await shot(page, "on-its-way");
  const speed = page.getByRole("slider", { name: "Speed" });
  const faster = Number(await speed.inputValue()) + 1;
  await speed.focus();
  await page.keyboard.press("ArrowRight");
  const load = page.getByRole("textbox", { name: /^User load/ });
  await load.click({ clickCount: 3 });
  // Slower than the page draws, which knows of another load.
  await page.keyboard.type("250", { delay: 400 });
  await page.keyboard.press("Enter");
  assert.equal(await load.inputValue(), "250");
  assert.equal(await page.getByText("Rolling out").count(), 0);
  go();
  await waitForText(page, "Rolling out");
  await page.locator("#boot-wait:empty").waitFor({ state: "attached" });
  await page.waitForTimeout(1_000);
  assert.equal(await load.inputValue(), "250");
  assert.equal(Number(await speed.inputValue()), faster);
  assert.equal(open.requests.filter(isRest).length, 1);
  await assertClean(open);
  await open.close();
});

test("a key for the whole page acts once, and scrolls nothing, before the second file is there", async () => {
  const { go, arrive } = gate();
  const open = await openLate(arrive, { height: 400 });
  await open.page.keyboard.press(" ");
  await waitForText(open.page, "The rest of the page is on its way");
  assert.equal(await open.page.evaluate(() => scrollY), 0);
  go();
  await open.page.getByRole("button", { name: "Play" }).waitFor();
  await assertClean(open);
  await open.close();
});

test("a second file that does not arrive is asked for until it does", async () => {
  const notice = "A part of the page did not arrive. It is asked for again";
  let [asked, isThere] = [0, false];
  const open = await openLate((route) => {
    asked += 1;
    return isThere ? route.continue() : route.abort();
  });
  const { page } = open;
  // A page that is only looked at has nothing to tell.
  await page.mouse.move(300, 300);
  await page.waitForTimeout(300);
  assert.equal(await page.locator("#boot-wait").innerText(), "");
  await page.getByRole("button", { name: "Deploy v2" }).click({ noWaitAfter: true });
  await waitForText(page, notice);
  isThere = true;
  await waitForText(page, "Rolling out");
  await page.locator("#boot-wait:empty").waitFor({ state: "attached" });
  assert.equal(await card(page).isVisible(), false);
  assert.ok(asked >= 2, "it was asked for again");
  await open.close();
});

/** Calls what is in the second file, as the page would by itself. */
const callRest = (page) => page.evaluate(async () => {
  const glue = await import(document.querySelector('link[data-boot="glue"]').href);
  try { glue.load_rest(); } catch { /* The card tells it. */ }
});

test("if the page itself needs its second file, it has it at once", async () => {
  const open = await openLate((route) => (route.request().url().endsWith(".wasm") ? route.continue() : undefined));
  const { page } = open;
  // The click waits for a file that does not come; the page does not wait for it.
  await page.getByRole("button", { name: "Deploy v2" }).click();
  await callRest(page);
  await waitForText(page, "Rolling out");
  await page.locator("#boot-wait:empty").waitFor({ state: "attached" });
  await open.close();
});

test("if the page itself needs its second file and has none, the card says so", async () => {
  const open = await openLate((route) => route.abort());
  await callRest(open.page);
  await card(open.page).waitFor({ timeout: 10_000 });
  assert.match(await card(open.page).innerText(), /A part of the page did not arrive/);
  await open.close();
});

test("says that it is starting while it does", async () => {
  // The wasm never arrives, so the page stays as a slow connection shows it.
  const open = await openPage(own.browser, own.url, {
    prepare: (page) => page.route("**/*.wasm", () => {}),
  });
  await waitForText(open.page, "Starting the cluster…");
  await shot(open.page, "loading");
  assert.deepEqual(await violations(open.page), []);
  await open.close();
});

for (const theme of themes) {
  test(`a panic shows the crash card over the page, ${theme}`, async () => {
    const open = await openPage(own.browser, `${own.url}?seed=7#from-a-link`, { theme });
    const { page } = open;
    await waitForFirst(page);
    await page.evaluate(async () => {
      window.setpointReport = "seed 7\n00:01 kill Node-02";
      const glue = await import(document.querySelector('link[data-boot="glue"]').href);
      try { glue.force_panic("replicas out of range"); } catch { /* the trap that follows the hook */ }
    });
    await waitForText(page, "Setpoint has stopped");
    const text = await card(page).innerText();
    assert.match(text, /panicked at .*\n?.*replicas out of range/);
    assert.equal(await page.evaluate(() => document.activeElement.id), "boot-panel");
    await shot(page, `crash-${theme}`);
    assert.deepEqual(await violations(page), []);

    // The page below is out of reach; the keyboard walks the card alone.
    const walk = [];
    for (let step = 0; step < 5; step += 1) {
      await page.keyboard.press("Tab");
      walk.push(await page.evaluate(() => document.activeElement.closest("#app") ? "app" : document.activeElement.id));
    }
    assert.deepEqual(walk.slice(0, 4), ["boot-message", "boot-reload", "boot-over", "boot-copy"]);
    assert.ok(!walk.includes("app"));

    await page.getByRole("button", { name: "Start over" }).click();
    await waitForFirst(page);
    assert.equal(page.url(), own.url);
    assert.equal(await card(page).isVisible(), false);
    await open.close();
  });
}

test("reload after a crash opens the same address again", async () => {
  const open = await openPage(own.browser, `${own.url}#from-a-link`);
  await waitForFirst(open.page);
  await open.page.evaluate(() => window.setpointCrashed("forced"));
  await open.page.getByRole("button", { name: "Reload" }).click();
  await waitForFirst(open.page);
  assert.equal(open.page.url(), `${own.url}#from-a-link`);
  assert.equal(await card(open.page).isVisible(), false);
  await open.close();
});

test("the report holds what it takes to see the error again", async () => {
  const open = await openPage(own.browser, `${own.url}#from-a-link`, {
    context: { permissions: ["clipboard-read", "clipboard-write"] },
  });
  const { page } = open;
  await waitForFirst(page);
  await page.evaluate(() => {
    window.setpointReport = "seed 7\n00:01 kill Node-02";
    window.setpointCrashed("first");
    window.setpointCrashed("second, a consequence");
  });
  await page.getByRole("button", { name: "Copy report" }).click();
  await waitForText(page, "Copied");
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  assert.match(copied, /^Setpoint stopped: first\n/);
  assert.match(copied, /#from-a-link/);
  assert.match(copied, /seed 7\n00:01 kill Node-02$/);
  assert.doesNotMatch(copied, /second/);
  await open.close();
});

test("without a clipboard the report is selected instead", async () => {
  const open = await openPage(own.browser, own.url, {
    prepare: (page) => page.addInitScript(() => {
      Object.defineProperty(navigator, "clipboard", { value: undefined });
    }),
  });
  const { page } = open;
  await waitForFirst(page);
  await page.evaluate(() => window.setpointCrashed("forced"));
  await page.getByRole("button", { name: "Copy report" }).click();
  await waitForText(page, "Selected below");
  assert.match(await page.evaluate(() => getSelection().toString()), /^Setpoint stopped: forced/);
  await open.close();
});

test("a trap that no panic hook sees shows the crash card too", async () => {
  const open = await openPage(own.browser, own.url);
  await waitForFirst(open.page);
  await open.page.evaluate(() => {
    setTimeout(() => { throw new WebAssembly.RuntimeError("memory access out of bounds"); });
  });
  await waitForText(open.page, "memory access out of bounds");
  await waitForText(open.page, "Setpoint has stopped");
  await open.close();
});

/** Ways for a start to fail, and what the card must say. */
const failures = [
  {
    name: "no-wasm", title: "This browser cannot run Setpoint", text: /WebAssembly/,
    prepare: (page) => page.addInitScript(() => { delete globalThis.WebAssembly; }),
  },
  {
    name: "missing-wasm", title: "Setpoint could not start", text: /did not arrive/,
    prepare: (page) => page.route("**/*.wasm", (route) => route.abort()),
  },
  {
    name: "missing-glue", title: "Setpoint could not start", text: /did not arrive/,
    prepare: (page) => page.route("**/setpoint-*.js", (route) => route.abort()),
  },
  {
    name: "wasm-404", title: "Setpoint could not start", text: /did not arrive/,
    prepare: (page) => page.route("**/*.wasm", (route) => route.fulfill({ status: 404, body: "Not Found" })),
  },
  {
    name: "panic-at-start", title: "Setpoint has stopped", text: /forced/,
    prepare: (page) => page.addInitScript(() => {
      addEventListener("DOMContentLoaded", () => window.setpointCrashed("forced"));
    }),
  },
  {
    name: "old-browser", title: "Setpoint could not start", text: /too old/,
    prepare: (page) => page.route("**/*.wasm", (route) => route.fulfill({ contentType: "application/wasm", body: "\0asm\x02\0\0\0" })),
  },
  {
    name: "policy", title: "Setpoint could not start", text: /wasm-unsafe-eval/,
    prepare: (page) => page.route(own.url, async (route) => {
      const response = await route.fetch();
      const headers = { ...response.headers(), "content-security-policy": "default-src 'self'" };
      await route.fulfill({ response, headers });
    }),
  },
];
for (const { name, title, text, prepare } of failures) {
  for (const theme of themes) {
    test(`a start that fails says why: ${name}, ${theme}`, async () => {
      const open = await openPage(own.browser, own.url, { theme, prepare });
      await waitForText(open.page, title);
      assert.match(await card(open.page).innerText(), text);
      assert.equal(await open.page.getByText("Starting the cluster…").isVisible(), false);
      await shot(open.page, `${name}-${theme}`);
      assert.deepEqual(await violations(open.page), []);
      await open.close();
    });
  }
}

test("opened as a file, it says that it needs a server", async () => {
  const open = await openPage(own.browser, pathToFileURL(join(dist, "index.html")).href);
  await waitForText(open.page, "It was opened as a file");
  await shot(open.page, "file");
  await open.close();
});

test("without JavaScript it says what it needs", async () => {
  const open = await openPage(own.browser, own.url, { context: { javaScriptEnabled: false } });
  // Playwright's search by text passes <noscript> over.
  await open.page.locator("noscript h1", { hasText: "Setpoint needs JavaScript" }).waitFor({ state: "visible" });
  assert.equal(await open.page.getByText("Starting the cluster…").isVisible(), false);
  await shot(open.page, "noscript");
  await open.close();
});

test("the card fits a phone", async () => {
  const open = await openPage(own.browser, own.url, { width: 320, height: 568 });
  await waitForFirst(open.page);
  await open.page.evaluate(() => window.setpointCrashed(`panicked at crates/sim/src/lib.rs:1:1:\n${"long".repeat(200)}`));
  await waitForText(open.page, "Setpoint has stopped");
  assert.equal(await open.page.evaluate(() => document.documentElement.scrollWidth), 320);
  await shot(open.page, "crash-phone");
  await open.close();
});
