// Presses buttons as the real Arbeidsflate does (facts/dialogporten.md 5.3).
"use strict";

const REFETCH = 9 * 60 * 1000;
const SHORTEST = 1000;
const LONGEST = 30000;
const FAILED = "Handlingen kunne ikke utføres. Prøv igjen senere.";
const FAILED_FOR = 3000;
const STATUS = {
  InProgress: "Under arbeid", Draft: "Utkast", RequiresAttention: "Krever handling", Completed: "Fullført",
  NotApplicable: "", Awaiting: "Venter",
};
const ACTIVITY = {
  DialogCreated: "Opprettet", DialogClosed: "Avsluttet", Information: "Opplysning", TransmissionOpened: "Forsendelse åpnet",
  PaymentMade: "Betalt", SignatureProvided: "Signert", DialogOpened: "Åpnet", DialogDeleted: "Slettet",
  DialogRestored: "Gjenopprettet", SentToSigning: "Sendt til signering", SentToFormFill: "Sendt til utfylling",
  SentToSendIn: "Klar til innsending", SentToPayment: "Sendt til betaling", FormSubmitted: "Skjema sendt inn",
  FormSaved: "Skjema lagret", CorrespondenceOpened: "Melding åpnet", CorrespondenceConfirmed: "Melding bekreftet",
};
const at = (id) => document.getElementById(id);
const state = { dialog: null, streams: null, tries: 0, busy: null, pressedAt: 0, told: 0, api: document.baseURI.replace(/[^/]*$/, "api/") };

