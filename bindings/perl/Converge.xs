/* SPDX-License-Identifier: MIT */
/* The only function that calls converge_check(). lib/Converge.pm has checked types and ranges; what
 * is returned is plain Perl data, so that neither fork nor a clone for a thread shares anything. */
#define PERL_NO_GET_CONTEXT
#include <EXTERN.h>
#include <perl.h>
#include <XSUB.h>

#include <converge.h>

/* The text in UTF-8, or NULL if C would see less of it than Perl does. */
static const char *whole_text(pTHX_ SV *text)
{
    STRLEN len;
    SV *copy = sv_mortalcopy(text);
    const char *utf8 = SvPVutf8(copy, len);

    return memchr(utf8, '\0', len) == NULL ? utf8 : NULL;
}

static SV *text_sv(pTHX_ const char *text)
{
    SV *sv = newSVpv(text, 0);

    sv_utf8_decode(sv);
    return sv;
}

static void store(pTHX_ HV *hash, const char *key, SV *value)
{
    if (hv_store(hash, key, (I32)strlen(key), value, 0) == NULL)
        SvREFCNT_dec(value);
}

static HV *vote_hash(pTHX_ const converge_result *result, size_t i)
{
    HV *vote = newHV();

    store(aTHX_ vote, "notary", text_sv(aTHX_ converge_result_vote_notary(result, i)));
    store(aTHX_ vote, "answer", text_sv(aTHX_ converge_result_vote_answer(result, i)));
    store(aTHX_ vote, "elapsed_ms", newSVuv(converge_result_vote_elapsed_ms(result, i)));
    store(aTHX_ vote, "error", text_sv(aTHX_ converge_result_vote_error(result, i)));
    store(aTHX_ vote, "bounced", newSViv(converge_result_vote_bounced(result, i)));
    return vote;
}

static HV *result_hash(pTHX_ int code, const converge_result *result)
{
    HV *hash = newHV();
    AV *votes = newAV();

    for (size_t i = 0; i < converge_result_vote_count(result); i++)
        av_push(votes, newRV_noinc((SV *)vote_hash(aTHX_ result, i)));
    store(aTHX_ hash, "code", newSViv(code));
    store(aTHX_ hash, "verdict", text_sv(aTHX_ converge_result_verdict(result)));
    store(aTHX_ hash, "action", text_sv(aTHX_ converge_result_action(result)));
    store(aTHX_ hash, "reason", text_sv(aTHX_ converge_result_reason(result)));
    store(aTHX_ hash, "text", text_sv(aTHX_ converge_result_text(result)));
    store(aTHX_ hash, "elapsed_ms", newSVuv(converge_result_elapsed_ms(result)));
    store(aTHX_ hash, "votes", newRV_noinc((SV *)votes));
    return hash;
}

/* Sets what is given (undef: not given); returns -1 for a value that the library does not allow. */
static int set_options(pTHX_ converge_options *options, SV *timeout_ms, SV *certificate, SV *pki,
                       SV *start_agent)
{
    int failed = 0;
    STRLEN len;
    const char *der;

    if (SvOK(timeout_ms))
        failed |= converge_options_set_timeout_ms(options, (unsigned)SvUV(timeout_ms));
    if (SvOK(certificate)) {
        der = SvPVbyte(certificate, len);
        failed |= converge_options_set_certificate(options, der, len);
    }
    if (SvOK(pki))
        failed |= converge_options_set_pki_result(options, (int)SvIV(pki));
    if (SvOK(start_agent))
        failed |= converge_options_set_start_agent(options, SvTRUE(start_agent) ? 1 : 0);
    return failed;
}

MODULE = Converge    PACKAGE = Converge

PROTOTYPES: DISABLE

SV *
_ask(host, port, fingerprint, timeout_ms, certificate, pki, start_agent)
    SV *host
    int port
    SV *fingerprint
    SV *timeout_ms
    SV *certificate
    SV *pki
    SV *start_agent
  PREINIT:
    converge_options *options;
    converge_result *result = NULL;
    const char *host_text, *fingerprint_text = NULL;
    int code;
  CODE:
    host_text = whole_text(aTHX_ host);
    if (SvOK(fingerprint) && (fingerprint_text = whole_text(aTHX_ fingerprint)) == NULL)
        host_text = NULL; /* malformed, also where a certificate makes it superfluous */
    if (SvOK(certificate)) /* what can throw comes before there is something to free */
        (void)SvPVbyte_nolen(certificate);
    options = converge_options_new();
    if (options == NULL)
        croak("out of memory");
    if (set_options(aTHX_ options, timeout_ms, certificate, pki, start_agent) != 0) {
        converge_options_free(options);
        croak("an option is out of range");
    }
    code = converge_check(host_text, port, fingerprint_text, options, &result);
    converge_options_free(options);
    if (result == NULL)
        croak("out of memory");
    RETVAL = newRV_noinc((SV *)result_hash(aTHX_ code, result));
    converge_result_free(result);
  OUTPUT:
    RETVAL

const char *
_strerror(code)
    int code
  CODE:
    RETVAL = converge_strerror(code);
  OUTPUT:
    RETVAL

const char *
version()
  CODE:
    RETVAL = converge_version();
  OUTPUT:
    RETVAL
