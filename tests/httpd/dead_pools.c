/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */

/* For tests only: a library to start httpd with (LD_PRELOAD), in which the memory of a pool dies
 * with the pool. Whoever reads or writes it afterwards crashes at once, and a report says who that
 * was and who ended the pool.
 *
 * APR keeps the memory of a pool that was cleared or destroyed, and gives it to the next one: to
 * sanitizers, and to valgrind, it is never free. Here each pool has pages of its own, which cannot
 * be accessed any more once the pool has run its cleanups, and whose addresses never come again.
 * That costs a page for each small pool, and catches httpd's own code as well as ours, compiled in
 * any way. What a sanitizer can do with exact sizes, it can do here: where the address sanitizer is
 * loaded as well, the bytes between two blocks are poison to code that was compiled with it.
 *
 * Not seen: memory that does not come from apr_palloc, such as that of buckets; and what the system
 * reads for a process, which fails with EFAULT.
 *
 * SS_DEAD_POOLS names the file for reports; the process's id is appended to it.
 */

#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "apr_pools.h"
#include "apr_strings.h"
#include "apr_thread_proc.h"

#define REGION_SIZE ((size_t)1 << 36) /* addresses, not memory */
#define PAGE ((size_t)4096)
#define CHUNK_MAX ((size_t)1 << 20) /* what a pool gets at a time is doubled up to this */
#define BLOCK_ALIGN ((size_t)16)
#define GAP ((size_t)16)
#define BUCKETS 1024
#define FRAMES 20
#define DEATHS_MAX ((size_t)1 << 20)

/** Pages of a pool, at their own beginning. */
typedef struct chunk_t {
    struct chunk_t *older;
    char *end;
} chunk_t;

/** The memory of one pool. It lies in the oldest of its chunks. */
typedef struct arena_t {
    struct arena_t *next; /* in the bucket */
    apr_pool_t *pool;
    chunk_t *chunks; /* newest first */
    char *free;      /* in the newest one */
    int has_processes;
} arena_t;

/** Of one chunk: where it was, and who ended its pool. */
typedef struct {
    char *begin, *end;
    int depth;
    void *frames[FRAMES];
} death_t;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static char *region, *unused;
static arena_t *buckets[BUCKETS];
static death_t *deaths;
static size_t deaths_count;
static const char *reports;

/* Its cleanups are over, and APR has still to look at its processes. */
static __thread arena_t *doomed;

/* There where the address sanitizer is. */
extern void __asan_poison_memory_region(void const volatile *, size_t) __attribute__((weak));
extern void __asan_unpoison_memory_region(void const volatile *, size_t) __attribute__((weak));

static void give_up(const char *why)
{
    fprintf(stderr, "dead_pools: %s\n", why);
    abort();
}

/* --- reports -------------------------------------------------------------------------------- */

static const death_t *death_at(const char *address)
{
    size_t i = deaths_count;

    while (i-- > 0) {
        if (address >= deaths[i].begin && address < deaths[i].end) {
            return &deaths[i];
        }
    }
    return NULL;
}

static void write_text(int file, const char *text)
{
    if (write(file, text, strlen(text)) < 0) {
        _exit(1);
    }
}

static void write_report(const char *address)
{
    const death_t *death = death_at(address);
    void *frames[FRAMES];
    char name[4096];
    int file;

    snprintf(name, sizeof(name), "%s.%ld", reports, (long)getpid());
    file = open(name, O_WRONLY | O_CREAT | O_APPEND, 0644);
    write_text(file, "memory of a pool that is no more was accessed by\n");
    backtrace_symbols_fd(frames, backtrace(frames, FRAMES), file);
    if (death != NULL) {
        write_text(file, "the pool was ended by\n");
        backtrace_symbols_fd(death->frames, death->depth, file);
    }
    close(file);
}

static void on_fault(int number, siginfo_t *info, void *context)
{
    const char *address = info->si_addr;

    (void)context;
    signal(number, SIG_DFL);
    raise(number); /* once this handler has returned */
    if (reports != NULL && address >= region && address < region + REGION_SIZE) {
        write_report(address);
    }
}

/* --- the pages ------------------------------------------------------------------------------ */

