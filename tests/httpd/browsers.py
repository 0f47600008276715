# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""A Chromium without a window, and without anything of an earlier one."""

import contextlib
import os
import shutil
import tempfile

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException, WebDriverException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

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


def has_gone(element):
    try:
        element.is_enabled()
    except StaleElementReferenceException:
        return True
    except WebDriverException as error:
        # so says the driver when it asks in the very moment of the change
        if 'does not belong to the document' not in str(error):
            raise
        return True
    return False


def leave(driver, act, element=None):
    """Do what makes another page of this one, and wait until that is there, or a new part of it in the place of `element`.

    The driver waits by itself only where the browser has set out already when a click or a key returns.
    """
    old = element or driver.find_element(By.TAG_NAME, 'html')
    act()
    WebDriverWait(driver, PATIENCE).until(lambda _: has_gone(old) and driver.execute_script('return document.readyState') == 'complete')
