/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "lib/document.h"
#include "lib/names.h"

/* Of members with one name keep the last, as frameworks do when they read. Returns whether two
 * names differ in nothing but case. */
static int drop_doubles(apr_array_header_t *members, apr_pool_t *pool)
{
    ss_json_member_t *member = (ss_json_member_t *)members->elts;
    ss_index_t names = ss_index_create(members->nelts, pool);
    int alike = 0, doubles = 0;

    for (int i = 0; i < members->nelts; i++) {
        ss_index_add(&names, member[i].name);
    }
    if (!ss_index_may_have_alike(&names, pool)) {
        return 0;
    }
    ss_index_sort(&names, pool);
    for (int i = 1; i < names.count; i++) {
        if (ss_index_is_same(&names, i)) {
            member[names.entries[i - 1].number].value = ss_json_absent;
            doubles++;
        }
        else if (ss_index_is_alike(&names, i)) {
            alike = 1;
        }
    }
    if (doubles > 0) {
        ss_json_close_gaps(members);
    }
    return alike;
}

int ss_document_find_hidden(const apr_array_header_t *members)
{
    static const char hidden[] = SS_SESSION_HIDDEN;
    const ss_json_member_t *member = (const ss_json_member_t *)members->elts;
    int place = members->nelts;

    while (place > 0 &&
           !ss_bytes_equal(member[place - 1].name, ss_bytes(hidden, sizeof(hidden) - 1))) {
        place--;
    }
    return place;
}

apr_status_t ss_document_read(ss_document_t *document, ss_bytes_t text, apr_pool_t *pool)
{
    ss_json_object_t object;
    apr_status_t rv = ss_json_object(&object, text, SS_JSON_PYTHON, NULL, pool);

    memset(document, 0, sizeof(*document));
    if (rv != APR_SUCCESS) {
        return rv;
    }
    document->text = text;
    document->value = object.value;
    document->has_alike = drop_doubles(object.members, pool);
    document->members = object.members;
    document->hidden = ss_document_find_hidden(object.members);
    document->is_compact = object.is_compact;
    return APR_SUCCESS;
}

/* Where a slice of the text begins. */
static unsigned short place_of(ss_bytes_t slice, ss_bytes_t text)
{
    return (unsigned short)(slice.data - text.data);
}

/* A name with escapes has been decoded, and stands somewhere else. */
static int is_within(ss_bytes_t slice, ss_bytes_t text)
{
    return slice.data >= text.data && slice.data < text.data + text.len;
}

apr_size_t ss_outline_size(const ss_document_t *document)
{
    const ss_json_member_t *member = (const ss_json_member_t *)document->members->elts;
    int count = document->members->nelts;

    for (int i = 0; i < count; i++) {
        if (!is_within(member[i].name, document->text)) {
            return 0;
        }
    }
    return document->text.len > SS_OUTLINE_TEXT
               ? 0
               : sizeof(ss_outline_t) +
                     (apr_size_t)count * sizeof(((const ss_outline_t *)NULL)->rows[0]);
}

void ss_outline_draw(ss_outline_t *outline, const ss_document_t *document)
{
    const ss_json_member_t *member = (const ss_json_member_t *)document->members->elts;
    ss_bytes_t text = document->text;
    int count = document->members->nelts;

    outline->count = (unsigned short)count;
    outline->value_at = place_of(document->value.raw, text);
    outline->value_len = (unsigned short)document->value.raw.len;
    outline->is_compact = (unsigned char)document->is_compact;
    outline->has_alike = (unsigned char)document->has_alike;
    outline->hidden = (unsigned short)document->hidden;
    for (int i = 0; i < count; i++, member++) {
        outline->rows[i].name_at = place_of(member->name, text);
        outline->rows[i].name_len = (unsigned short)member->name.len;
        outline->rows[i].value_at = place_of(member->value.raw, text);
        outline->rows[i].value_len = (unsigned short)member->value.raw.len;
        outline->rows[i].has_text = member->text.data != NULL;
        outline->rows[i].text_at = member->text.data != NULL ? place_of(member->text, text) : 0;
        outline->rows[i].text_len = (unsigned short)member->text.len;
        outline->rows[i].is_simple = (unsigned char)member->is_simple;
    }
}

void ss_outline_follow(ss_document_t *document, const ss_outline_t *outline, ss_bytes_t text,
                       apr_pool_t *pool)
{
    apr_array_header_t *members = ss_json_members_create(outline->count, pool);
    ss_json_member_t *member = (ss_json_member_t *)members->elts;

    members->nelts = outline->count;
    for (int i = 0; i < outline->count; i++, member++) {
        const char *name = text.data + outline->rows[i].name_at;
        apr_size_t len = outline->rows[i].name_len;

        member->name = ss_bytes(name, len);
        member->quoted.raw = ss_bytes(name - 1, len + 2);
        member->value.raw =
            ss_bytes(text.data + outline->rows[i].value_at, outline->rows[i].value_len);
        member->text = outline->rows[i].has_text ? ss_bytes(text.data + outline->rows[i].text_at,
                                                            outline->rows[i].text_len)
                                                 : ss_absent;
        member->is_simple = outline->rows[i].is_simple;
    }
    document->text = text;
    document->value.raw = ss_bytes(text.data + outline->value_at, outline->value_len);
    document->members = members;
    document->is_compact = outline->is_compact;
    document->has_alike = outline->has_alike;
    document->hidden = outline->hidden;
}
