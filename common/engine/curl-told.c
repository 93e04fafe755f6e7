/* SPDX-License-Identifier: MIT */
/* What libcurl and a notary's header say of an exchange that is over: date and timing. */
#include "common/engine/curl-told.h"

void cvg_curl_date(CURL *curl, int64_t *ret_date_s)
{
    struct curl_header *header = NULL;
    time_t date = -1;

    if (curl_easy_header(curl, "Date", 0, CURLH_HEADER, -1, &header) == CURLHE_OK)
        date = curl_getdate(header->value, NULL);
    if (date > 0)
        *ret_date_s = date;
}

static int64_t time_of(CURL *curl, CURLINFO info)
{
    curl_off_t time_us = 0;

    return curl_easy_getinfo(curl, info, &time_us) == CURLE_OK && time_us > 0 ? (int64_t)time_us
                                                                              : 0;
}

/* libcurl's times all count from the start. */
void cvg_curl_timing(CURL *curl, struct cvg_timing *ret_timing)
{
    int64_t name = time_of(curl, CURLINFO_NAMELOOKUP_TIME_T);
    int64_t connected = time_of(curl, CURLINFO_CONNECT_TIME_T);
    int64_t secured = time_of(curl, CURLINFO_APPCONNECT_TIME_T);
    int64_t asked = time_of(curl, CURLINFO_PRETRANSFER_TIME_T);
    int64_t total = time_of(curl, CURLINFO_TOTAL_TIME_T);
    long connects = 0;

    *ret_timing = (struct cvg_timing){.answer_us = total > asked ? total - asked : 0};
    ret_timing->kept =
        curl_easy_getinfo(curl, CURLINFO_NUM_CONNECTS, &connects) == CURLE_OK && connects == 0;
    if (ret_timing->kept)
        return;
    ret_timing->name_us = name;
    ret_timing->connect_us = connected > name ? connected - name : 0;
    ret_timing->tls_us = secured > connected ? secured - connected : 0;
}
