/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <signal.h>

#include <apr_file_io.h>
#include <apr_strings.h>
#include <apr_thread_proc.h>

#include "lib/command.h"

/* Waits end this often, to look at the clock: for output, and for the process behind it. */
#define READ_STEP apr_time_from_msec(100)
#define WAIT_STEP apr_time_from_msec(5)

/* Called in the child, whose standard error is ours. */
static void report_no_start(apr_pool_t *pool, apr_status_t rv, const char *description)
{
    apr_file_t *err;

    if (apr_file_open_stderr(&err, pool) == APR_SUCCESS) {
        apr_file_printf(err, "%s: %pm\n", description, &rv);
    }
}

static apr_status_t start(apr_proc_t *process, const char *line, apr_pool_t *pool)
{
    char **argv;
    apr_file_t *null;
    apr_procattr_t *attr;
    apr_status_t rv = apr_tokenize_to_argv(line, &argv, pool);

    if (rv != APR_SUCCESS ||
        (rv = apr_file_open(&null, "/dev/null", APR_FOPEN_READ, APR_FPROT_OS_DEFAULT, pool)) !=
            APR_SUCCESS ||
        (rv = apr_procattr_create(&attr, pool)) != APR_SUCCESS ||
        (rv = apr_procattr_io_set(attr, APR_NO_PIPE, APR_CHILD_BLOCK, APR_NO_PIPE)) !=
            APR_SUCCESS ||
        (rv = apr_procattr_child_in_set(attr, null, NULL)) != APR_SUCCESS ||
        (rv = apr_procattr_cmdtype_set(attr, APR_PROGRAM_PATH)) != APR_SUCCESS ||
        (rv = apr_procattr_error_check_set(attr, 1)) != APR_SUCCESS ||
        (rv = apr_procattr_child_errfn_set(attr, report_no_start)) != APR_SUCCESS) {
        return rv;
    }
    return apr_proc_create(process, argv[0], (const char *const *)argv, NULL, attr, pool);
}

/* Gather the output until it ends or the room does. */
static apr_status_t gather(apr_size_t *len, const ss_command_t *command, apr_file_t *out,
                           apr_time_t deadline)
{
    while (*len < command->room) {
        apr_size_t count = command->room - *len;
        apr_status_t rv = apr_file_read(out, command->output + *len, &count);

        *len += count;
        if (rv == APR_EOF) {
            return APR_SUCCESS;
        }
        if (rv != APR_SUCCESS && !APR_STATUS_IS_TIMEUP(rv)) {
            return rv;
        }
        if (apr_time_now() >= deadline) {
            return APR_TIMEUP;
        }
    }
    return APR_SUCCESS;
}

static void end_process(apr_proc_t *process)
{
    apr_proc_kill(process, SIGKILL);
    apr_proc_wait(process, NULL, NULL, APR_WAIT);
}

/* A process goes on after it has closed its output, and so does its time. */
static apr_status_t await(ss_ending_t *ending, apr_proc_t *process, apr_time_t deadline)
{
    apr_exit_why_e how = APR_PROC_EXIT;
    apr_status_t rv;

    while ((rv = apr_proc_wait(process, &ending->code, &how, APR_NOWAIT)) == APR_CHILD_NOTDONE) {
        if (apr_time_now() >= deadline) {
            end_process(process);
            return APR_TIMEUP;
        }
        apr_sleep(WAIT_STEP);
    }
    ending->by_signal = !APR_PROC_CHECK_EXIT(how);
    return rv == APR_CHILD_DONE ? APR_SUCCESS : rv;
}

apr_status_t ss_command_run(ss_ending_t *ending, const ss_command_t *command, apr_pool_t *pool)
{
    apr_time_t deadline = apr_time_now() + command->time;
    apr_proc_t process;
    apr_status_t rv = start(&process, command->line, pool);

    memset(ending, 0, sizeof(*ending));
    if (rv != APR_SUCCESS) {
        return rv;
    }
    apr_file_pipe_timeout_set(process.out, READ_STEP);
    rv = gather(&ending->len, command, process.out, deadline);
    apr_file_close(process.out);
    if (rv == APR_SUCCESS && ending->len < command->room) {
        return await(ending, &process, deadline);
    }
    end_process(&process);
    return rv;
}