static void *reserve(size_t size, int access)
{
    void *pages = mmap(NULL, size, access, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (pages == MAP_FAILED) {
        give_up("no addresses");
    }
    return pages;
}

static void lock(void)
{
    pthread_mutex_lock(&mutex);
}

static void unlock(void)
{
    pthread_mutex_unlock(&mutex);
}

__attribute__((constructor)) static void begin(void)
{
    const struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
    void *frame;

    reports = getenv("SS_DEAD_POOLS");
    region = unused = reserve(REGION_SIZE, PROT_NONE);
    deaths = reserve(DEATHS_MAX * sizeof(*deaths), PROT_READ | PROT_WRITE);
    pthread_atfork(lock, unlock, unlock);
    backtrace(&frame, 1); /* loads what it needs */
    sigaction(SIGSEGV, &action, NULL);
}

/* httpd has a handler of its own for this signal, which would take the place of ours. */
int sigaction(int number, const struct sigaction *action, struct sigaction *before)
{
    static int is_ours;
    static int (*next)(int, const struct sigaction *, struct sigaction *);

    if (next == NULL) {
        /* as POSIX has it, for want of a conversion between functions and objects */
        *(void **)&next = dlsym(RTLD_NEXT, "sigaction");
    }
    if (number == SIGSEGV && action != NULL && is_ours++ > 0) {
        action = NULL;
    }
    return next(number, action, before);
}

static size_t rounded(size_t size, size_t unit)
{
    return (size + unit - 1) / unit * unit;
}

/* The chunk's own head takes a unit of the alignment. */
static chunk_t *take_pages(size_t size, chunk_t *older)
{
    const size_t last = older == NULL ? PAGE / 2 : (size_t)(older->end - (char *)older);
    size_t whole = last < CHUNK_MAX ? last * 2 : CHUNK_MAX;
    chunk_t *chunk = (chunk_t *)(void *)unused;

    if (size > REGION_SIZE / 2) {
        give_up("a block is too large");
    }
    size = rounded(size + rounded(sizeof(*chunk), BLOCK_ALIGN), PAGE);
    whole = size > whole ? size : whole;
    if (whole > (size_t)(region + REGION_SIZE - unused) ||
        mprotect(chunk, whole, PROT_READ | PROT_WRITE) != 0) {
        give_up("no memory");
    }
    unused += whole;
    chunk->older = older;
    chunk->end = unused;
    return chunk;
}

static void *take_block(arena_t *arena, size_t size)
{
    const size_t whole = rounded(size, BLOCK_ALIGN) + GAP;
    char *block;

    if (size > REGION_SIZE / 2 || whole > (size_t)(arena->chunks->end - arena->free)) {
        arena->chunks = take_pages(whole, arena->chunks);
        arena->free = (char *)arena->chunks + rounded(sizeof(chunk_t), BLOCK_ALIGN);
    }
    block = arena->free;
    arena->free += whole;
    if (__asan_poison_memory_region != NULL) {
        __asan_poison_memory_region(block + size, whole - size);
    }
    return block;
}

/* --- arenas --------------------------------------------------------------------------------- */

static arena_t **link_to(const apr_pool_t *pool)
{
    arena_t **link = &buckets[(size_t)pool / 64 % BUCKETS];

    while (*link != NULL && (*link)->pool != pool) {
        link = &(*link)->next;
    }
    return link;
}

static arena_t *arena_make(apr_pool_t *pool)
{
    chunk_t *chunk = take_pages(sizeof(arena_t), NULL);
    arena_t *arena = (arena_t *)(void *)((char *)chunk + rounded(sizeof(*chunk), BLOCK_ALIGN));

    arena->pool = pool;
    arena->chunks = chunk;
    arena->free = (char *)arena + rounded(sizeof(*arena), BLOCK_ALIGN);
    return arena;
}

static void note_death(chunk_t *chunk)
{
    if (deaths_count < DEATHS_MAX) {
        death_t *death = &deaths[deaths_count];

        death->begin = (char *)chunk;
        death->end = chunk->end;
        death->depth = backtrace(death->frames, FRAMES);
        deaths_count++;
    }
}

static void arena_kill(arena_t *arena)
{
    chunk_t *chunk = arena->chunks;

    while (chunk != NULL) {
        const size_t size = (size_t)(chunk->end - (char *)chunk);
        chunk_t *older = chunk->older;

        note_death(chunk);
        if (__asan_unpoison_memory_region != NULL) {
            __asan_unpoison_memory_region(chunk, size); /* the pages speak for themselves now */
        }
        madvise(chunk, size, MADV_DONTNEED);
        if (mprotect(chunk, size, PROT_NONE) != 0) {
            give_up("pages cannot be closed");
        }
        chunk = older;
    }
}

/* The last cleanup of a pool, because it was the first that was registered: then its memory is no
 * more. But of the processes that it noted APR reads there after the cleanups. */
static apr_status_t end_pool(void *arena_)
{
    arena_t *arena = arena_;
    arena_t **link;

    lock();
    link = link_to(arena->pool);
    *link = arena->next;
    if (doomed != NULL) {
        arena_kill(doomed);
        doomed = NULL;
    }
    if (arena->has_processes) {
        doomed = arena;
    }
    else {
        arena_kill(arena);
    }
    unlock();
    return APR_SUCCESS;
}

static arena_t *arena_of(apr_pool_t *pool, int *is_new)
{
    arena_t **link = link_to(pool);

    *is_new = *link == NULL;
    if (*is_new) {
        *link = arena_make(pool);
    }
    return *link;
}

/* --- in place of APR's ---------------------------------------------------------------------- */

void *apr_palloc(apr_pool_t *pool, apr_size_t size)
{
    arena_t *arena;
    void *block;
    int is_new;

    lock();
    arena = arena_of(pool, &is_new);
    unlock();
    if (is_new) {
        apr_pool_cleanup_register(pool, arena, end_pool, apr_pool_cleanup_null);
    }
    lock();
    block = take_block(arena, size);
    unlock();
    return block;
}

/* APR's writes into its own pages. */
char *apr_pvsprintf(apr_pool_t *pool, const char *format, va_list values)
{
    va_list again;
    int length;
    char *text;

    va_copy(again, values);
    length = apr_vsnprintf(NULL, 0, format, again);
    va_end(again);
    text = apr_palloc(pool, (apr_size_t)length + 1);
    apr_vsnprintf(text, (apr_size_t)length + 1, format, values);
    return text;
}

void apr_pool_note_subprocess(apr_pool_t *pool, apr_proc_t *process, apr_kill_conditions_e how)
{
    static void (*next)(apr_pool_t *, apr_proc_t *, apr_kill_conditions_e);
    int is_new;

    lock();
    if (next == NULL) {
        *(void **)&next = dlsym(RTLD_NEXT, "apr_pool_note_subprocess");
    }
    arena_of(pool, &is_new)->has_processes = 1;
    unlock();
    next(pool, process, how);
}
