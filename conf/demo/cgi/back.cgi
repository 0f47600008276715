#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
#
# Leads back to the start page. httpd has asked by then who may come here, which a Redirect does not wait for.

printf 'Status: 303\nLocation: /#logout\n\n'
