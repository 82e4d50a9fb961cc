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

  // The files of wasm come packed (crates/pack): they are unpacked, and compiled, while they arrive.
  const SLICE = 16_384;
  const unpacked = async (response, unpacker) => {
    const [{ body }, { exports }] = await Promise.all([response, unpacker.then((module) => WebAssembly.instantiate(module))]);
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
        }
        out.close();
      },
    });
    return new Response(stream, { headers: { "Content-Type": "application/wasm" } });
  };

  // The page starts this script once more, as a worker: it unpacks what comes after the start, and hands it over compiled.
  if (typeof document === "undefined") {
    onmessage = async ({ data: [url, unpacker] }) => {
      // The whole file first: a page that is left while it is unpacked has nothing under way then.
      const whole = fetched(url).then(async (response) => new Response(await response.arrayBuffer()));
      const compiled = WebAssembly.compileStreaming(unpacked(whole, Promise.resolve(unpacker)));
      postMessage(await compiled.catch((error) => error.message));
    };
    return;
  }
  const script = document.currentScript.src;

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
  // or at once if the address asks for more than the page as it opens; whoever needs it sooner waits for it.
  const restAddress = link("wasm")?.dataset.rest && new URL(link("wasm").dataset.rest, document.baseURI).href;
  const styleAddresses = (link("wasm")?.dataset.style ?? "").split(" ").filter((name) => name)
    .map((name) => new URL(name, document.baseURI).href);
  let unpacker; // The promise of the module that unpacks.
  let unpackerModule;
  let rest; // The promise of the second file's module.
  let module; // The module, once it and its style sheets are there.
  const unpacking = () => {
    unpacker ??= WebAssembly.compileStreaming(fetched(link("unpack").href)).then((made) => (unpackerModule = made));
    return unpacker;
  };
  const arrived = (made, ...styles) => {
    for (const text of styles) {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(text);
      document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
    }
    module = made;
  };
  const inWorker = (url) => new Promise((resolve, reject) => {
    const worker = new Worker(script);
    const ended = (told) => {
      worker.terminate();
      if (told instanceof WebAssembly.Module) resolve(told);
      else reject(new TypeError(told));
    };
    worker.onmessage = ({ data }) => ended(data);
    worker.onerror = ({ message }) => ended(message);
    worker.postMessage([url, unpackerModule]);
  });
  const fetchRest = () => {
    if (!restAddress || rest) return rest;
    const styles = styleAddresses.map(async (url) => (await fetched(url)).text());
    // Some frames may have no workers.
    const made = unpacking().then(() => inWorker(restAddress))
      .catch(() => WebAssembly.compileStreaming(unpacked(fetched(restAddress), unpacker)));
    rest = Promise.all([made, ...styles]).then((parts) => { if (!module) arrived(...parts); });
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
    const packed = now(restAddress, "text/plain; charset=x-user-defined");
    const { exports } = new WebAssembly.Instance(unpackerModule);
    const input = new Uint8Array(exports.memory.buffer, exports.begin(), packed.length);
    for (let at = 0; at < packed.length; at += 1) input[at] = packed.charCodeAt(at);
    const length = exports.go_on(packed.length, true);
    const made = new WebAssembly.Module(new Uint8Array(exports.memory.buffer, exports.unpacked(), length));
    arrived(made, ...styleAddresses.map((url) => now(url, "text/css; charset=utf-8")));
  };
  /** Called by the page before the first use of what is in the second file. */
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
  // What fails here is tried again when it is needed, and then it is told.
  const turned = () => fetchRest()?.catch(() => {});
  for (const sign of ["pointerdown", "touchstart", "wheel", "keydown", "focusin"]) {
    addEventListener(sign, turned, { once: true, passive: true, capture: true });
  }
  // A pointer that only passes over the page does not make it wait for the file: until it is there, nothing hears of it.
  const passing = ["pointermove", "pointerover", "pointerout", "mousemove", "mouseover", "mouseout", "mouseenter", "mouseleave"];
  const pass = (event) => {
    turned();
    if (restAddress && !module) event.stopPropagation();
    else for (const sign of passing) removeEventListener(sign, pass, true);
  };
  for (const sign of passing) addEventListener(sign, pass, { passive: true, capture: true });

  const start = async (glue) => {
    const file = link("wasm").href;
    const first = link("unpack") ? unpacked(fetched(file), unpacking()) : fetched(file);
    if (location.search !== "" || location.hash !== "") await fetchRest();
    await glue.default({ module_or_path: first });
  };
  if (link("glue")) {
    import(link("glue").href).then(start).then(() => { started = true; }, onError);
  } else {
    // Trunk starts the page with a script of its own, and says when it has.
    addEventListener("TrunkApplicationStarted", () => { started = true; });
  }
})();
