#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
#
# Puts a hundred articles into the cart, or takes all out. The session is then too large for a cookie,
# so httpd moves it into a file, and back; nothing here knows of that.
#
# httpd sets this variable:
# shellcheck disable=SC2154

cart=null
if [ "$PATH_INFO" = /fill ]; then
    cart=
    number=1
    while [ "$number" -le 100 ]; do
        cart="$cart,{\"article\":$number,\"name\":\"a crate of ripe apples\"}"
        number=$((number + 1))
    done
    cart="[${cart#,}]"
fi

printf 'Status: 303\n'
printf 'Location: /#store\n'
printf 'X-Session-Update: {"cart":%s}\n\n' "$cart"
