#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
#
# Counts a visitor's calls. It reads the session from its environment and changes it with a response
# header, a JSON merge patch; it never sees a secret and never writes a cookie.
#
# httpd sets these variables:
# shellcheck disable=SC2154

escape()
{
    printf '%s' "$1" | sed 's/&/\&amp;/g; s/</\&lt;/g; s/>/\&gt;/g'
}

case $SESSION_visits in
'' | *[!0-9]*) visits=1 ;;
*) visits=$((SESSION_visits + 1)) ;;
esac

case $SESSION_theme in
dark | light) theme=$SESSION_theme ;;
*) theme= ;;
esac

printf 'Content-Type: text/html; charset=utf-8\n'
printf 'Cache-Control: no-cache\n'
printf 'X-Session-Update: {"visits":%d}\n\n' "$visits"

cat <<HTML
<!DOCTYPE html>
<html lang="en" data-theme="$theme">
<meta charset="utf-8">
<title>Visits</title>
<meta name="viewport" content="width=device-width">
<link rel="icon" href="/icon.svg">
<link rel="stylesheet" href="/style.css">
<h1>Visit number $visits</h1>
<p>This is what the script found in its environment:</p>
<table class="explained">
<tr><th>SIGNED_SESSION_STATE<td><code>$(escape "$SIGNED_SESSION_STATE")</code>
<tr><th>SESSION<td><code>$(escape "$SESSION")</code>
<tr><th>SESSION_visits<td><code>$(escape "${SESSION_visits-(not set)}")</code>
</table>
<p>And this is what it answered, to change the session:</p>
<pre>X-Session-Update: {"visits":$visits}</pre>
<footer><a href="/counter">Again</a> &middot; <a href="/">Start page</a></footer>
HTML
