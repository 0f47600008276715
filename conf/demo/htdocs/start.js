// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_signed_session authors
//
// Everything on the start page works without this. With it the buttons do not leave the page, the page waits for
// the key of a bound session, and some counters are shown.
'use strict';

const LOOKS = 5; // for the key, once a second
const COUNTED = { requests: 'cookie', writes: 'session', refusals: 'refused', revocations: 'revoked', bindings: 'binding' };

const said = document.getElementById('said');

function say(text, isGood) {
    said.textContent = text;
    said.className = isGood ? 'good' : 'bad';
}

async function count() {
    const counters = await (await fetch('/session-metrics?format=json')).json();
    const items = Object.entries(COUNTED).flatMap(([group, word]) =>
        Object.entries(counters[group]).filter(([, number]) => number > 0).map(([name, number]) => {
            const item = document.createElement('li');
            item.textContent = `${word} ${name} `;
            item.append(document.createElement('b'));
            item.lastChild.textContent = number;
            return item;
        }));
    document.querySelector('.counts').replaceChildren(...items);
}

function show(text) {
    const page = new DOMParser().parseFromString(text, 'text/html');
    document.querySelector('main').replaceWith(page.querySelector('main'));
    document.documentElement.dataset.theme = page.documentElement.dataset.theme;
    count();
}

async function look() {
    show(await (await fetch('/')).text());
}

// The answer is the start page, after a redirect, or JSON that says what has become of the session.
async function press(form, button) {
    const answer = await fetch(form.action, { method: 'POST', body: new URLSearchParams(new FormData(form, button)) });
    const text = await answer.text();
    if (answer.ok && answer.headers.get('Content-Type').startsWith('text/html')) {
        show(text);
        say(`${button.textContent}: done`, true);
    } else {
        await look();
        say(`${answer.status} ${JSON.parse(text).detail ?? text}`, answer.ok);
    }
}

// The page is new, and so is the button: the same one, or what has taken its place.
function focusAgain(section, button) {
    const buttons = [...document.querySelectorAll(`#${section} :is(button, .button)`)];
    (buttons.find(other => other.textContent === button.textContent) ?? buttons[0])?.focus({ preventScroll: true });
}

document.addEventListener('submit', event => {
    const form = event.target, button = event.submitter, section = form.closest('section').id;
    event.preventDefault();
    press(form, button).then(() => focusAgain(section, button), error => say(String(error), false));
});

async function waitForKey() {
    for (let looks = 0; looks < LOOKS && document.querySelector('[data-waiting]'); looks++) {
        await new Promise(done => setTimeout(done, 1000));
        await look();
    }
    const waiting = document.querySelector('[data-waiting]');
    if (waiting) {
        waiting.textContent = waiting.dataset.waiting;
    }
}

count();
waitForKey();
