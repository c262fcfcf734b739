"use strict";

// Each image is an item with a card of its own. A run of an item has a number; an answer is shown only if its run is
// still the item's last, so an answer never appears under another image, model or rendering.

const RUNNING_AT_ONCE = 3;
const SLOW_AFTER_SECONDS = 5;
// How much longer than the server's own limit the page waits: the image and the answer take time on the way.
const TRANSFER_SECONDS = 60;
const BUSY_RETRIES = 2;
// Dissolved copies are kept as bitmaps: bounds on their memory.
const STRIP_PIXELS = 16e6;
const SIDE_OF_COPIES = 1024;
const STEPS = [25, 50, 100, 150, 200, 300, 400, 500, 600, 800];
const NOTICE = "Research use only, not for diagnosis.";
const VERDICTS = {normal: "normal", anomalous: "anomalous", atypical_input: "atypical input", none: "no verdict"};

// Synthetic phantoms of 32 x 32 pixels, made by `dia-train synthesize`.
const PHANTOMS = {
  "phantom-lesion.png":
    "iVBORw0KGgoAAAANSUhEUgAAACAAAAAgCAAAAABWESUoAAADMUlEQVQ4jQXB22/bVBgA8O8733dsH9ux46xp03Z047JpIBC88LKXvfCvIxCT"
    + "kLgIDW1tR7c26dIkTnz3ufH7kXTCC+EBEIIg4lSiBXbA4AEAABAA2KBnG2GUFlPlNtthb0fHBqRGYRk9sEE04Wz+4uSoWOw+7cp397daC6cB"
    + "LKBwwgHI4uTHp0kcZidVWfnd7e9vS28ApPHkAT3w4uufnhVBEiTKt85nkwvWBwdSE5IUHujs+5enGbLzMm/70BKHJ/GuNyjYkhdOTL97mUE5"
    + "ugATqYfBtGUfzsMHC9p5CjSo56+K7vrDHigOo75r1pc3jU6nuOwcIVmk81cX2+tuKNsgUzEf1m8O3NUwT+/XAJ5BTD7/ovv7IYDEbGbH2A+r"
    + "saaxL9X82/9qLQTa5Ju0HMW2266W3YC2XG6b2wrrtfjy3JNl4Men9b2c5YfGN9lnNCxXrZ3KgDf7o4sPJTKp87ha7gsxTWyzrLW/9bEKeCzN"
    + "3fTJa++ZZRHtuv4ulZErZO1aKsRo3jMmvSuyteO+yH21SOuhrZUuLCI3tbFRFAkvkgw8g4x9XYa5MY1uh8p1n3ZGZYEyphxJBQOTROqrhqIs"
    + "GrUZqBtizEiXw1hELSOyYMA0AluPiUqG0Kmil+Ou9RgWo0VExvZAk1Mjx21roiQXwaQ5NABTGWcAbe/YmsGzzhfucLO7n1nHHx9IhcpRnVBb"
    + "8cC+Xg2x7WQiBcWiYD73EVGvt+YFleUQstN3zaOzw6aylZjkiZ8cjxuzIc3n8/ZjJQdGvbrNjzioyrKOn8cIxVVlTBirxay86TQK73bvqsS3"
    + "zBSp1Do1SVT0eJKrmbtcEQABWHo0Mcu95cmzszzvdQSRVd3iSfnLTQtA5H0tvsqCxk0vTtMosp1PRyeOn/vXf1WOPFtE8+b4h3nmOEmYZY3y"
    + "BBdBrP/5cy+EBULh3NDxYhqnkoFiPQw+SGR7/dv7zgFIAhBCtoc2TQhGTlQ/OMOuuvr5shXowRE5YcF0m1pwQCoMur7lw+Ufv14NHh15QJBg"
    + "PAAkpxdPF+lRbra75frfVeksAFnhEUCAI+dBUX6kzuLmoVz3tQEgC+zQ/g846tca+jxq6QAAAABJRU5ErkJggg==",
  "phantom-normal.png":
    "iVBORw0KGgoAAAANSUhEUgAAACAAAAAgCAAAAABWESUoAAADNElEQVQ4jQXBR3PbRhQA4Pd2F70QIAFKomQVp/hgT9ohyf+/eHLIxJOLJxmF"
    + "liyKlkmCIHrb3ZfvAwRAAOQcQQBawDgYDFAAAwAGBhcakBEwBUBcOIJzg5StiStOQIgITDPgkoSA0Eu8C10cy6ziHQIoAaQQAIQGJll6c/cq"
    + "DRJjXx1f1o+7XgqQgIRgSlQMnZtf7hYBhjN7X411u/vjvgCtSHAOqBB1+Pb329h1tfCYbE2LGQujbhSBVhw0mNr77S1kI5i24Rul1NXnrzoN"
    + "6oY4GRw4Kf+7H8wxP0gn4KZZ4f5hU1ksgWOnQXOuBVz/Kv+bXGsaZ04gqd4/EXXP/e2014YSCmTy08Wnrv4aLGTtoVXWBzi1xWTyHzcvWggG"
    + "fHVXmMlYnqoqvkDA/vAwULjk5fm7vEHGuf2997QBfzUbs3UH2N8/dPb11Vism9epmoQ04nM+NUUYLedZketh2tqpJY+nMZaXy6dBECVJH2s6"
    + "1G4ae62GIbL6YzOYZyljSTAI4LG3zueTW1WP9oKjUNMpl6EX6qK4SpghwHZEtc9TY+Fl7ZgP1rg9utFyKqYiAVtMAlSgl8fis5F618VUaN3h"
    + "KmB508kgNU3mCqFr0UVuv/0SRC6bobbOsD3WFLu2VsB7QUS6OcTO69OwCReBIIOeax2losv51PUgGKtGr6nNeD64+faNNnHX+F44lgd16+qe"
    + "CcnyLjo7Vm0YWW5rqw5D3xH7U+uvLmmrmEBdZItIeG1RRt7t3AXvvMjqwUwT0y1eRs1oOq2pnmariO23XcQ8wzrscPFq3h9xX6IUQg2ffraf"
    + "zFkUDb1r9WDNRDwz9Klf2B+eB+Ca1ORcqiZrwV9+O3fNSTOCl4z8m+F9rhkH4NjfpWDKQVxe+O7Qk3rZKXt55b1/7AE4Z6TG+tKOnHB2FbiO"
    + "V3XUm/6FZ/3zdwkAnIhobIfU91c3seE4WEtYBK7B7j8ctEDiAJyAFzJK5jMDhcOmUSibnT7+tVOoCbipGBiDPmZTYJqD47CypjH/98+PpSJg"
    + "BEKigglGue2+3HyTDKibQ77ZrPOagGkhNSJqACQAYThRHCQiO/RZCQNwAAXE/gevIdMaKg4pFQAAAABJRU5ErkJggg==",
};

