// Starts the page, and speaks for it when it can't: no WebAssembly, a start that failed, a crash.
// A classic script on purpose. A module would not even load from a file or in a sandboxed frame, and then
// nobody could say why the page stays empty.
"use strict";
(() => {
  const fetched = async (url) => {
    const response = await fetch(url);
    if (!response.ok) throw new TypeError(`${response.status} ${response.statusText}: ${url}`);
    return response;
  };

  const wasm = (stream) => new Response(stream, { headers: { "Content-Type": "application/wasm" } });

  // The first file of wasm comes packed (crates/pack): it is unpacked, and compiled, while it arrives.
  const SLICE = 16_384;
  const unpacked = async (response, unpacker) => {
    const [{ body }, { instance: { exports } }] = await Promise.all([response, WebAssembly.instantiateStreaming(unpacker)]);
    const [input, output] = [exports.begin(), exports.unpacked()];
    const bytes = new Uint8Array(exports.memory.buffer);
    const reader = body.getReader();
    const stream = new ReadableStream({
      async start(out) {
        let [used, passed, end, isAll] = [0, 0, 0, false];
        while (!isAll) {
          if (used === end) {
            const { done, value } = await reader.read();
            isAll = done;
            bytes.set(value ?? [], input + end);
            end += value?.length ?? 0;
          }
          used = Math.min(used + SLICE, end);
          const ready = exports.go_on(used, isAll);
          if (ready > passed) out.enqueue(bytes.slice(output + passed, output + ready));
          passed = ready;
          // On a slow machine this takes a second, in which there is other work too.
          await globalThis.scheduler?.yield?.();
        }
        out.close();
      },
    });
    return wasm(stream);
  };

  const element = (id) => document.getElementById(id);
  // The theme that the person chose on an earlier visit, before anything is painted.
  try {
    const theme = localStorage.getItem("setpoint-theme");
    if (theme) document.documentElement.dataset.theme = theme;
  } catch { /* Frames without an origin have no storage; the system's theme stands. */ }
  let started = false;
  let stopped = false;
  let message = "";

  /** The text for whoever is to find the error: what happened, where, and how to make it happen again. */
  const report = () => [
    `Setpoint stopped: ${message}`,
    `Address: ${location.href}`,
    `Browser: ${navigator.userAgent}`,
    "",
    String(window.setpointReport ?? "No simulation had begun."),
  ].join("\n");

  /** Shows the card, once; what comes after the first failure is a consequence of it. */
  const show = (title, text, what, crash = false) => {
    if (stopped) return;
    stopped = true;
    message = what;
    element("boot-title").textContent = title;
    element("boot-text").textContent = text;
    element("boot-message").textContent = what;
    element("boot-message").hidden = what === "";
    element("boot-report").textContent = report();
    element("boot-over").hidden = !crash && location.hash === "" && location.search === "";
    element("boot-card").classList.toggle("boot-above", started);
    // The old instance may be in any state: nothing on the page is to reach it again.
    element("app").inert = true;
    element("app").hidden = !started;
    element("boot-card").hidden = false;
    element("boot-panel").focus();
  };

  const failed = (error) => {
    const what = String(error?.message ?? error);
    let text = "It met an error while it started. Reloading may help.";
    if (location.protocol === "file:") {
      text = "It was opened as a file, and browsers load such pages from a web server only. "
        + "Put the folder on any static server, this machine's included.";
    } else if (/unsafe-eval|Content Security Policy/i.test(what)) {
      text = "The server's Content-Security-Policy forbids WebAssembly. Its script-src must allow 'wasm-unsafe-eval'.";
    } else if (error instanceof TypeError) {
      text = "A part of the page did not arrive. Check the connection, then reload.";
    } else if ([SyntaxError, WebAssembly.CompileError, WebAssembly.LinkError].some((kind) => error instanceof kind)) {
      text = "This browser is too old for it. A current Firefox, Chrome, Edge or Safari runs it.";
    }
    show("Setpoint could not start", text, what);
  };

  /** Called by the panic hook of the page, and below for what no hook sees, such as a full memory. */
  const crashed = (what) => show(
    "Setpoint has stopped",
    "It met an error in its own code and stopped, rather than show you something wrong. "
      + "Reload opens this address again; Start over opens Setpoint without what the address carries.",
    String(what),
    true,
  );
  window.setpointCrashed = crashed;

  const copy = async () => {
    const told = element("boot-copied");
    try {
      await navigator.clipboard.writeText(report());
      told.textContent = "Copied";
    } catch {
      // Frames and plain http have no clipboard; a selection is one key press from a copy.
      element("boot-details").open = true;
      getSelection().selectAllChildren(element("boot-report"));
      told.textContent = "Selected below: copy it from there";
    }
  };
  element("boot-reload").addEventListener("click", () => location.reload());
  element("boot-over").addEventListener("click", () => location.replace(location.pathname));
  element("boot-copy").addEventListener("click", copy);

  if (typeof WebAssembly !== "object") {
    show(
      "This browser cannot run Setpoint",
      "It lacks WebAssembly, or has it switched off, as some browsers do in their strictest security mode. "
        + "A current Firefox, Chrome, Edge or Safari runs Setpoint.",
      "",
    );
    return;
  }

  const onError = (error) => {
    if (error instanceof WebAssembly.RuntimeError) crashed(error.message);
    else if (!started && error) failed(error);
  };
  addEventListener("error", (event) => onError(event.error));
  addEventListener("unhandledrejection", (event) => onError(event.reason));

  const link = (name) => document.querySelector(`link[data-boot="${name}"]`);

  // The page's second file of wasm: what an untouched page does not run. It is fetched when a person turns to the page,
  // or at once if the address asks for more than the page as it opens.
  const { rest: restName, plain: plainName, style: styleNames = "" } = link("wasm")?.dataset ?? {};
  const addressOf = (name) => new URL(name, document.baseURI).href;
  const styleAddresses = styleNames.split(" ").filter((name) => name).map(addressOf);
  let rest; // The promise of its arrival.
  let module; // The module, once it and its style sheets are there.
  const arrived = (made, ...styles) => {
    if (module) return;
    for (const text of styles) {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(text);
      document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
    }
    module = made;
    // Not at once: it may be the wasm that waits here.
    setTimeout(hear);
  };
  const fetchRest = () => {
    // Compressed as browsers can undo it themselves: this file is large, and to unpack it takes longer than to fetch some more.
    rest ??= Promise.all([
      fetched(addressOf(restName)).then(({ body }) => WebAssembly.compileStreaming(wasm(body.pipeThrough(new DecompressionStream("gzip"))))),
      ...styleAddresses.map(async (url) => (await fetched(url)).text()),
    ]).then((parts) => arrived(...parts), (error) => {
      rest = undefined;
      throw error;
    });
    return rest;
  };
  const now = (url, type) => {
    const request = new XMLHttpRequest();
    request.open("GET", url, false);
    request.overrideMimeType(type);
    request.send();
    if (request.status !== 200) throw new TypeError(`${request.status} ${request.statusText}: ${url}`);
    return request.responseText;
  };
  const restNow = () => {
    const text = now(addressOf(plainName), "text/plain; charset=x-user-defined");
    const bytes = new Uint8Array(text.length);
    for (let at = 0; at < text.length; at += 1) bytes[at] = text.charCodeAt(at);
    arrived(new WebAssembly.Module(bytes), ...styleAddresses.map((url) => now(url, "text/css; charset=utf-8")));
  };
  /** Called by the page before the first use of what is in the second file; only what no person did gets here before it. */
  window.setpointRest = (exports) => {
    try {
      if (!module) restNow();
      // The functions that it wants are named by their places in the first file's table.
      const first = { ...exports };
      for (const { kind, name } of WebAssembly.Module.imports(module)) {
        if (kind === "function") first[name] = exports.t0.get(Number(name));
      }
      return new WebAssembly.Instance(module, { first });
    } catch (error) {
      if (started) crashed(`A part of the page did not arrive. ${error.message}`);
      throw error;
    }
  };

  // Until the second file is there the page hears of nothing that a person does. What is an act is kept, and heard then.
  const acts = ["click", "input", "change", "keydown"];
  const signs = [
    ...acts, "pointerdown", "touchstart", "wheel", "focusin", "focusout", "blur", "scroll", "paste",
    "pointermove", "pointerover", "pointerout", "pointerenter", "pointerleave",
    "mousemove", "mouseover", "mouseout", "mouseenter", "mouseleave",
  ];
  const kept = [];
  let isTurned = false;
  let isLost = false;
  let hearing = false;
  const tellWait = () => {
    element("boot-wait").textContent = !kept.length || stopped ? ""
      : isLost ? "A part of the page did not arrive. It is asked for again and again; what you did waits for it."
      : "The rest of the page is on its way; what you did waits for it.";
  };
  /** Fetches the file, however often it takes. */
  const turned = async () => {
    if (isTurned) return;
    isTurned = true;
    for (let wait = 500; !module && !stopped; wait = Math.min(2 * wait, 8_000)) {
      try {
        await fetchRest();
      } catch {
        isLost = true;
        tellWait();
        await new Promise((again) => {
          setTimeout(again, wait);
          addEventListener("online", again, { once: true });
        });
      }
    }
  };
  const keep = (event) => {
    // The page itself may scroll.
    if (event.type !== "scroll") turned();
    if (!started || stopped || hearing) return;
    event.stopPropagation();
    if (!acts.includes(event.type)) return;
    const { type, target, key } = event;
    if (type === "click" || (key === " " && target === document.body)) event.preventDefault();
    if (type === "input") {
      // The page draws the value that it knows; what was typed since stays nevertheless.
      const get = () => Reflect.get(Object.getPrototypeOf(target), "value", target);
      Object.defineProperty(target, "value", { get, set: () => {}, configurable: true });
    }
    kept.push(event);
    setTimeout(tellWait, 300);
  };
  const hear = async () => {
    for (const event of kept) {
      const { type, target } = event;
      hearing = true;
      if (type === "input") delete target.value;
      target.dispatchEvent(new event.constructor(type, event));
      hearing = false;
      // The page works off what it heard before it hears more.
      await new Promise((done) => { setTimeout(done); });
    }
    kept.length = 0;
    tellWait();
    for (const sign of signs) removeEventListener(sign, keep, true);
  };
  if (restName) {
    for (const sign of signs) addEventListener(sign, keep, { passive: !acts.includes(sign), capture: true });
  }

  const start = async (glue) => {
    const file = link("wasm").href;
    const unpacker = link("unpack")?.href;
    const first = unpacker ? unpacked(fetched(file), fetched(unpacker)) : fetched(file);
    if (restName && (location.search !== "" || location.hash !== "")) await fetchRest();
    await glue.default({ module_or_path: first });
  };
  if (link("glue")) {
    import(link("glue").href).then(start).then(() => { started = true; }, onError);
  } else {
    // Trunk starts the page with a script of its own, and says when it has.
    addEventListener("TrunkApplicationStarted", () => { started = true; });
  }
})();
