/* SPDX-License-Identifier: MIT */
/* Many threads and forked processes asking one agent at once, on small stacks. For
 * ThreadSanitizer, too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "tests/common/client/asking.h"

#define THREADS   64
#define QUESTIONS 20

static struct fake fake;

static bool ask_once(void)
{
    struct cvg_question q = question(CVG_PKI_OK);
    struct cvg_answer *own = calloc(1, sizeof *own);
    bool good;

    scratch_need(own != NULL, "calloc");
    pthread_cleanup_push(free, own);
    ask_question(&fake.paths, &q, own);
    good = own->action == CVG_ACTION_ACCEPT && own->id == q.id;
    pthread_cleanup_pop(1);
    return good;
}

static void *ask_many(void *user)
{
    atomic_int *accepted = user;

    for (int i = 0; i < QUESTIONS; i++)
        if (ask_once())
            atomic_fetch_add(accepted, 1);
    return NULL;
}

static void prepare(void)
{
    fake_start(&fake, FAKE_SAYS_ACCEPT, scratch, geteuid(), 16);
    configure(CVG_MODE_AUGMENT, CVG_UNREACHABLE_DENY);
    config.deadline_ms = 30000;
}

static void sixty_four_threads_each_get_their_answers(void **state)
{
    pthread_t threads[THREADS];
    atomic_int accepted = 0;
    int before = open_descriptors();

    (void)state;
    prepare();
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_many, &accepted), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(accepted, THREADS * QUESTIONS);
    fake_stop(&fake);
    assert_int_equal(open_descriptors(), before);
}

static void forked_children_each_get_their_answers(void **state)
{
    pid_t children[16];

    (void)state;
    prepare();
    for (int i = 0; i < 16; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0) {
            for (int j = 0; j < QUESTIONS; j++)
                if (!ask_once())
                    _exit(1);
            _exit(0);
        }
    }
    for (int i = 0; i < 16; i++) {
        int status = -1;

        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    fake_stop(&fake);
}

/* A thread that is cancelled while it waits for its answer leaves nothing behind: the question ends
 * at its deadline first, and the descriptor is closed. */
static void *ask_silent(void *user CVG_UNUSED)
{
    ask_once();
    pthread_testcancel();
    return &fake;
}

static void a_cancelled_thread_leaks_nothing(void **state)
{
    int before = open_descriptors();
    pthread_t thread;
    void *result = NULL;

    (void)state;
    fake_start(&fake, FAKE_SILENT, scratch, geteuid(), 16);
    configure(CVG_MODE_AUGMENT, CVG_UNREACHABLE_DENY);
    assert_int_equal(pthread_create(&thread, NULL, ask_silent, NULL), 0);
    assert_int_equal(fake_heard(&fake, 10000), 'q');
    assert_int_equal(pthread_cancel(thread), 0);
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_ptr_equal(result, PTHREAD_CANCELED);
    fake_stop(&fake);
    assert_int_equal(open_descriptors(), before);
}

/* Sanitizers need far more stack than the code itself. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STACK_IS_OURS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define STACK_IS_OURS 0
#endif
#endif
#ifndef STACK_IS_OURS
#define STACK_IS_OURS 1
#endif

#define STACK_SIZE  (256 * 1024)
#define STACK_LIMIT (16 * 1024)
#define PAINT       0xa5

static void *load_and_ask(void *user)
{
    static struct cvg_config loaded;
    struct cvg_paths *paths = user;
    struct cvg_why why;

    if (cvg_config_load(&loaded, paths, &why) != CVG_OK || !ask_once())
        return NULL;
    return user;
}

static void *do_nothing(void *user)
{
    return user;
}

/* The octets of its stack that a thread touches, from its top down. */
static size_t stack_used(void *(*function)(void *), void *user)
{
    uint8_t *stack =
        mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pthread_attr_t attr;
    pthread_t thread;
    void *result = NULL;
    size_t untouched = 0;

    assert_true(stack != MAP_FAILED);
    memset(stack, PAINT, STACK_SIZE);
    assert_int_equal(pthread_attr_init(&attr), 0);
    assert_int_equal(pthread_attr_setstack(&attr, stack, STACK_SIZE), 0);
    assert_int_equal(pthread_create(&thread, &attr, function, user), 0);
    pthread_join(thread, &result);
    pthread_attr_destroy(&attr);
    assert_ptr_equal(result, user);
    while (stack[untouched] == PAINT)
        untouched++;
    munmap(stack, STACK_SIZE);
    return STACK_SIZE - untouched;
}

/* Coroutines and threads of other C libraries have 64 to 128 KB in all. */
static void a_small_stack_suffices(void **state)
{
    struct cvg_paths paths;
    size_t bare, used;

    (void)state;
    if (!STACK_IS_OURS)
        skip();
    prepare();
    setenv("CONVERGE_CONFIG_DIR", scratch, 1);
    scratch_file("converge.conf", "mode = augment\n", 0600);
    bare = stack_used(do_nothing, &paths);
    used = stack_used(load_and_ask, &paths);
    print_message("# a thread's own %zu octets, with loading and asking %zu\n", bare, used);
    assert_in_range(used - bare, 1, STACK_LIMIT);
    fake_stop(&fake);
}

#define SCRATCH_TEST(test) cmocka_unit_test_setup_teardown(test, scratch_make, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(sixty_four_threads_each_get_their_answers),
        SCRATCH_TEST(forked_children_each_get_their_answers),
        SCRATCH_TEST(a_cancelled_thread_leaks_nothing),
        SCRATCH_TEST(a_small_stack_suffices),
    };

    return cmocka_run_group_tests_name("threads", tests, NULL, NULL);
}