const state = {models: null, key: "", needsKey: false, items: [], results: [], running: 0, count: 0};
const at = id => document.getElementById(id);

// ---------------------------------------------------------------- The server

/** A failed request, with the server's words. */
class Failure extends Error {
  constructor(message, status, retryAfter) {
    super(message);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/** Sends a request to a path relative to this page and returns the response; throws a Failure. */
async function call(path, signal, image) {
  const headers = {"X-Request-ID": requestID()};
  if (state.key) headers.Authorization = `Bearer ${state.key}`;
  if (image) headers["Content-Type"] = image.isPNG ? "image/png" : "application/octet-stream";
  let response;
  try {
    const method = image ? "POST" : "GET";
    response = await fetch(path, {method, headers, body: image?.blob, signal, cache: "no-store"});
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    throw new Failure("The server cannot be reached.", 0);
  }
  if (!response.ok) throw await failure(response);
  return response;
}

async function failure(response) {
  let detail;
  try {
    detail = (await response.json()).detail;
  } catch {
    // A proxy in between may send a page of its own; its status says enough.
  }
  const words = typeof detail === "string" ? detail : `HTTP status ${response.status} ${response.statusText}`;
  return new Failure(words, response.status, Number(response.headers.get("Retry-After")) || 1);
}

async function readJSON(response) {
  try {
    return await response.json();
  } catch (error) {
    if (error instanceof SyntaxError) throw new Failure("The answer is not JSON.", response.status);
    throw error instanceof TypeError ? new Failure("The connection was cut.", 0) : error;
  }
}

function requestID() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, byte => byte.toString(16).padStart(2, "0")).join("");
}

/** The path of an operation on an item's image, with its rendering and `more` parameters. */
function path(item, operation, more = {}) {
  const query = new URLSearchParams({...parameters(item.rendering), ...more}).toString().replaceAll("%2C", ",");
  return `v1/models/${encodeURIComponent(item.model)}/${operation}${query && "?" + query}`;
}

function parameters(rendering) {
  const query = {};
  if (rendering.bits) query.bits = rendering.bits;
  if (rendering.width) Object.assign(query, {window_center: rendering.center, window_width: rendering.width});
  if (rendering.invert) query.photometric = "MONOCHROME1";
  return query;
}

// ---------------------------------------------------------------- Models and the key

async function loadModels() {
  at("trouble").hidden = true;
  try {
    const answer = await readJSON(await call("v1/models"));
    state.models = answer.models ?? [];
    at("key-form").hidden = true;
    state.needsKey = false;
    at("change-key").hidden = !state.key;
    showModels();
    resume();
  } catch (error) {
    if (error.status === 401 || error.status === 403) return askForKey(error);
    at("trouble-text").textContent = `The models cannot be listed: ${error.message}`;
    at("trouble").hidden = false;
  }
}

function askForKey(error) {
  at("key-reason").textContent = state.key
    ? `The server did not accept the key: ${error.message}`
    : "This server needs an API key. Images that you add now are scored once the key is entered.";
  const isNew = at("key-form").hidden;
  state.needsKey = true;
  at("key-form").hidden = false;
  at("trouble").hidden = true;
  if (isNew || state.key) at("key").focus();
  for (const item of state.items) show(item);
}

function useKey(event) {
  event.preventDefault();
  const key = at("key").value.trim();
  if (!/^[!-~]+$/.test(key)) {
    at("key-reason").textContent = "A key has only printable ASCII characters and no spaces.";
    return;
  }
  state.key = key;
  at("key").value = "";
  loadModels();
}

function showModels() {
  const list = at("model");
  const earlier = list.value;
  fillModels(list, state.models.find(model => model.name === earlier) ? earlier : defaultModel()?.name);
  at("model-bar").hidden = state.models.length < 2;
  if (state.models.length === 0) {
    at("trouble-text").textContent = "The server has no model.";
    at("trouble").hidden = false;
  }
  showModelCard();
}

function fillModels(list, selected) {
  list.replaceChildren(...state.models.map(({name}) => new Option(name, name, name === selected, name === selected)));
}

const defaultModel = () => state.models.find(model => model.default) ?? state.models[0];
const modelNamed = name => state.models?.find(model => model.name === name);

/** Starts the items that waited for the models or for a key. */
function resume() {
  for (const item of state.items) {
    if (!modelNamed(item.model)) item.model = at("model").value;
    if (item.phase === "key") item.phase = "queued";
    show(item);
  }
  pump();
}

