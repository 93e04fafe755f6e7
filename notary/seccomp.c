/* SPDX-License-Identifier: MIT */
/* The system calls that a serving notary needs. Names that a machine's kernel or processor does not
 * know are passed over. */
#include "notary/seccomp.h"

#include <errno.h>
#include <linux/sockios.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/log.h"

/* Whatever the arguments. */
static const char *const allowed[] = {
    /* descriptors and files: keys and configuration at a reload, journal, database, hosts */
    "read", "write", "readv", "writev", "pread64", "pwrite64", "preadv", "pwritev", "close", "open",
    "openat", "stat", "fstat", "lstat", "newfstatat", "fstatat64", "stat64", "fstat64", "lstat64",
    "statx", "statfs", "fstatfs", "lseek", "_llseek", "access", "faccessat", "faccessat2",
    "readlink", "readlinkat", "getdents64", "getcwd", "unlink", "unlinkat", "rename", "renameat",
    "renameat2", "link", "linkat", "mkdir", "mkdirat", "ftruncate", "ftruncate64", "fallocate",
    "fadvise64", "fsync", "fdatasync", "flock", "fcntl", "fcntl64", "chmod", "fchmod", "fchmodat",
    "umask", "dup", "dup2", "dup3", "pipe2", "utimensat", "copy_file_range",
    /* loops */
    "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2", "poll", "ppoll",
    "ppoll_time64", "select", "_newselect", "pselect6", "pselect6_time64", "eventfd2",
    "timerfd_create", "timerfd_settime", "timerfd_gettime", "signalfd4",
    /* the network; socket itself below */
    "connect", "bind", "listen", "accept", "accept4", "getsockname", "getpeername", "getsockopt",
    "setsockopt", "sendto", "recvfrom", "sendmsg", "recvmsg", "sendmmsg", "recvmmsg", "send",
    "recv", "shutdown", "socketpair",
    /* threads and time */
    "futex", "futex_time64", "futex_waitv", "set_robust_list", "rseq", "set_tid_address",
    "sched_yield", "sched_getaffinity", "membarrier", "nanosleep", "clock_nanosleep",
    "clock_nanosleep_time64", "clock_gettime", "clock_gettime64", "clock_getres", "gettimeofday",
    "time", "restart_syscall",
    /* memory; mmap and mprotect below */
    "munmap", "mremap", "madvise", "brk", "msync", "mincore", "mlock", "mlock2", "munlock",
    /* who and how much */
    "getpid", "getppid", "gettid", "getuid", "geteuid", "getgid", "getegid", "getuid32",
    "geteuid32", "getgid32", "getegid32", "getrandom", "getrlimit", "ugetrlimit", "getrusage",
    "sysinfo", "uname", "times", "getcpu",
    /* signals */
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigpending", "rt_sigtimedwait",
    "sigaltstack",
    /* the end */
    "exit", "exit_group"};

/* Nothing of ours and no library of ours ever does this: who tries has taken the process over. */
static const char *const fatal[] = {"execve",
                                    "execveat",
                                    "fork",
                                    "vfork",
                                    "ptrace",
                                    "process_vm_readv",
                                    "process_vm_writev",
                                    "kexec_load",
                                    "kexec_file_load",
                                    "init_module",
                                    "finit_module",
                                    "delete_module",
                                    "bpf",
                                    "userfaultfd",
                                    "perf_event_open",
                                    "mount",
                                    "umount2",
                                    "pivot_root",
                                    "chroot",
                                    "unshare",
                                    "setns",
                                    "setuid",
                                    "setgid",
                                    "setreuid",
                                    "setresuid",
                                    "setregid",
                                    "setresgid",
                                    "setgroups",
                                    "capset",
                                    "keyctl",
                                    "add_key",
                                    "request_key",
                                    "reboot",
                                    "swapon",
                                    "swapoff"};

/* A rule for a call by name; 0 also if this machine has none of that name. */
static int rule(scmp_filter_ctx filter, uint32_t action, const char *name)
{
    int number = seccomp_syscall_resolve_name(name);
    return number == __NR_SCMP_ERROR ? 0 : seccomp_rule_add(filter, action, number, 0);
}

