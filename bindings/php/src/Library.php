<?php
// SPDX-License-Identifier: MIT
declare(strict_types=1);

namespace Converge;

/**
 * The functions of converge.h through FFI, loaded when the first is needed.
 *
 * @internal
 */
final class Library
{
    private const HEADER = <<<'C'
        typedef struct converge_options converge_options;
        typedef struct converge_result converge_result;
        int converge(const char *host, int port, const char *sha1sum);
        converge_options *converge_options_new(void);
        void converge_options_free(converge_options *options);
        int converge_options_set_timeout_ms(converge_options *options, unsigned timeout_ms);
        int converge_options_set_certificate(converge_options *options, const char *der, size_t len);
        int converge_options_set_pki_result(converge_options *options, int x509_v_result);
        int converge_options_set_start_agent(converge_options *options, int start);
        int converge_check(const char *host, int port, const char *fingerprint,
                           const converge_options *options, converge_result **ret_result);
        void converge_result_free(converge_result *result);
        const char *converge_result_verdict(const converge_result *result);
        const char *converge_result_action(const converge_result *result);
        const char *converge_result_reason(const converge_result *result);
        const char *converge_result_text(const converge_result *result);
        unsigned converge_result_elapsed_ms(const converge_result *result);
        size_t converge_result_vote_count(const converge_result *result);
        const char *converge_result_vote_notary(const converge_result *result, size_t index);
        const char *converge_result_vote_answer(const converge_result *result, size_t index);
        unsigned converge_result_vote_elapsed_ms(const converge_result *result, size_t index);
        const char *converge_result_vote_error(const converge_result *result, size_t index);
        int converge_result_vote_bounced(const converge_result *result, size_t index);
        const char *converge_strerror(int result);
        const char *converge_version(void);
        C;

    private static ?\FFI $ffi = null;

    /**
     * The library, loaded once.
     *
     * @return \FFI its functions
     * @throws UnavailableException where FFI or the library is not to be had, with what to do
     */
    public static function get(): \FFI
    {
        if (self::$ffi !== null) {
            return self::$ffi;
        }
        if (!extension_loaded('ffi')) {
            throw new UnavailableException('Converge needs PHP\'s extension ffi, which is not loaded');
        }
        try {
            return self::$ffi = \FFI::cdef(self::HEADER, 'libconverge.so.0');
        } catch (\FFI\Exception $problem) {
            throw new UnavailableException(self::explain($problem->getMessage()), 0, $problem);
        }
    }

    private static function explain(string $message): string
    {
        if (str_contains($message, 'restricted')) {
            return 'FFI is switched off here: set ffi.enable = true in php.ini, or keep "preload" and'
                . ' name Converge\'s preload.php in opcache.preload';
        }
        return 'libconverge.so.0 cannot be loaded (is Converge installed?): ' . $message;
    }
}