// ---------------------------------------------------------------- The model card

const percent = (share, digits = 0) => `${(share * 100).toFixed(digits)}%`;
const interval = range => Array.isArray(range) ? `95% interval ${range.map(end => percent(end)).join(" to ")}` : "";
const isNumber = value => typeof value === "number" && Number.isFinite(value);

/** Shows the members of the model that is selected for new images. */
function showModelCard() {
  const model = modelNamed(at("model").value);
  at("model-card").hidden = !model;
  if (!model) return;
  at("model-title").textContent = `Model: ${model.name}`;
  at("model-description").textContent = model.description ?? "";
  const {calibration, evaluation} = model;
  list("model-facts", [
    ["Use", model.intended_use ?? NOTICE], ["License", model.license], ["Version", model.version],
    ["Digest", `${model.digest.slice(0, 19)}…`],
    ["Input", `${model.input.width} × ${model.input.height}, ${model.input.channels === 1 ? "gray" : "color"}`],
    ["Score", `${model.score.method}, ${model.score.views} views`],
    ["Calibration", calibration ? `${calibration.images} normal images, alpha ${calibration.alpha}` : "none"],
  ]);
  at("model-evaluation").textContent = evaluationText(evaluation);
  list("model-figures", evaluation ? figures(evaluation) : []);
  at("model-limits").replaceChildren(...limits(model).map(text => element("li", text)));
}

function evaluationText(evaluation) {
  if (!evaluation) return "The model has not been evaluated.";
  const {normals, anomalies, split} = evaluation;
  const images = isNumber(normals) && isNumber(anomalies) ? `${normals} normal and ${anomalies} anomalous images` : "";
  const later = evaluation.measured_before_calibration ? ". Measured before the calibration to this site." : "";
  return `${images}${images && split ? `, split “${split}”` : ""}${later}`;
}

function figures(evaluation) {
  // How good the verdicts are comes first: an AUROC alone does not say it.
  const measured = name => isNumber(evaluation[name]) ? percent(evaluation[name], 1) : "not measured";
  const rows = [
    ["Sensitivity", "", measured("sensitivity"), "of the anomalous images, at the threshold"],
    ["False-positive rate", "", measured("false_positive_rate"),
      ["of the normal images", interval(evaluation.false_positive_interval_95)].filter(text => text).join(", ")],
    ["AUROC", "auroc", evaluation.auroc?.toFixed?.(3),
      Array.isArray(evaluation.auroc_interval_95)
        ? `95% interval ${evaluation.auroc_interval_95.map(end => end.toFixed(3)).join(" to ")}` : ""],
    ["AUPR", "aupr", evaluation.aupr?.toFixed?.(3), ""],
    ["FPR at 95% sensitivity", "fpr95", percent(evaluation.fpr95, 1), ""],
    ["Accuracy", "accuracy", percent(evaluation.accuracy, 1), ""],
  ];
  return rows.filter(([, member]) => !member || isNumber(evaluation[member])).map(([name, , value, note]) => [name, value, note]);
}

function limits(model) {
  const {evaluation, calibration, input} = model;
  const texts = [];
  if (isNumber(evaluation?.sensitivity)) {
    texts.push(`Misses ${percent(1 - evaluation.sensitivity)} of the anomalies in the test images at its threshold.`);
  }
  const lowest = evaluation?.false_positive_interval_95?.[0];
  if (calibration && isNumber(lowest) && lowest > calibration.alpha) {
    texts.push(`Calls ${percent(evaluation.false_positive_rate)} of the normal test images anomalous, more than the `
      + `${percent(calibration.alpha)} intended: they differ from the calibration images.`);
  }
  if (!calibration) texts.push("Not calibrated: it gives no p-value and no verdict.");
  else if (!isNumber(calibration.threshold)) texts.push("Calibrated with too few images for a threshold: no verdict.");
  if (calibration) texts.push("The p-value holds only for images like the calibration images: same device, view and rendering.");
  texts.push(`Images are resized to ${input.width} × ${input.height} pixels; smaller findings disappear.`);
  texts.push(`At most ${(model.limits.pixels / 1e6).toFixed(0)} million pixels and `
    + `${Math.floor(model.limits.body_bytes / 2 ** 20)} MiB an image.`);
  return texts;
}

function list(id, rows) {
  at(id).replaceChildren(...rows.filter(([, value]) => value).flatMap(([name, value, note]) => {
    const term = element("dt", name);
    if (note) term.append(element("small", note));
    return [term, element("dd", value)];
  }));
}

function element(tag, text) {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}

// ---------------------------------------------------------------- Adding images

async function add(files, model) {
  const items = await Promise.all([...files].map(file => makeItem(file, model)));
  at("cards").prepend(...items.map(item => item.card));
  state.items.unshift(...items);
  for (const item of items) show(item);
  announce(`${items.length} image${items.length === 1 ? "" : "s"} added.`);
  pump();
}

async function makeItem(file, model) {
  const item = {
    id: ++state.count, name: file.name || "pasted image", blob: file, model: model ?? at("model").value,
    ...await readHeader(file), rendering: {}, run: 0, phase: "queued", frames: [], maps: new Map(), zoom: 1, seconds: 0,
  };
  item.card = makeCard(item);
  decode(file, item).then(bitmap => {
    if (bitmap && item.frames.length === 0) showFrames(item, [{t: 0, bitmap}]);
  });
  return item;
}