const text = (texts) => (texts || []).reduce((best, each) => (each.languageCode === "nb" || !best ? each.value : best), "");
const ask = (path, options) => fetch(state.api + path, { credentials: "same-origin", ...options });
const send = (path, body) =>
  ask(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

function tell(message, milliseconds = 0) {
  at("message").textContent = message;
  clearTimeout(state.told);
  if (milliseconds) state.told = setTimeout(() => tell(""), milliseconds);
}

function element(name, content, set = {}) {
  const made = Object.assign(document.createElement(name), set);
  made.textContent = content;
  return made;
}

async function showInbox() {
  leave();
  const { items } = await (await ask("dialogs")).json();
  at("dialogs").replaceChildren(...items.map((each) => {
    const row = element("li", "", { className: "dialog" });
    const open = element("button", text(each.content?.title?.value), { type: "button", className: "link" });
    open.addEventListener("click", () => { location.hash = each.id; });
    row.append(open, " ", element("span", STATUS[each.status] || each.status, { className: "status" }));
    return row;
  }));
  at("empty").hidden = items.length > 0;
  at("inbox").hidden = false;
  at("dialog").hidden = true;
}

function leave() {
  state.dialog = null;
  release();
  state.streams?.abort();
  state.streams = null;
}

async function load(id) {
  const answer = await ask(`dialogs/${id}`);
  if (!answer.ok) {
    tell("Dialogen finnes ikke lenger.");
    location.hash = "";
    return;
  }
  const opened = state.dialog?.id !== id;
  state.dialog = await answer.json();
  draw();
  drawEmbed(at("embed"), state.dialog.content?.mainContentReference);
  if (opened) {
    at("title").focus();
    listen();
  }
}

function draw() {
  const dialog = state.dialog;
  const labels = dialog.endUserContext.systemLabels;
  at("inbox").hidden = true;
  at("dialog").hidden = false;
  at("title").textContent = text(dialog.content?.title?.value);
  at("summary").textContent = text(dialog.content?.summary?.value);
  at("status").textContent = STATUS[dialog.status] || dialog.status;
  at("status").dataset.status = dialog.status;
  const badge = text(dialog.content?.extendedStatus?.value);
  at("badge").textContent = badge;
  at("badge").hidden = !badge;
  drawInfo(dialog.content?.additionalInfo);
  at("place").textContent = labels.includes("Bin") ? "I papirkurven" : labels.includes("Archive") ? "I arkivet" : "";
  at("activities").replaceChildren(...dialog.activities.map((each) => {
    const words = [ACTIVITY[each.type] || each.type, text(each.description)].filter(Boolean).join(": ");
    const who = each.performedBy?.actorName || (each.performedBy?.actorType === "ServiceOwner" ? "Etaten" : "");
    return element("li", [words, who, moment(each.createdAt)].filter(Boolean).join(" · "));
  }));
  drawTransmissions(dialog.transmissions || []);
  drawActions(dialog.guiActions.filter((each) => !each.isDeleteDialogAction || labels.includes("Bin")));
}

const moment = (time) => (time ? new Date(time).toLocaleString("nb-NO", { dateStyle: "short", timeStyle: "short" }) : "");

async function drawInfo(content) {
  const info = text(content?.value);
  at("more").hidden = !info;
  if (content?.mediaType !== "text/markdown") {
    at("info").textContent = info;
    return;
  }
  const id = state.dialog.id;
  const shown = await (await send("markdown", { markdown: info })).json();
  if (state.dialog?.id === id) at("info").innerHTML = shown.html; // Made by the backend, without any HTML of the sender's.
}

// Content of the sender's own, fetched by the browser with the dialog token (facts/dialogporten.md 5.1, 5.3).
const EMBED = /^application\/vnd\.dialogporten\.frontchannelembed-url;type=(text\/[a-z]+)$/;
const LONGEST_EMBED = 100 * 1024;
const EMBED_TRIES = 3;

async function fetchEmbed(reference) {
  const wanted = EMBED.exec(reference.mediaType)?.[1];
  if (!wanted) throw new Error(`media type ${reference.mediaType}`);
  const answer = await fetch(text(reference.value), {
    headers: {
      Authorization: `Bearer ${state.dialog.dialogToken}`, "Content-Type": "text/plain", "Accept-Language": "nb",
      Prefer: 'timezone="Europe/Oslo"',
    },
    signal: AbortSignal.timeout(10000),
  });
  if (answer.status === 204) return "";
  if (answer.status !== 200) throw Object.assign(new Error(`embed ${answer.status}`), { status: answer.status });
  const type = (answer.headers.get("Content-Type") || "").split(";")[0].trim();
  const body = await answer.arrayBuffer();
  if (type !== wanted || body.byteLength > LONGEST_EMBED) throw new Error(`embed of ${body.byteLength} bytes of ${type}`);
  return new TextDecoder().decode(body);
}

async function drawEmbed(place, reference) {
  const id = state.dialog?.id;
  place.hidden = !reference;
  place.dataset.embed = "";
  if (!reference) {
    place.replaceChildren();
    return;
  }
  for (let tries = 1; ; tries++) {
    try {
      const markdown = await fetchEmbed(reference);
      const shown = await (await send("markdown", { markdown })).json();
      if (state.dialog?.id !== id) return;
      place.innerHTML = shown.html; // Made by the backend, without any HTML of the sender's.
      place.dataset.embed = "shown";
      return;
    } catch (error) {
      console.info("embed", error.message);
      if (tries === EMBED_TRIES || error.status === 403 || error.status === 404) {
        place.textContent = error.status === 403 ? "Du har ikke tilgang til innholdet." : "Innholdet kan ikke vises nå.";
        place.dataset.embed = "failed";
        return;
      }
      await new Promise((go) => { setTimeout(go, 1000); });
    }
  }
}

function drawTransmissions(transmissions) {
  at("transmissions-part").hidden = !transmissions.length;
  at("transmissions").replaceChildren(...transmissions.map((each) => {
    const row = element("li", "", { className: "dialog" });
    const title = text(each.content?.title?.value);
    const reference = each.content?.contentReference;
    if (!reference) {
      row.append(title);
      return row;
    }
    const more = document.createElement("details");
    const place = document.createElement("div");
    more.append(element("summary", title), place);
    more.addEventListener("toggle", () => { if (more.open) drawEmbed(place, reference); });
    row.append(more);
    return row;
  }));
}

function drawActions(actions) {
  const order = ["Primary", "Secondary", "Tertiary"];
  const buttons = actions
    .sort((one, other) => order.indexOf(one.priority) - order.indexOf(other.priority))
    .map((action) => {
      const button = element("button", text(action.title), { type: "button", className: action.priority.toLowerCase() });
      const busy = state.busy === action.id;
      button.dataset.action = action.id;
      // While one is busy the others can be pressed, as in the real one.
      button.disabled = !action.isAuthorized || busy;
      button.setAttribute("aria-busy", String(busy));
      button.addEventListener("click", () => press(action));
      return button;
    });
  const shown = buttons.slice(0, buttons.length > 2 ? 1 : 2);
  const rest = buttons.slice(shown.length);
  if (rest.length) {
    const more = document.createElement("details");
    more.append(element("summary", "Flere handlinger"), ...rest);
    shown.push(more);
  }
  at("actions").replaceChildren(...shown);
}

function release() {
  state.busy = null;
  at("progress").textContent = "";
  if (state.dialog) draw();
}

async function press(action) {
  const prompt = text(action.prompt);
  if (prompt && !window.confirm(prompt)) {
    // As the real one: whoever says no has a button that stays busy until an event, or until the page is loaded again.
    state.busy = action.id;
    draw();
    return;
  }
  if (action.httpMethod === "GET") {
    location.href = action.url;
    return;
  }
  tell("");
  state.busy = action.id;
  state.pressedAt = performance.now();
  at("progress").textContent = "Oppdaterer …";
  draw();
  let answer;
  try {
    // No body, no content type, no cookies, no time limit, no repeat.
    answer = await fetch(action.url, {
      method: action.httpMethod,
      headers: { Authorization: `Bearer ${state.dialog.dialogToken}`, Accept: "application/json" },
    });
  } catch (error) {
    // As the real one: the failure is logged, the button released, and nothing said.
    console.error("the action could not be sent", error.message);
    release();
    return;
  }
  console.info("action", answer.status, "trace", answer.headers.get("X-Trace-Id"));
  if (answer.ok) return; // The event ends the spinner, and nothing else does.
  const problem = await answer.json().catch(() => ({}));
  release();
  if (answer.status === 422 && problem.deletionAllowedAt) {
    tell(`Kan slettes fra ${new Date(problem.deletionAllowedAt).toLocaleDateString("nb-NO")}.`, 10000);
  } else {
    tell(FAILED, FAILED_FOR);
  }
}

async function listen() {
  state.streams?.abort();
  const dialog = state.dialog;
  if (!dialog || document.hidden) return;
  const control = new AbortController();
  state.streams = control;
  try {
    const answer = await fetch(at("main").dataset.stream, {
      method: "POST",
      headers: {
        "Content-Type": "application/json", Accept: "text/event-stream", Authorization: `Bearer ${dialog.dialogToken}`,
      },
      body: JSON.stringify({
        query: `subscription sub { dialogEvents(dialogId: "${dialog.id}") { id type } }`, variables: {}, operationName: "sub",
      }),
      signal: control.signal,
    });
    if (!answer.ok) {
      again(control, answer.status);
      return;
    }
    at("main").dataset.listening = dialog.id;
    state.tries = 0;
    let rest = "";
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      const lines = (rest + piece.value).split("\n");
      rest = lines.pop();
      lines.filter((line) => line.startsWith("data:")).forEach((line) => heard(JSON.parse(line.slice(5)).data?.dialogEvents));
    }
  } catch (error) {
    if (control.signal.aborted) return;
    console.info("stream lost", error.message);
  }
  // A stream that ended or broke stays closed until the tab is hidden and shown, as in the real one.
  delete at("main").dataset.listening;
}

