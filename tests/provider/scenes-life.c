/* SPDX-License-Identifier: MIT */
/* Scenes about the life of a process and of its library contexts: exit, load, unload, growth. */
#include "config.h"

#include "tests/provider/host.h"

#include <dirent.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <time.h>
#include <unistd.h>

#include <openssl/conf.h>
#include <openssl/provider.h>

#include "tests/provider/scene-dl.h"

static SSL_CTX *shared;

static void *connect_in_thread(void *user)
{
    (void)user;
    connect_once(shared, options.port[0]);
    return NULL;
}

/* Ends the process, when it is told to, while threads wait for their answers. */
int scene_exit(void)
{
    pthread_t thread;
    char octet;

    shared = host_ctx(NULL);
    for (unsigned i = 0; i < options.count; i++)
        if (pthread_create(&thread, NULL, connect_in_thread, NULL) != 0)
            return 1;
    while (read(STDIN_FILENO, &octet, 1) > 0)
        ;
    exit(0);
}

/* A context of the program's own, loaded with the configuration; repeatedly, so that a new one
 * comes to lie where an old one was. */
static void own_context(bool as_default)
{
    OSSL_LIB_CTX *own = OSSL_LIB_CTX_new(), *previous = NULL;
    SSL_CTX *ctx;

    if (as_default)
        previous = OSSL_LIB_CTX_set0_default(own);
    if (!OSSL_LIB_CTX_load_config(own, getenv("OPENSSL_CONF")))
        exit(1);
    ctx = host_ctx(own);
    connect_once(ctx, options.port[0]);
    SSL_CTX_free(ctx);
    if (as_default)
        OSSL_LIB_CTX_set0_default(previous);
    OSSL_LIB_CTX_free(own);
}

int scene_contexts(void)
{
    for (unsigned i = 0; i < options.count; i++)
        own_context(false);
    return 0;
}

static void *own_default(void *user)
{
    (void)user;
    own_context(true);
    return NULL;
}

/* First in the main thread, then in others; and the global default context goes on. */
int scene_default_context(void)
{
    pthread_t thread;

    for (unsigned i = 0; i < options.count; i++) {
        own_context(true);
        if (pthread_create(&thread, NULL, own_default, NULL) != 0)
            return 1;
        pthread_join(thread, NULL);
    }
    return scene_connect();
}

/* The configuration loaded again and again. */
int scene_reload(void)
{
    for (unsigned i = 0; i < options.count; i++) {
        if (CONF_modules_load_file(getenv("OPENSSL_CONF"), NULL, 0) <= 0)
            return 1;
        if (i % 2)
            CONF_modules_finish();
    }
    if (CONF_modules_load_file(getenv("OPENSSL_CONF"), NULL, 0) <= 0)
        return 1;
    return scene_connect();
}

/* For a configuration without the module: loads it by hand, connects, unloads it, connects. */
int scene_unload(void)
{
    OSSL_PROVIDER *standard = OSSL_PROVIDER_load(NULL, "default");
    OSSL_PROVIDER *module;

    for (unsigned i = 0; i < options.count; i++) {
        module = OSSL_PROVIDER_load(NULL, "converge");
        if (!module)
            return 1;
        if (i + 1 == options.count)
            scene_connect();
        OSSL_PROVIDER_unload(module);
    }
    scene_connect();
    OSSL_PROVIDER_unload(standard);
    return 0;
}

static unsigned open_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    unsigned count = 0;

    while (dir && readdir(dir))
        count++;
    if (dir)
        closedir(dir);
    return count;
}

/* For a configuration without the module: an SSL_CTX older than the module. */
int scene_late(void)
{
    OSSL_PROVIDER *standard = OSSL_PROVIDER_load(NULL, "default");
    SSL_CTX *ctx = host_ctx(NULL);
    OSSL_PROVIDER *module = OSSL_PROVIDER_load(NULL, "converge");

    connect_once(ctx, options.port[0]);
    SSL_CTX_free(ctx);
    OSSL_PROVIDER_unload(module);
    OSSL_PROVIDER_unload(standard);
    return 0;
}

/* A second OpenSSL beside the program's own. */
int scene_second(void)
{
    scene_connect();
    return !scene_dl("libssl.so.3", options.ca, options.param, options.port[0]);
}

/* Memory in use and descriptors before and after many handshakes. */
int scene_growth(void)
{
    unsigned count = options.count, before_fds;
    size_t before, after;

    options.count = 50;
    scene_connect();
    before = mallinfo2().uordblks;
    before_fds = open_descriptors();
    options.count = count;
    scene_connect();
    after = mallinfo2().uordblks;
    printf("growth=%ld fds=%d\n", (long)after - (long)before,
           (int)open_descriptors() - (int)before_fds);
    return 0;
}

static bool write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    if (!file)
        return false;
    fputs(text, file);
    return fclose(file) == 0;
}

/* A place of our own in which /proc is empty. 77: cannot be made here. */
static bool hide_proc(void)
{
    char map[64];
    uid_t uid = geteuid();

    if (uid != 0) {
        snprintf(map, sizeof map, "%u %u 1\n", uid, uid);
        if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0 || !write_file("/proc/self/uid_map", map))
            return false;
    } else if (unshare(CLONE_NEWNS) != 0) {
        return false;
    }
    return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("tmpfs", "/proc", "tmpfs", 0, NULL) == 0;
}

int scene_no_proc(void)
{
    return hide_proc() ? scene_connect() : 77;
}

static double now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* The median time of a handshake, and the time that the fastest tenth keep below. */
int scene_time(void)
{
    SSL_CTX *ctx = host_ctx(NULL);
    double *sample = calloc(options.count, sizeof *sample);

    for (unsigned i = 0; i < options.count; i++) {
        struct connection connection;
        double start;

        if (!connection_open(&connection, ctx, options.port[0]))
            return 1;
        start = now_us();
        if (!connection_handshake(&connection))
            return 1;
        sample[i] = now_us() - start;
        connection_close(&connection);
    }
    qsort(sample, options.count, sizeof *sample, compare);
    printf("handshake_us=%.1f tenth_us=%.1f\n", sample[options.count / 2],
           sample[options.count / 10]);
    free(sample);
    SSL_CTX_free(ctx);
    return 0;
}