/** Reads the size, bit depth and color type from the first chunk of a PNG file. */
async function readHeader(blob) {
  const bytes = new DataView(await blob.slice(0, 33).arrayBuffer());
  if (bytes.byteLength < 33 || bytes.getUint32(0) !== 0x89504E47 || bytes.getUint32(4) !== 0x0D0A1A0A) {
    return {isPNG: false};
  }
  const [width, height] = [bytes.getUint32(16), bytes.getUint32(20)];
  const [depth, color, isInterlaced] = [bytes.getUint8(24), bytes.getUint8(25), bytes.getUint8(28) !== 0];
  const [isGray, channels] = [color === 0 || color === 4, color === 4 ? 2 : 1];
  return {isPNG: true, width, height, depth, isInterlaced, isGray, channels};
}

/** Returns a bitmap of a file that the browser can show, or nothing. */
async function decode(blob, item) {
  const most = state.models?.[0]?.limits.pixels ?? 25e6;
  if (item.isPNG && item.width * item.height > most) return undefined;
  return createImageBitmap(blob).catch(() => undefined);
}

function addExamples() {
  const model = modelNamed("phantom") && "phantom";
  add(Object.entries(PHANTOMS).map(([name, text]) => {
    const bytes = Uint8Array.from(atob(text), character => character.charCodeAt(0));
    return new File([bytes], name, {type: "image/png"});
  }), model);
  if (model) {
    at("model").value = model;
    showModelCard();
  }
}

function announce(text) {
  at("status").textContent = text;
}

// ---------------------------------------------------------------- Runs

/** Scores an item, again if it has been scored: what was known about it is discarded. */
function start(item) {
  stop(item);
  Object.assign(item, {phase: "queued", result: undefined, failure: undefined, pictureFailure: undefined, busy: 0});
  item.frames = item.frames.slice(0, 1);
  item.maps.clear();
  showFrames(item, item.frames);
  show(item);
  pump();
}

/** Ends the item's run: its answers are no longer wanted. */
function stop(item) {
  item.run += 1;
  item.abort?.abort();
}

function pump() {
  if (!state.models?.length || state.needsKey) return;
  for (const item of state.items) {
    if (state.running >= RUNNING_AT_ONCE) return;
    if (item.phase === "queued") run(item);
  }
}

async function run(item) {
  item.abort = new AbortController();
  Object.assign(item, {run: item.run + 1, phase: "running", seconds: 0});
  const {run: number, abort} = item;
  const isCurrent = () => item.run === number;
  const seconds = (modelNamed(item.model)?.limits.timeout_seconds ?? 60) + TRANSFER_SECONDS;
  const timer = setTimeout(() => {
    abort.abort(new Failure(`The server did not answer within ${seconds} seconds.`, 0));
  }, seconds * 1000);
  state.running += 1;
  show(item);
  try {
    checkSize(item);
    const result = await readJSON(await call(path(item, "score"), abort.signal, item));
    if (isCurrent()) finish(item, result);
    if (isCurrent()) await loadPictures(item, abort.signal, isCurrent);
  } catch (error) {
    if (isCurrent()) fail(item, error);
  } finally {
    clearTimeout(timer);
    state.running -= 1;
    pump();
  }
}

function finish(item, result) {
  Object.assign(item, {phase: "done", result});
  record(item, {result});
  show(item);
  announce(`${item.name}: ${VERDICTS[result.verdict ?? "none"]}${isNumber(result.score)
    ? `, score ${result.score.toFixed(3)}, threshold 0.5` : ""}. ${NOTICE}`);
}

function fail(item, error) {
  if (error.status === 401) {
    item.phase = "key";
    askForKey(error);
  } else if ((error.status === 429 || error.status === 503) && (item.busy ?? 0) < BUSY_RETRIES) {
    waitAndRetry(item, error);
  } else {
    Object.assign(item, {phase: "failed", failure: error.message, result: undefined});
    record(item, {error: error.message});
    announce(`${item.name} failed: ${error.message}`);
  }
  show(item);
}

/** Throws if the server would reject the file by its size, which it can do only by closing the connection. */
function checkSize(item) {
  const most = modelNamed(item.model).limits.body_bytes;
  if (item.blob.size > most) {
    throw new Failure(`The file has ${item.blob.size} bytes, more than the ${most} that the server takes.`, 413);
  }
}

/** Queues the item again when the server said that it would be less busy. */
function waitAndRetry(item, error) {
  Object.assign(item, {phase: "busy", busy: (item.busy ?? 0) + 1});
  const {run} = item;
  setTimeout(() => {
    if (item.run !== run) return;
    item.phase = "queued";
    show(item);
    pump();
  }, Math.min(error.retryAfter, 10) * 1000);
}

// ---------------------------------------------------------------- Dissolved copies and heat maps

/** Loads the dissolved copies and the first heat map of a scored item; a failure leaves the score as it is. */
async function loadPictures(item, signal, isCurrent) {
  try {
    item.pictureFailure = undefined;
    show(item);
    const frames = await loadFrames(item, signal);
    if (!isCurrent()) return;
    showFrames(item, frames);
    await loadMap(item, mapStep(item), signal, isCurrent);
  } catch (error) {
    if (!isCurrent()) return;
    item.pictureFailure = `The dissolved copies cannot be loaded: ${error.message}`;
    show(item);
  }
}

