/* SPDX-License-Identifier: MIT */
/* What people type as a host: also international names in UTF-8, which become A-labels here and
 * nowhere else. */
#ifndef CVG_LIBCONVERGE_IDN_H
#define CVG_LIBCONVERGE_IDN_H

#include "common/base/endpoint.h"

/* As cvg_endpoint_set and cvg_endpoint_parse, after IDNA 2008 conversion of what is not ASCII. */
CVG_MUST_USE enum cvg_error cvg_user_endpoint_set(const char *host, unsigned port,
                                                  struct cvg_endpoint *ret_endpoint,
                                                  struct cvg_why *ret_why);
CVG_MUST_USE enum cvg_error cvg_user_endpoint_parse(const char *text, unsigned default_port,
                                                    struct cvg_endpoint *ret_endpoint,
                                                    struct cvg_why *ret_why);

#endif
