<?php
// SPDX-License-Identifier: MIT
declare(strict_types=1);

namespace Converge;

/**
 * Asks the user's notaries about a certificate.
 *
 * Every method starts the user's agent if none is running, and returns within the configured deadline
 * (2 seconds unless set). Each throws UnavailableException where FFI or libconverge.so.0 is missing.
 */
final class Converge
{
    private const MALFORMED_PORT = 0;

    /**
     * The drop-in for SSL_get_verify_result(): whether the notaries agree that a server shows the
     * certificate with this fingerprint. Throws nothing for what a server or a notary did.
     *
     * @param string $host a name, also an international one in UTF-8, or an IP address
     * @param int $port 1 to 65535
     * @param ?string $sha1sum SHA-1 or SHA-256 in hexadecimal, with or without colons
     * @return int 0 if they do; 28 where they disagree, 50 where too few could be asked or nobody
     *     vouches for that endpoint, 1 if host, port or fingerprint is malformed
     * @throws UnavailableException without FFI or the library
     */
    public static function converge(string $host, int $port, ?string $sha1sum): int
    {
        return Library::get()->converge(self::text($host), self::port($port), self::text($sha1sum));
    }

    /**
     * The fuller call: tells who said what.
     *
     * @param string $host a name or an IP address
     * @param int $port 1 to 65535
     * @param ?string $fingerprint SHA-1 or SHA-256 in hexadecimal; null where a certificate is given
     * @param ?float $timeout seconds, 0.1 to 60, in place of the configuration's deadline
     * @param string|\OpenSSLCertificate|null $certificate the server's own, as octets of DER or as
     *     stream_socket_client() captured it
     * @param ?int $pkiResult what PKI said: 0 or an X509_V_ERR_* value; also the code where the
     *     notaries are not asked
     * @param bool $startAgent whether to start an agent where none is running
     * @return Result what they said; its code is what converge() returns
     * @throws \ValueError for an option out of range
     * @throws UnavailableException without FFI or the library
     */
    public static function check(
        string $host,
        int $port,
        ?string $fingerprint = null,
        ?float $timeout = null,
        string|\OpenSSLCertificate|null $certificate = null,
        ?int $pkiResult = null,
        bool $startAgent = true,
    ): Result {
        $library = Library::get();
        $options = $library->converge_options_new();
        if ($options === null) {
            throw new UnavailableException('out of memory');
        }
        try {
            self::setTimeout($library, $options, $timeout);
            self::setCertificate($library, $options, $certificate);
            self::setPkiResult($library, $options, $pkiResult);
            $library->converge_options_set_start_agent($options, $startAgent ? 1 : 0);
            if ($fingerprint !== null && self::text($fingerprint) === null) {
                $host = "\0";
            }
            return self::ask($library, $host, $port, $fingerprint, $options);
        } finally {
            $library->converge_options_free($options);
        }
    }

    /**
     * Like check(), with the same arguments, but returns only if all is well.
     *
     * @param string $host a name or an IP address
     * @param int $port 1 to 65535
     * @param ?string $fingerprint as for check()
     * @param ?float $timeout as for check()
     * @param string|\OpenSSLCertificate|null $certificate as for check()
     * @param ?int $pkiResult as for check()
     * @param bool $startAgent as for check()
     * @return Result what they said, with code 0
     * @throws NotConfirmedException if the code is anything else
     * @throws \ValueError for an option out of range
     * @throws UnavailableException without FFI or the library
     */
    public static function verify(
        string $host,
        int $port,
        ?string $fingerprint = null,
        ?float $timeout = null,
        string|\OpenSSLCertificate|null $certificate = null,
        ?int $pkiResult = null,
        bool $startAgent = true,
    ): Result {
        $result = self::check($host, $port, $fingerprint, $timeout, $certificate, $pkiResult, $startAgent);
        if (!$result->isGood()) {
            throw new NotConfirmedException($host, $port, $result);
        }
        return $result;
    }