/** Returns the image as the server rendered it and its dissolved copies, from one strip. */
async function loadFrames(item, signal) {
  const {width, height} = item.result.image;
  const most = Math.max(1, Math.floor(STRIP_PIXELS / (width * height)) - 1);
  const {timesteps, default_t: middle} = modelNamed(item.model).dissolve;
  const possible = STEPS.filter(step => step < timesteps);
  const steps = most >= possible.length ? possible : [...new Set([middle, ...possible.filter((_, i) => i % 2 === 0)])]
    .slice(0, most).sort((a, b) => a - b);
  const response = await call(path(item, "dissolve", {t: steps.join()}), signal, item);
  const strip = await createImageBitmap(await response.blob());
  const ratio = Math.min(1, SIDE_OF_COPIES / Math.max(width, height));
  const [resizeWidth, resizeHeight] = [width, height].map(side => Math.max(1, Math.round(side * ratio)));
  // One step gives the copy alone, more a strip that begins with the image.
  const first = steps.length > 1 ? [0] : [];
  const frames = await Promise.all([...first, ...steps].map(async (t, place) => {
    const options = t > 0 && ratio < 1 ? {resizeWidth, resizeHeight} : {};
    return {t, bitmap: await createImageBitmap(strip, place * width, 0, width, height, options)};
  }));
  return first.length ? frames : [item.frames[0], ...frames].filter(frame => frame);
}

/** The step of the heat map: that of the slider, or the model's own while the image is not dissolved. */
function mapStep(item) {
  return item.frames[Number(item.part.slider.value)]?.t || modelNamed(item.model)?.dissolve.default_t;
}

async function loadMap(item, t, signal, isCurrent) {
  if (item.maps.has(t)) return;
  const blob = await (await call(path(item, "heatmap", {t, overlay: false}), signal, item)).blob();
  const map = colored(await createImageBitmap(blob));
  if (!isCurrent()) return;
  item.maps.set(t, map);
  draw(item);
}

/** Loads the heat map that the slider asks for, after the slider has come to rest. */
function wantMap(item) {
  clearTimeout(item.mapTimer);
  if (!item.part.heat.checked || item.maps.has(mapStep(item)) || item.phase !== "done") return;
  const {run} = item;
  item.mapTimer = setTimeout(async () => {
    const t = mapStep(item);
    try {
      await loadMap(item, t, item.abort.signal, () => item.run === run);
    } catch (error) {
      if (item.run !== run) return;
      item.part["map-state"].textContent = `The map at t = ${t} cannot be loaded: ${error.message}`;
    }
  }, 150);
}

/** Turns a gray map into one from transparent over red to yellow. */
function colored(gray) {
  const ratio = Math.min(1, SIDE_OF_COPIES / Math.max(gray.width, gray.height));
  const canvas = new OffscreenCanvas(Math.ceil(gray.width * ratio), Math.ceil(gray.height * ratio));
  const context = canvas.getContext("2d", {willReadFrequently: true});
  context.drawImage(gray, 0, 0, canvas.width, canvas.height);
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height);
  const {data} = pixels;
  for (let i = 0; i < data.length; i += 4) {
    const level = data[i];
    [data[i], data[i + 1], data[i + 2], data[i + 3]] = [255, Math.max(0, 2 * level - 255), 0, level];
  }
  context.putImageData(pixels, 0, 0);
  return canvas;
}

function showFrames(item, frames) {
  item.frames = frames;
  const {slider} = item.part;
  slider.max = Math.max(0, frames.length - 1);
  item.card.querySelector(".dissolving").hidden = frames.length < 2;
  item.card.querySelector(".viewport").classList.toggle("shown", frames.length > 0);
  draw(item);
}

/** Draws the copy that the slider shows, with the heat map over it. */
function draw(item) {
  const {slider, heat, opacity, step} = item.part;
  const index = Math.min(Number(slider.value), item.frames.length - 1);
  const frame = item.frames[index];
  if (!frame) return;
  const canvas = item.card.querySelector("canvas");
  const {width, height} = item.frames[0].bitmap;
  Object.assign(canvas, {width, height});
  const context = canvas.getContext("2d");
  context.drawImage(frame.bitmap, 0, 0, width, height);
  const map = heat.checked && item.maps.get(mapStep(item));
  if (map) {
    context.globalAlpha = Number(opacity.value) / 100;
    context.drawImage(map, 0, 0, width, height);
  }
  const text = frame.t === 0 ? "t = 0, the image itself" : `t = ${frame.t}`;
  step.textContent = text;
  slider.setAttribute("aria-valuetext", text);
  item.part["opacity-label"].hidden = !heat.checked;
  const legend = map ? ": red where dissolving changed the image, yellow where most." : " is loading…";
  item.part["map-state"].textContent = heat.checked ? `Map at t = ${mapStep(item)}${legend}` : "";
  canvas.setAttribute("aria-label", `${item.name}, ${text}${map ? `, with the heat map at t = ${mapStep(item)}` : ""}`);
  setZoom(item, item.zoom);
}

function setZoom(item, zoom) {
  item.zoom = Math.min(16, Math.max(1, zoom));
  const canvas = item.card.querySelector("canvas");
  const viewport = item.card.querySelector(".viewport");
  const share = Math.min(1, canvas.width / canvas.height) * item.zoom;
  canvas.style.width = `${share * 100}%`;
  canvas.classList.toggle("enlarged", viewport.clientWidth * share > canvas.width);
  item.part.zoom.textContent = percent(item.zoom);
}

// ---------------------------------------------------------------- Cards

