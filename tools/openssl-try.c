/* SPDX-License-Identifier: MIT */
/* The candidate in a file of its own, and a canary that reads it. */
#include "tools/openssl-try.h"

#include <stdlib.h>
#include <unistd.h>

#include "tools/tools.h"

int cvg_openssl_try(const struct cvg_buffer *candidate, struct cvg_canary *ret_canary)
{
    char path[] = "/tmp/converge-openssl-XXXXXX";
    struct cvg_why why = {""};
    enum cvg_error err;
    int fd = mkstemp(path);

    if (fd < 0)
        return cvg_output_fail(CVG_EXIT_FAULT, "cannot make a temporary file");
    if (write(fd, candidate->data, candidate->len) != (ssize_t)candidate->len)
        err = cvg_fail(&why, CVG_ERR_IO, "cannot write a temporary file");
    else
        err = cvg_canary_run(path, ret_canary, &why);
    close(fd);
    unlink(path);
    if (err != CVG_OK)
        return cvg_output_fail(CVG_EXIT_FAULT, "%s", why.text);
    if (!cvg_canary_good(ret_canary))
        return cvg_output_fail(CVG_EXIT_FAULT, "nothing was changed: %s", ret_canary->text);
    return CVG_GO_ON;
}