// Only an error that the page may read is tried again.
function again(control, status) {
  console.info("stream refused", status);
  const most = Math.min(LONGEST, SHORTEST * 2 ** state.tries++);
  setTimeout(() => { if (state.streams === control) listen(); }, Math.random() * most);
}

async function heard(event) {
  if (!event || event.id !== state.dialog?.id) return;
  if (event.type === "DIALOG_DELETED") {
    location.hash = "";
    return;
  }
  if (state.busy !== null) {
    const seconds = (performance.now() - state.pressedAt) / 1000;
    state.busy = null;
    at("main").dataset.spinner = seconds.toFixed(3);
    at("progress").textContent = `Oppdatert etter ${seconds.toFixed(1).replace(".", ",")} s`;
  }
  await load(event.id);
}

function route() {
  const id = location.hash.slice(1);
  if (id) load(id);
  else showInbox();
}

async function begin() {
  const about = await (await ask("session")).json();
  at("main").dataset.stream = about.stream;
  at("party").replaceChildren(...about.parties.map((each) =>
    element("option", each.name, { value: each.party, selected: each.party === about.party })));
  at("party").addEventListener("change", async () => {
    await send("session", { party: at("party").value });
    location.hash = "";
    showInbox();
  });
  at("back").addEventListener("click", () => { location.hash = ""; });
  at("bin").addEventListener("click", async () => {
    await send(`dialogs/${state.dialog.id}/labels`, { add: ["Bin"] });
    load(state.dialog.id);
  });
  window.addEventListener("hashchange", () => { tell(""); route(); });
  window.addEventListener("focus", () => { if (state.dialog) load(state.dialog.id); });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) state.streams?.abort();
    else if (state.dialog) { load(state.dialog.id); listen(); }
  });
  setInterval(() => { if (state.dialog) load(state.dialog.id); }, REFETCH);
  route();
}

begin();