function makeCard(item) {
  const card = at("card").content.cloneNode(true).firstElementChild;
  const part = {};
  for (const node of card.querySelectorAll("[data-is]")) part[node.dataset.is] = node;
  Object.assign(item, {card, part});
  const title = card.querySelector("h3");
  title.textContent = item.name;
  title.id = `image-${item.id}`;
  card.setAttribute("aria-labelledby", title.id);
  card.querySelector(".viewport").setAttribute("aria-label",
    `View of ${item.name}; plus and minus zoom, arrow keys scroll`);
  card.querySelector("[data-do=remove]").setAttribute("aria-label", `Remove ${item.name}`);
  part.slider.setAttribute("aria-label", `Dissolve ${item.name}`);
  part.file.textContent = fileText(item);
  part.levels.hidden = !item.isGray;
  part["window-fields"].hidden = part.range.hidden = !(item.depth > 8);
  if (item.isInterlaced) part.range.hidden = true;
  part.bits.append(new Option("16 (all)", ""), ...[15, 14, 13, 12, 11, 10, 9].map(bits => new Option(bits, bits)));
  connect(item);
  return card;
}

function fileText({isPNG, width, height, depth, isGray, blob}) {
  const size = blob.size < 1e6 ? `${Math.ceil(blob.size / 1000)} kB` : `${(blob.size / 1e6).toFixed(1)} MB`;
  if (!isPNG) return `Not a PNG file, ${size}`;
  return `${width} × ${height}, ${depth} bits, ${isGray ? "gray" : "color"}, ${size}`;
}

