# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""A Chromium without a window, and without anything of an earlier one."""

import contextlib
import os
import shutil
import tempfile

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from ports import free_port

QUIET = ('--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
         '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage', '--no-proxy-server')
PATIENCE = 20  # seconds for a page or a script


@contextlib.contextmanager
def chromium_with(*arguments, prefs=(), logs=()):
    """Its driver. `prefs` are settings, `logs` those that the driver keeps and at which level."""
    os.environ['no_proxy'] = 'localhost,127.0.0.1'
    profile = tempfile.mkdtemp(prefix='signed-session-browser-')
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which('chromium')
    for argument in (*QUIET, f'--user-data-dir={profile}', *arguments):
        options.add_argument(argument)
    options.add_experimental_option('prefs', dict(prefs))
    options.set_capability('goog:loggingPrefs', dict(logs))
    driver = None
    try:
        driver = webdriver.Chrome(service=Service(shutil.which('chromedriver'), port=free_port(), log_path=os.devnull),
                                  options=options)
        driver.set_script_timeout(PATIENCE)
        driver.set_page_load_timeout(PATIENCE)
        yield driver
    finally:
        if driver is not None:
            driver.quit()
        shutil.rmtree(profile, ignore_errors=True)
