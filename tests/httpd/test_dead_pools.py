# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""What finds memory that is used longer than its pool lives must find it: the option --dead-pools."""

import pytest

import harness
from harness import Server

CONF = '<Location "/t">\nSetHandler ss-testing\n</Location>'
# What the option does, whether this run has it or not.
ENV = {'LD_PRELOAD': ' '.join(dict.fromkeys([*harness.preload, harness.dead_pools()]))}

pytestmark = pytest.mark.children


def reported_on(server, path):
    """What a report says that this request causes. The sanitizer's says nothing of who ended a pool, but more of the rest."""
    assert server.request('GET', path).status is None
    server.allow('exit signal')
    with pytest.raises(AssertionError, match='httpd was reported on') as failure:
        server.stop()
    return str(failure.value)


def test_a_string_of_a_subrequest_that_is_over_is_found():
    report = reported_on(Server(CONF, 'ss_testing', env=ENV).start(), '/t/keep/original')
    if 'AddressSanitizer: SEGV' in report:
        assert 'answer_keeping' in report
    else:
        who, ended_by = report.split('the pool was ended by')
        assert 'memory of a pool that is no more was accessed by' in who and 'mod_ss_testing.so' in who
        assert 'apr_pool_destroy' in ended_by and 'mod_ss_testing.so' in ended_by


@pytest.mark.address_sanitizer
def test_a_byte_behind_a_block_is_found():
    report = reported_on(Server(CONF, 'ss_testing', env=ENV).start(), '/t/block/4')
    assert 'AddressSanitizer: use-after-poison' in report and 'answer_from_block' in report


def test_what_is_taken_over_in_time_is_none_of_it():
    with Server(CONF, 'ss_testing', env=ENV) as server:
        assert server.request('GET', '/t/keep/copy').text == 'a string of the subrequest'


def test_what_lies_in_a_block_is_none_of_it_either():
    with Server(CONF, 'ss_testing', env=ENV) as server:
        assert server.request('GET', '/t/block/2').text == 'c'
