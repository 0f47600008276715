// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_signed_session authors
//
// Everything on the start page works without this. With it the buttons do not leave the page.
'use strict';

const said = document.getElementById('said');
const LOOKS = 5; // after the key of a bound session, once a second

function show(text) {
    const page = new DOMParser().parseFromString(text, 'text/html');
    document.querySelector('main').replaceWith(page.querySelector('main'));
    document.documentElement.dataset.theme = page.documentElement.dataset.theme;
}

async function look() {
    show(await (await fetch('/')).text());
}

function say(text, isGood) {
    said.textContent = text;
    said.className = isGood ? 'good' : 'bad';
}

// The answer is the start page, after a redirect, or JSON that says what has become of the session.
async function press(form, button) {
    const fields = new URLSearchParams(new FormData(form));
    if (button?.name) {
        fields.append(button.name, button.value);
    }
    const answer = await fetch(form.action, { method: 'POST', body: fields });
    const text = await answer.text();
    if (answer.ok && answer.headers.get('Content-Type')?.startsWith('text/html')) {
        show(text);
        say(`${button.textContent}: done`, true);
    } else {
        await look();
        say(`${answer.status} ${JSON.parse(text).detail ?? text}`, answer.ok);
    }
}

document.addEventListener('submit', event => {
    const form = event.target, action = form.getAttribute('action'), button = event.submitter;
    event.preventDefault();
    press(form, button).then(
        () => {
            const same = document.querySelector(`form[action="${action}"] button[value="${button.value}"]`);
            (same ?? document.querySelector(`form[action^="${action.split('/', 2).join('/')}"] button`))?.focus();
        },
        () => form.submit());
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

waitForKey();