    /**
     * A phrase for a code.
     *
     * @param int $code what converge() returned
     * @return string what it means, in English
     * @throws UnavailableException without FFI or the library
     */
    public static function strerror(int $code): string
    {
        return Library::get()->converge_strerror(self::fitsInt($code) ? $code : -1);
    }

    /**
     * The version of libconverge that is in use.
     *
     * @return string MAJOR.MINOR.PATCH
     * @throws UnavailableException without FFI or the library
     */
    public static function version(): string
    {
        return Library::get()->converge_version();
    }

    /** A text with a NUL, where C would stop, becomes none at all, which is malformed. */
    private static function text(?string $text): ?string
    {
        return $text !== null && str_contains($text, "\0") ? null : $text;
    }

    /** FFI would cut a large number down to what may look like a port. */
    private static function port(int $port): int
    {
        return self::fitsInt($port) ? $port : self::MALFORMED_PORT;
    }

    private static function fitsInt(int $number): bool
    {
        return $number >= -2147483648 && $number <= 2147483647;
    }

    private static function setTimeout(\FFI $library, \FFI\CData $options, ?float $timeout): void
    {
        if ($timeout === null) {
            return;
        }
        if (!($timeout >= 0.1 && $timeout <= 60.0)) {
            throw new \ValueError('timeout must be 0.1 to 60 seconds');
        }
        self::require($library->converge_options_set_timeout_ms($options, (int) round($timeout * 1000)), 'timeout');
    }

    private static function setCertificate(
        \FFI $library,
        \FFI\CData $options,
        string|\OpenSSLCertificate|null $certificate,
    ): void {
        if ($certificate instanceof \OpenSSLCertificate) {
            $certificate = self::der($certificate);
        }
        if ($certificate !== null) {
            $length = strlen($certificate);
            self::require($library->converge_options_set_certificate($options, $certificate, $length), 'certificate');
        }
    }

    private static function der(\OpenSSLCertificate $certificate): string
    {
        $pem = '';
        if (!openssl_x509_export($certificate, $pem)) {
            throw new \ValueError('certificate has no encoding');
        }
        return (string) base64_decode((string) preg_replace('/-----[^-]+-----|\s+/', '', $pem), true);
    }

    private static function setPkiResult(\FFI $library, \FFI\CData $options, ?int $result): void
    {
        if ($result === null) {
            return;
        }
        if (!self::fitsInt($result)) {
            throw new \ValueError('pkiResult is out of range');
        }
        self::require($library->converge_options_set_pki_result($options, $result), 'pkiResult');
    }

    private static function require(int $status, string $what): void
    {
        if ($status !== 0) {
            throw new \ValueError($what . ' is out of range');
        }
    }

    private static function ask(
        \FFI $library,
        string $host,
        int $port,
        ?string $fingerprint,
        \FFI\CData $options,
    ): Result {
        $pointer = $library->new('converge_result *');
        $code = $library->converge_check(
            self::text($host),
            self::port($port),
            self::text($fingerprint),
            $options,
            \FFI::addr($pointer),
        );
        if (\FFI::isNull($pointer)) {
            throw new UnavailableException('out of memory');
        }
        try {
            return self::result($library, $code, $pointer);
        } finally {
            $library->converge_result_free($pointer);
        }
    }

    private static function result(\FFI $library, int $code, \FFI\CData $result): Result
    {
        $votes = [];
        $count = $library->converge_result_vote_count($result);
        for ($i = 0; $i < $count; $i++) {
            $votes[] = new Vote(
                $library->converge_result_vote_notary($result, $i),
                $library->converge_result_vote_answer($result, $i),
                $library->converge_result_vote_elapsed_ms($result, $i),
                $library->converge_result_vote_error($result, $i),
                $library->converge_result_vote_bounced($result, $i) !== 0,
            );
        }
        return new Result(
            $code,
            $library->converge_result_verdict($result),
            $library->converge_result_action($result),
            $library->converge_result_reason($result),
            $library->converge_result_text($result),
            $library->converge_result_elapsed_ms($result),
            $votes,
        );
    }
}
