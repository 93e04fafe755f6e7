/* SPDX-License-Identifier: MIT */
/* The status page: fills the template's places. */
#include "notary/page.h"

#include <string.h>

#include "common/protocol/base64.h"
#include "common/protocol/digest.h"
#include "notary/page-places.h"

static void put_escaped(struct cvg_buffer *page, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '&')
            cvg_buffer_put_text(page, "&amp;");
        else if (text[i] == '<')
            cvg_buffer_put_text(page, "&lt;");
        else if (text[i] == '>')
            cvg_buffer_put_text(page, "&gt;");
        else if (text[i] == '"')
            cvg_buffer_put_text(page, "&quot;");
        else if (text[i] == '\'')
            cvg_buffer_put_text(page, "&#39;");
        else
            cvg_buffer_put(page, &text[i], 1);
    }
}

static enum cvg_error put_place(const struct cvg_page_data *data, const char *name, size_t len,
                                struct cvg_buffer *page)
{
    struct cvg_buffer text;
    cvg_buffer_init(&text, CVG_PAGE_MAX);
    enum cvg_error err = cvg_page_place(data, name, len, &text);
    if (err == CVG_OK)
        err = cvg_buffer_error(&text);
    if (err == CVG_OK)
        put_escaped(page, (const char *)text.data, text.len);
    cvg_buffer_free(&text);
    return err;
}

enum cvg_error cvg_page_write(const char *page_template, const struct cvg_status *status,
                              const struct cvg_history *history, uint64_t now_ms,
                              struct cvg_buffer *ret_page)
{
    struct cvg_page_data data = {.status = status, .history = history};
    enum cvg_error err = CVG_OK;
    const char *rest = page_template;
    cvg_history_since(history, &status->sum, now_ms, &data.recent, &data.recent_ms);
    while (err == CVG_OK) {
        const char *open = strstr(rest, "{{");
        const char *close = open == NULL ? NULL : strstr(open, "}}");
        if (close == NULL)
            break;
        cvg_buffer_put(ret_page, rest, (size_t)(open - rest));
        err = put_place(&data, open + 2, (size_t)(close - open) - 2, ret_page);
        rest = close + 2;
    }
    if (err == CVG_OK)
        err = cvg_buffer_put_text(ret_page, rest);
    return err;
}

/* The hash of what stands between the two tags, as a source in a policy. */
static enum cvg_error put_hash(const char *page_template, const char *begin, const char *end,
                               struct cvg_buffer *policy)
{
    uint8_t digest[CVG_SHA256_LEN];
    const char *from = strstr(page_template, begin);
    const char *to = from == NULL ? NULL : strstr(from, end);
    if (to == NULL)
        return CVG_ERR_NOT_FOUND;
    from += strlen(begin);
    enum cvg_error err = cvg_sha256(from, (size_t)(to - from), digest);
    if (err != CVG_OK)
        return err;
    cvg_buffer_put_text(policy, " 'sha256-");
    cvg_base64_put(policy, digest, sizeof(digest));
    return cvg_buffer_put_text(policy, "'");
}

enum cvg_error cvg_page_policy(const char *page_template, struct cvg_buffer *ret_policy)
{
    cvg_buffer_put_text(ret_policy, "default-src 'none'; style-src");
    enum cvg_error err = put_hash(page_template, "<style>", "</style>", ret_policy);
    if (err != CVG_OK)
        return err;
    cvg_buffer_put_text(ret_policy, "; script-src");
    err = put_hash(page_template, "<script>", "</script>", ret_policy);
    if (err != CVG_OK)
        return err;
    return cvg_buffer_put_text(ret_policy, "; connect-src 'self'; img-src data:; base-uri 'none'; "
                                           "form-action 'none'; frame-ancestors 'none'");
}
