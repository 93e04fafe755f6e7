<?php
// SPDX-License-Identifier: MIT
declare(strict_types=1);

namespace Converge;

/** The notaries do not confirm the certificate; $result tells who said what. */
final class NotConfirmedException extends \RuntimeException
{
    /**
     * Its code is the result's.
     *
     * @param string $host who was asked about
     * @param int $port its port
     * @param Result $result what the notaries said
     */
    public function __construct(string $host, int $port, public readonly Result $result)
    {
        parent::__construct(sprintf(
            '%s port %d: %s (%s, %s, code %d)',
            preg_replace('/[^\x21-\x7e]/', '?', $host),
            $port,
            $result->text,
            $result->verdict,
            $result->reason,
            $result->code,
        ), $result->code);
    }
}
