/* SPDX-License-Identifier: MIT */
/* The system calls that a serving notary needs, and no others (libseccomp). */
#ifndef CVG_NOTARY_SECCOMP_H
#define CVG_NOTARY_SECCOMP_H

#include "common/base/error.h"

/* A build with sanitizers, which need more, has no filter. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CVG_SECCOMP_NONE
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
#define CVG_SECCOMP_NONE
#endif
#endif

/* Installs the filter for all threads, those to come included; for good. To be called when
 * privileges are dropped. A call that is not on the list fails with EPERM, as if the user lacked
 * the right, so that a library's unusual day costs one function and not the service; running a
 * program, looking into another process and the like end this one at once. CONFIG: the kernel has
 * no such filters. */
CVG_MUST_USE enum cvg_error cvg_seccomp_install(struct cvg_why *ret_why);

#endif
