/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "httpd/marks.h"
#include "httpd/rules.h"
#include "lib/field.h"

/* All lines of a field as one list. Most responses do not have it, and looking for one is cheap. */
static const char *field_in(request_rec *r, apr_table_t *table, const char *name)
{
    return apr_table_get(table, name) == NULL ? NULL : apr_table_getm(r->pool, table, name);
}

/* Take one list-valued field out of whichever of the two tables it stands in. */
static const char *take_field(request_rec *r, const char *name)
{
    const char *value = field_in(r, r->headers_out, name);
    const char *other = field_in(r, r->err_headers_out, name);

    if (other != NULL) {
        apr_table_unset(r->err_headers_out, name);
    }
    return ss_field_join(value, other, r->pool);
}

/* What is written for caches of a certain kind, which would go before Cache-Control (RFC 9213). */
static const char *const targeted[] = { "CDN-Cache-Control", "Surrogate-Control" };

static void drop_targeted(request_rec *r)
{
    for (apr_size_t i = 0; i < sizeof(targeted) / sizeof(targeted[0]); i++) {
        apr_table_unset(r->headers_out, targeted[i]);
        apr_table_unset(r->err_headers_out, targeted[i]);
    }
}

static void mark_private(request_rec *r)
{
    drop_targeted(r);
    apr_table_setn(r->headers_out, "Cache-Control",
                   ss_field_private(take_field(r, "Cache-Control"), r->pool));
}

/* No cache may answer in the stead of a place that takes something away, or asks who it is; nor
 * later, when that is known. */
static void mark_unstored(request_rec *r)
{
    const char *value = take_field(r, "Cache-Control");

    drop_targeted(r);
    apr_table_setn(r->headers_out, "Cache-Control",
                   ss_field_has(value, "no-store") ? value
                                                   : ss_field_join(value, "no-store", r->pool));
}

static void mark_varying(request_rec *r)
{
    const char *vary = take_field(r, "Vary");

    if (vary == NULL) {
        apr_table_addn(r->headers_out, "Vary", "Cookie");
        return;
    }
    if (!ss_field_has(vary, "Cookie") && !ss_field_has(vary, "*")) {
        vary = ss_field_join(vary, "Cookie", r->pool);
    }
    apr_table_setn(r->headers_out, "Vary", vary);
}

/* Did the session open a door on the way? */
int ss_marks_is_let_in(const request_rec *r)
{
    const ss_visit_t *visit = ss_visit_loaded(r);

    return visit != NULL && (visit->require.granted || visit->identity.known ||
                             visit->expression.required || visit->modules.told);
}

static int is_asked(const request_rec *r)
{
    const ss_visit_t *visit = ss_visit_loaded(r);

    return visit != NULL && visit->expression.asked;
}

static int varies_in(const ss_dir_conf_t *dir)
{
    return dir->mode != SS_OFF && dir->vary;
}

/* Each request of the chain had a part in it: a script may have chosen the page, or a refusal the
 * error document. */
int ss_marks_is_varying(request_rec *r)
{
    if (is_asked(r)) {
        return 1;
    }
    for (; r != NULL; r = r->prev) {
        if (ss_visit_any_place(r, varies_in) || ss_visit_step(r)->included) {
            return 1;
        }
    }
    return 0;
}

/* Is this one of the answers on the way in, good for one client at one moment? */
static int is_about_login(const request_rec *r)
{
    const ss_visit_t *visit = ss_visit_known(r);

    return visit != NULL && (visit->login.asked || visit->returning.answered);
}

/* What is shown while nobody knows who it is would be wrong as soon as it is known again. */
static int is_in_outage(const request_rec *r)
{
    const ss_visit_t *visit = ss_visit_loaded(r);

    return visit != NULL && visit->state == SS_UNAVAILABLE;
}

void ss_marks_set(request_rec *r, const ss_step_t *step)
{
    if (ss_rules_take_away(r) || is_about_login(r) || is_in_outage(r)) {
        mark_unstored(r);
    }
    if (step->is_private || step->withheld || ss_marks_is_let_in(r)) {
        mark_private(r);
    }
    if (ss_marks_is_varying(r)) {
        mark_varying(r);
    }
}