/** Connects the controls of a card with its item. */
function connect(item) {
  const {card, part} = item;
  const viewport = card.querySelector(".viewport");
  const actions = {
    "zoom-in": () => setZoom(item, item.zoom * 2), "zoom-out": () => setZoom(item, item.zoom / 2),
    "zoom-fit": () => setZoom(item, 1), "remove": () => remove(item), "retry": () => start(item),
    "retry-pictures": () => retryPictures(item), "curl": () => copyCommand(item),
    "range": () => windowFromSamples(item), "reset": () => resetLevels(item),
  };
  card.addEventListener("click", event => actions[event.target.closest("[data-do]")?.dataset.do]?.());
  card.querySelector("form").addEventListener("submit", event => applyLevels(item, event));
  part.slider.addEventListener("input", () => { draw(item); wantMap(item); });
  part.heat.addEventListener("change", () => { draw(item); wantMap(item); });
  part.opacity.addEventListener("input", () => draw(item));
  part.model.addEventListener("change", () => { item.model = part.model.value; start(item); });
  viewport.addEventListener("dblclick", () => setZoom(item, item.zoom * 2));
  viewport.addEventListener("keydown", event => {
    const factor = {"+": 2, "=": 2, "-": 0.5, "0": 0}[event.key];
    if (factor === undefined || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    setZoom(item, item.zoom * factor);
  });
  connectDragging(viewport);
}

/** Lets a mouse move the enlarged image; touch screens scroll by themselves. */
function connectDragging(viewport) {
  viewport.addEventListener("pointerdown", event => {
    if (event.pointerType !== "mouse" || event.button !== 0) return;
    viewport.setPointerCapture(event.pointerId);
    viewport.classList.add("dragged");
  });
  viewport.addEventListener("pointermove", event => {
    if (viewport.classList.contains("dragged")) viewport.scrollBy(-event.movementX, -event.movementY);
  });
  for (const end of ["pointerup", "pointercancel"]) {
    viewport.addEventListener(end, () => viewport.classList.remove("dragged"));
  }
}

/** Brings the card up to date with the item. */
function show(item) {
  const {card, part, phase, result} = item;
  card.dataset.phase = phase;
  card.setAttribute("aria-busy", String(phase === "running" || phase === "queued"));
  const isWaiting = ["queued", "running", "key", "busy"].includes(phase);
  part.waiting.hidden = !isWaiting;
  part["waiting-text"].textContent = waitingText(item);
  part.waiting.querySelector("button").hidden = !(phase === "running" && item.seconds >= SLOW_AFTER_SECONDS);
  part.failure.hidden = phase !== "failed";
  part["failure-text"].textContent = item.failure ?? "";
  part.answer.hidden = part.raw.hidden = !result;
  const failed = card.querySelector("[data-is=picture-failure]");
  failed.hidden = !item.pictureFailure;
  failed.querySelector("span").textContent = item.pictureFailure ?? "";
  part["model-label"].hidden = !(state.models?.length > 1);
  if (state.models && part.model.value !== item.model) fillModels(part.model, item.model);
  if (result) showResult(item, result);
  else card.dataset.verdict = "none";
  at("score-all").hidden = !state.items.some(other => other.model !== at("model").value);
}

function waitingText({phase, seconds, model}) {
  if (phase === "busy") return "The server is busy; trying again shortly.";
  if (phase === "key" || state.needsKey) return "Waiting for an API key.";
  if (!state.models) return "Waiting for the list of models.";
  if (phase === "queued") return "Waiting for other images.";
  return seconds < SLOW_AFTER_SECONDS ? `Scoring with ${model}…` : `No answer yet after ${seconds} s.`;
}

function showResult(item, result) {
  const {card, part} = item;
  const verdict = result.verdict ?? "none";
  card.dataset.verdict = verdict;
  part.verdict.textContent = VERDICTS[verdict] ?? verdict;
  showGauge(part.gauge, result);
  const numbers = [
    ["Score", result.score, 3], ["p-value", result.p_value, 3], ["Normality", result.normality, 3],
  ].filter(([, value]) => isNumber(value));
  part.numbers.replaceChildren(...numbers.flatMap(([name, value, digits]) => {
    const span = element("span", `${name} `);
    span.append(element("b", name === "p-value" ? significant(value) : value.toFixed(digits)));
    return [span];
  }));
  part.explanation.textContent = explanation(result);
  showCheck(part, result.input_check);
  showRemarks(part.warnings, result.image?.warnings);
  part.caution.textContent = `${result.notice ?? NOTICE} Model ${result.model.name} ${result.model.version}.`;
  part.raw.querySelector("pre").textContent = JSON.stringify(result, null, 2);
  part.raw.querySelector("pre").setAttribute("aria-label", `Full answer for ${item.name}`);
}

const significant = value => value >= 0.1 ? value.toFixed(2) : value >= 0.001 ? value.toFixed(3) : value.toPrecision(1);

/** Shows where the score is; for an atypical image it means nothing. */
function showGauge(gauge, result) {
  gauge.hidden = !isNumber(result.score) || result.input_check?.typical === false;
  if (gauge.hidden) return;
  const side = result.score > 0.5 ? "above" : result.score < 0.5 ? "below" : "at";
  gauge.setAttribute("aria-valuenow", result.score.toFixed(3));
  gauge.setAttribute("aria-valuetext", `${result.score.toFixed(3)}, ${side} the threshold 0.5`);
  gauge.querySelector(".needle").style.left = `${result.score * 100}%`;
}

/** What the p-value means, or why there is none. */
function explanation(result) {
  if (result.input_check?.typical === false) {
    return "No verdict and no p-value: the image is not like the images that the model was calibrated with, so its "
      + "score means nothing.";
  }
  if (!isNumber(result.p_value)) {
    return modelNamed(result.model.name)?.calibration
      ? "The server gave no p-value for this image." : "No verdict and no p-value: the model is not calibrated.";
  }
  const alpha = result.threshold?.alpha;
  const rule = isNumber(alpha) ? ` (${percent(alpha)} or less is called anomalous)` : "";
  const meaning = `Of normal images like the calibration images, about ${share(result.p_value)} score as high as this `
    + `one or higher${rule}; this is not the probability of a disease.`;
  return isNumber(alpha) ? meaning
    : `No verdict: the model was calibrated with too few images for a threshold. ${meaning}`;
}

const share = value => value < 0.001 ? `1 in ${Math.round(1 / value)}` : percent(value, value < 0.1 ? 1 : 0);

/** Says whether the image is like the calibration images, with the reasons if it is not. */
function showCheck(part, check) {
  const isTypical = check?.typical !== false;
  part.typical.textContent = check
    ? `Input check: typical of the calibration images (p-value ${significant(check.p_value)}).`
    : "Input check: none. The model does not notice images of another kind.";
  part.typical.hidden = !isTypical;
  showRemarks(part.check, isTypical ? [] : check.reasons.length ? check.reasons : ["its statistics differ"]);
  if (!isTypical) {
    part.check.querySelector("p").textContent = `Input check: not typical (p-value ${significant(check.p_value)})`;
  }
}

function showRemarks(node, texts) {
  node.hidden = !texts?.length;
  node.querySelector("ul").replaceChildren(...(texts ?? []).map(text => element("li", text)));
}

function remove(item) {
  stop(item);
  const next = item.card.nextElementSibling ?? item.card.previousElementSibling;
  item.card.remove();
  state.items = state.items.filter(other => other !== item);
  announce(`${item.name} removed.`);
  (next?.querySelector("[data-do=remove]") ?? at("choose")).focus();
  pump();
}

function retryPictures(item) {
  const {run} = item;
  item.abort = new AbortController();
  loadPictures(item, item.abort.signal, () => item.run === run);
}

/** Counts the seconds of running items, so that a slow server is noticed. */
function tick() {
  for (const item of state.items) {
    if (item.phase !== "running") continue;
    item.seconds += 1;
    if (item.seconds >= SLOW_AFTER_SECONDS) show(item);
    if (item.seconds === SLOW_AFTER_SECONDS) announce(`${item.name}: no answer yet.`);
  }
}

// ---------------------------------------------------------------- Gray levels

function applyLevels(item, event) {
  event.preventDefault();
  const {bits, center, width, invert} = item.part;
  if ((center.value === "") !== (width.value === "")) {
    item.part["levels-state"].textContent = "A window needs both its center and its width.";
    return;
  }
  item.part["levels-state"].textContent = "";
  item.rendering = {bits: bits.value, center: center.value, width: width.value, invert: invert.checked};
  start(item);
}

function resetLevels(item) {
  item.card.querySelector("form").reset();
  item.card.querySelector("form").requestSubmit();
}

/** Sets the window from the smallest to the largest sample; the browser's own decoder has only 8 bits. */
async function windowFromSamples(item) {
  const {center, width} = item.part;
  try {
    const {low, high} = await sampleRange(item);
    center.value = (low + high) / 2 + 0.5;
    width.value = high - low + 1;
    item.part["levels-state"].textContent = `The samples range from ${low} to ${high}.`;
  } catch {
    item.part["levels-state"].textContent = "The samples cannot be read.";
  }
}

/** Returns the smallest and largest gray sample of a 16-bit PNG file that is not interlaced. */
async function sampleRange({blob, width, height, channels}) {
  const bytes = await inflated(await blob.arrayBuffer());
  const step = 2 * channels;
  const row = width * step;
  if (bytes.length < height * (row + 1)) throw new RangeError("truncated");
  let [low, high, above] = [65535, 0, new Uint8Array(row)];
  for (let y = 0; y < height; y += 1) {
    const start = y * (row + 1);
    const line = bytes.subarray(start + 1, start + 1 + row);
    unfilter(bytes[start], line, above, step);
    for (let x = 0; x < row; x += step) {
      const sample = line[x] * 256 + line[x + 1];
      low = Math.min(low, sample);
      high = Math.max(high, sample);
    }
    above = line;
  }
  return {low, high};
}

async function inflated(file) {
  const view = new DataView(file);
  const parts = [];
  for (let place = 8; place + 12 <= file.byteLength;) {
    const length = view.getUint32(place);
    if (view.getUint32(place + 4) === 0x49444154) parts.push(new Uint8Array(file, place + 8, length));
    place += 12 + length;
  }
  const stream = new Blob(parts).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Undoes the filter of a row (PNG, section 9.2). */
function unfilter(type, line, above, step) {
  for (let x = 0; x < line.length; x += 1) {
    const left = x < step ? 0 : line[x - step];
    const corner = x < step ? 0 : above[x - step];
    const up = above[x];
    const predicted = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][type];
    line[x] += predicted;
  }
}

function paeth(left, up, corner) {
  const [a, b, c] = [Math.abs(up - corner), Math.abs(left - corner), Math.abs(left + up - 2 * corner)];
  return a <= b && a <= c ? left : b <= c ? up : corner;
}

// ---------------------------------------------------------------- curl, history, downloads

const quoted = text => `'${text.replaceAll("'", "'\\''")}'`;

function command(item) {
  const key = state.key ? ' -H "Authorization: Bearer $DIA_KEY"' : "";
  return `curl --fail-with-body${key} -H 'Content-Type: image/png' --data-binary ${quoted("@" + item.name)} `
    + quoted(new URL(path(item, "score"), location.href).href);
}

async function copyCommand(item) {
  const {copied, command: field} = item.part;
  field.value = command(item);
  try {
    await navigator.clipboard.writeText(field.value);
    copied.textContent = "Copied.";
  } catch {
    // Without HTTPS browsers do not offer the clipboard.
    item.part["command-label"].hidden = false;
    field.focus();
    field.select();
    copied.textContent = "Copy the command from the field below.";
  }
}

function record(item, outcome) {
  state.results.unshift({
    time: new Date().toISOString(), filename: item.name, model: item.model, rendering: parameters(item.rendering),
    ...outcome,
  });
  showHistory();
}

function showHistory() {
  at("history").hidden = state.results.length === 0;
  at("history-rows").replaceChildren(...state.results.map(({time, filename, model, rendering, result, error}) => {
    const row = document.createElement("tr");
    const number = (value, text) => isNumber(value) ? text(value) : "–";
    row.append(
      element("td", filename), element("td", error ? `failed: ${error}` : VERDICTS[result.verdict ?? "none"]),
      element("td", number(result?.score, value => value.toFixed(3))),
      element("td", number(result?.p_value, significant)),
      element("td", result ? `${result.model.name} ${result.model.version}` : model),
      element("td", renderingText(rendering)), element("td", new Date(time).toLocaleTimeString()));
    return row;
  }));
}

function renderingText({bits, window_center: center, window_width: width, photometric}) {
  const parts = [bits && `${bits} bits`, width && `window ${center} / ${width}`, photometric && "inverted"];
  return parts.filter(text => text).join(", ") || "as in the file";
}

/** The results as CSV, with the columns of the command-line client first. */
function csv() {
  const header = ["path", "index", "model", "version", "verdict", "score", "normality", "p_value", "anomalous",
    "input_p_value", "frame", "error", "time", "bits", "window_center", "window_width", "photometric", "request_id",
    "notice"];
  const rows = [...state.results].reverse().map(({filename, model, rendering, time, result, error}, index) => [
    filename, index, model, result?.model.version, result?.verdict, result?.score, result?.normality, result?.p_value,
    result?.anomalous, result?.input_check?.p_value, "", error, time, rendering.bits, rendering.window_center,
    rendering.window_width, rendering.photometric, result?.request_id, NOTICE]);
  return [header, ...rows].map(row => row.map(cell).join(",") + "\r\n").join("");
}

/** A cell of CSV. Spreadsheets would run text that begins like a formula. */
function cell(value) {
  const isFormula = typeof value === "string" && /^[=+\-@\t\r]/.test(value) && !isFinite(value);
  const text = isFormula ? `'${value}` : String(value ?? "");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function download(name, type, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], {type}));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

