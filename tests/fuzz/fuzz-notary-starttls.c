/* SPDX-License-Identifier: MIT */
/* What a hostile server says before TLS. The first octet chooses the protocol, the second how many
 * octets come at once. */
#include "notary/starttls.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cvg_starttls_dialogue dialogue;
    enum cvg_starttls_verdict verdict = CVG_STARTTLS_MORE;
    if (size < 2)
        return 0;
    unsigned kind = CVG_STARTTLS_SMTP + data[0] % (CVG_STARTTLS_COUNT - CVG_STARTTLS_SMTP);
    size_t pieces = data[1] == 0 ? 1 : data[1];
    cvg_starttls_begin((enum cvg_starttls)kind, "site.example", &dialogue);
    for (size_t at = 2; at < size && verdict == CVG_STARTTLS_MORE; at += pieces) {
        dialogue.sent_len = 0;
        verdict = cvg_starttls_take(&dialogue, data + at, size - at < pieces ? size - at : pieces);
        FUZZ_CHECK(dialogue.sent_len <= CVG_STARTTLS_SENT_MAX);
        FUZZ_CHECK(dialogue.received <= CVG_STARTTLS_RECEIVED_MAX);
    }
    return 0;
}
