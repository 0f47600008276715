/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_STORE_FILE_H
#define SS_STORE_FILE_H

#include "mod_signed_session_store.h"

/**
 * Records as files of one machine: `file` or `file:DIR`; DIR is relative to ServerRoot, and is
 * `sessions` in the runtime directory when it is not given.
 *
 *     DIR/<2 hex>/<30 hex>            the record whose id these 32 digits are
 *     DIR/<2 hex>/<30 hex>.<pid>.<n>  one that is being written, or whose writer was killed
 *     DIR/<2 hex>/.lock               flock: held by who changes something in this folder
 *     DIR/.space                      what each folder holds
 *
 * DIR is the run user's, mode 0700, and made at a start by `prepare`. A file's modification time is
 * when it expires. A record is written beside the old one and takes its place by rename: readers
 * take no lock, and whoever is killed leaves the old record or the new one. Nothing is synced: what
 * a crash of the machine leaves is torn, which the seal shows.
 *
 * Nothing but our own names is ever removed, no symbolic link below DIR is followed by who writes,
 * and what lies under the name of a record without being one is no record.
 *
 * Expired files and those of killed writers are swept by whichever call passes: one folder a second
 * and process, each no sooner than a minute after another process has done so, for at most 5 ms of
 * one call.
 *
 * Space is counted in steps of 4096 bytes, as file systems give it, for all processes together; it
 * counts what has expired and was not swept yet. The number is exact but for writers that were
 * killed between renaming and counting, and for what changes while a long folder is being counted;
 * each sweep of a folder sets that right. Creations at the same moment may exceed it by one record
 * each.
 *
 * Not for network file systems: their locks and their waits have no end.
 */
extern const signed_session_store_t ss_store_file;

#endif