/* ... if one argument, masked, is that value. */
static int rule_if(scmp_filter_ctx filter, const char *name, unsigned argument, uint64_t mask,
                   uint64_t value)
{
    const struct scmp_arg_cmp compare = SCMP_CMP(argument, SCMP_CMP_MASKED_EQ, mask, value);
    int number = seccomp_syscall_resolve_name(name);
    return number == __NR_SCMP_ERROR
               ? 0
               : seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, number, 1, &compare);
}

static int rules(scmp_filter_ctx filter, uint32_t action, const char *const *names, size_t count)
{
    int result = 0;
    for (size_t i = 0; i < count && result == 0; i++)
        result = rule(filter, action, names[i]);
    return result;
}

/* Memory is never executable that was not when the program was loaded. */
static int memory_rules(scmp_filter_ctx filter)
{
    static const char *const names[] = {"mmap", "mmap2", "mprotect"};
    int result = 0;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && result == 0; i++)
        result = rule_if(filter, names[i], 2, PROT_EXEC, 0);
    return result;
}

/* Threads, but no processes. What clone3 wants is behind a pointer, where no filter looks; libc
 * takes clone if there is no clone3. */
static int thread_rules(scmp_filter_ctx filter)
{
    int result = rule(filter, SCMP_ACT_ERRNO(ENOSYS), "clone3");
    if (result == 0)
        result = rule_if(filter, "clone", 0, CLONE_THREAD | CLONE_VM, CLONE_THREAD | CLONE_VM);
    /* abort() */
    if (result == 0)
        result = rule_if(filter, "tgkill", 0, UINT64_MAX, (uint64_t)getpid());
    if (result == 0)
        result = rule_if(filter, "prctl", 0, UINT64_MAX, PR_SET_NAME);
    /* Only asking. */
    if (result == 0)
        result = rule_if(filter, "prlimit64", 2, UINT64_MAX, 0);
    return result;
}

/* IP, the control and the service manager's socket, and the interfaces' addresses. */
static int socket_rules(scmp_filter_ctx filter)
{
    static const int families[] = {AF_INET, AF_INET6, AF_UNIX, AF_NETLINK};
    int result = 0;
    for (size_t i = 0; i < sizeof(families) / sizeof(families[0]) && result == 0; i++)
        result = rule_if(filter, "socket", 0, UINT32_MAX, (uint64_t)families[i]);
    return result;
}

static int ioctl_rules(scmp_filter_ctx filter)
{
    static const unsigned long requests[] = {FIONBIO, FIONREAD, FIOCLEX, SIOCOUTQ, TCGETS};
    int result = 0;
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]) && result == 0; i++)
        result = rule_if(filter, "ioctl", 1, UINT32_MAX, requests[i]);
    return result;
}

static int fill(scmp_filter_ctx filter)
{
    int result = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
    if (result == 0)
        result = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    if (result == 0)
        result = rules(filter, SCMP_ACT_ALLOW, allowed, sizeof(allowed) / sizeof(allowed[0]));
    if (result == 0)
        result = rules(filter, SCMP_ACT_KILL_PROCESS, fatal, sizeof(fatal) / sizeof(fatal[0]));
    if (result == 0)
        result = memory_rules(filter);
    if (result == 0)
        result = thread_rules(filter);
    if (result == 0)
        result = socket_rules(filter);
    return result == 0 ? ioctl_rules(filter) : result;
}

enum cvg_error cvg_seccomp_install(struct cvg_why *ret_why)
{
#ifdef CVG_SECCOMP_NONE
    (void)fill;
    (void)ret_why;
    cvg_log(CVG_LOG_NOTICE, "built with a sanitizer: no system call filter");
    return CVG_OK;
#else
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (filter == NULL)
        return CVG_ERR_NOMEM;
    int result = fill(filter);
    if (result == 0)
        result = seccomp_load(filter);
    seccomp_release(filter);
    if (result != 0)
        return cvg_fail(ret_why, CVG_ERR_CONFIG,
                        "no system call filter can be installed (%s); seccomp = no goes without",
                        strerror(-result));
    cvg_log(CVG_LOG_INFO, "only the system calls of a notary from here on");
    return CVG_OK;
#endif
}
