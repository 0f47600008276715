/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
"use strict";
const $ = (query, below = document) => below.querySelector(query);
const say = $("#say"), ask = $("dialog");
document.documentElement.classList.add("js");

function tell(text, bad) {
    say.textContent = text;
    say.className = bad ? "bad" : "";
}

/* The endpoint that this page stands for. What was changed is told once it is there again. */
async function send(method, done, body, type) {
    const headers = { Accept: "application/json" };
    if (body) headers["Content-Type"] = type;
    tell("Saving…");
    try {
        const answer = await fetch(location.pathname, { method, body, headers });
        if (answer.ok) {
            history.replaceState(done, "");
            location.reload();
            return;
        }
        const problem = await answer.json().catch(() => ({}));
        tell(problem.detail || "Refused, with status " + answer.status + ".", true);
    } catch (error) {
        tell("No answer: " + error.message, true);
    }
}

/* A bare word is taken for a string; broken JSON is not. Numbers stay as they are written. */
function store(key, text) {
    try {
        JSON.parse(text);
    } catch (error) {
        if (/^\s*[[{"]/.test(text)) return tell("This is no JSON: " + error.message, true);
        text = JSON.stringify(text);
    }
    send("POST", { key, text: "Saved." }, "{" + JSON.stringify(key) + ":" + text + "}", "application/json");
}

function remove(key) {
    send("PATCH", { text: "Deleted." }, "{" + JSON.stringify(key) + ":null}", "application/merge-patch+json");
}

function button(text, look, act, name) {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = text;
    made.className = look;
    made.onclick = act;
    if (name) made.setAttribute("aria-label", name);
    return made;
}

function bar(...buttons) {
    const made = document.createElement("div");
    made.className = "acts";
    made.append(...buttons);
    return made;
}

/* The first button keeps. */
function sure(question, yes, act) {
    $("p", ask).textContent = question;
    $(".acts", ask).replaceChildren(
        button("Keep it", "", () => ask.close()),
        button(yes, "end", () => { ask.close(); act(); }));
    ask.showModal();
}

/* The field takes the place of the row's other cells. */
function edit(row, key, from) {
    const cell = $(".val", row), before = [...cell.childNodes], field = document.createElement("textarea");
    const shown = $("[data-value]", cell);
    field.value = shown ? shown.textContent : "";
    field.rows = Math.min(14, field.value.split("\n").length + 2);
    field.setAttribute("aria-label", "Value of " + key + ", as JSON or plain text");
    field.spellcheck = false;
    function cancel() {
        cell.replaceChildren(...before);
        cell.colSpan = 1;
        row.classList.remove("editing");
        from.focus();
        tell("");
    }
    const save = () => store(key, field.value);
    field.onkeydown = event => {
        if (event.key == "Escape") cancel();
        if (event.key == "Enter" && (event.ctrlKey || event.metaKey)) save();
    };
    cell.replaceChildren(field, bar(button("Cancel", "", cancel), button("Save", "go", save)));
    cell.colSpan = 3;
    row.classList.add("editing");
    field.focus();
    field.setSelectionRange(0, 0);
    field.scrollTop = 0;
}

for (const row of document.querySelectorAll("[data-key]")) {
    const key = row.dataset.key, cell = $(".do", row);
    const change = button("Edit", "", () => edit(row, key, change), "Edit " + key);
    cell.append(bar(change, button("Delete", "end", () => sure("Delete “" + key + "” from this session?",
        "Delete", () => remove(key)), "Delete " + key)));
    if (history.state && history.state.key === key) {
        row.className = "new";
        change.focus();
    }
}
if (history.state && history.state.text) {
    tell(history.state.text);
    history.replaceState(null, "");
}
if ($("#end")) {
    $("#end").onclick = () => sure("End this session? The cookie goes, and every key with it.", "End it",
        () => send("DELETE", { text: "The session has ended." }));
}
if ($(".add")) {
    $(".add").onsubmit = event => {
        event.preventDefault();
        store($("#new-key").value, $("#new-value").value);
    };
}

/* "in 7h 36min" stays true while the page is open. */
function span(left) {
    const units = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
    const first = Math.max(0, units.findIndex(([size]) => left >= size));
    return units.slice(first, first + 2).map(([size, name], i) => {
        const count = Math.floor((i ? left % units[first][0] : left) / size);
        return count || !i ? count + name : "";
    }).join(" ").trim();
}
const ahead = document.body.dataset.now * 1000 - Date.now();
setInterval(() => {
    for (const time of document.querySelectorAll("[data-left]")) {
        const left = Math.floor((new Date(time.dateTime) - Date.now() - ahead) / 1000);
        time.textContent = left > 0 ? "in " + span(left) : "now: reload the page";
    }
}, 15000);