// ---------------------------------------------------------------- Start

function connectPage() {
  at("key-form").addEventListener("submit", useKey);
  at("change-key").addEventListener("click", () => { at("key-form").hidden = false; at("key").focus(); });
  at("trouble-retry").addEventListener("click", loadModels);
  at("choose").addEventListener("click", () => at("file").click());
  at("file").addEventListener("change", () => { add(at("file").files); at("file").value = ""; });
  at("examples").addEventListener("click", addExamples);
  at("model").addEventListener("change", () => { showModelCard(); state.items.forEach(show); });
  at("score-all").addEventListener("click", () => {
    for (const item of state.items.filter(other => other.model !== at("model").value)) {
      item.model = at("model").value;
      start(item);
    }
  });
  at("download-csv").addEventListener("click", () => download("dia-results.csv", "text/csv", csv()));
  at("download-json").addEventListener("click", () => {
    download("dia-results.json", "application/json", JSON.stringify([...state.results].reverse(), null, 2));
  });
  at("clear-history").addEventListener("click", () => { state.results = []; showHistory(); at("choose").focus(); });
}

function connectDropAndPaste() {
  const mark = isOver => at("drop").classList.toggle("over", isOver);
  addEventListener("dragover", event => { event.preventDefault(); mark(true); });
  addEventListener("dragleave", event => { if (!event.relatedTarget) mark(false); });
  addEventListener("drop", event => {
    event.preventDefault();
    mark(false);
    take(event.dataTransfer.files);
  });
  addEventListener("paste", event => {
    if (event.clipboardData.files.length > 0) take(event.clipboardData.files);
  });
}

function take(files) {
  if (files.length > 0) add(files);
  else announce("No file was dropped.");
}

connectPage();
connectDropAndPaste();
setInterval(tick, 1000);
loadModels();
