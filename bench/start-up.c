/* SPDX-License-Identifier: MIT */
/* A program that uses libcrypto but no TLS: what the loaded plug-in costs it. The whole process is
 * timed by who starts it; here it says what it can only know itself.
 *
 *   start-up
 *
 * Loads OpenSSL's configuration as any program does and prints "INIT_NS PRIVATE_KIB LOADED": the
 * time that took on the process's CPU clock, the private memory of the process afterwards, and
 * whether the plug-in is there. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/crypto.h>
#include <openssl/provider.h>

static uint64_t cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* What is the process's own whatever else runs: its dirty private pages, and all of the plug-in's.
 * A clean page of a library counts as private only while nobody else happens to use that library.
 */
static long private_kib(void)
{
    FILE *file = fopen("/proc/self/smaps", "re");
    char line[4096];
    long sum = 0, value;
    bool plug_in = false;

    if (file == NULL)
        return -1;
    while (fgets(line, sizeof line, file) != NULL) {
        if (strchr(line, '-') != NULL && strstr(line, " kB") == NULL)
            plug_in = strstr(line, "/converge.so") != NULL;
        if (sscanf(line, plug_in ? "Rss: %ld kB" : "Private_Dirty: %ld kB", &value) == 1)
            sum += value;
    }
    fclose(file);
    return sum;
}

int main(void)
{
    uint64_t start = cpu_ns();

    if (OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL) != 1)
        return 1;
    start = cpu_ns() - start;
    printf("%llu %ld %d\n", (unsigned long long)start, private_kib(),
           OSSL_PROVIDER_available(NULL, "converge"));
    return 0;
}
