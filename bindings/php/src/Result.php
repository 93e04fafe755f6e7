<?php
// SPDX-License-Identifier: MIT
declare(strict_types=1);

namespace Converge;

/** What the notaries said of a certificate, and what follows from it. */
final class Result
{
    /**
     * @param int $code 0 (X509_V_OK) is good; all else is an X509_V_ERR_* value
     * @param string $verdict "agree", "disagree", "undecided", "exempt" or "none"
     * @param string $action "accept", "refuse", "unchanged" or "none"
     * @param string $reason one word: "vote", "cache", "unreachable" ...
     * @param string $text one sentence for people
     * @param int $elapsedMs how long it took, in milliseconds
     * @param list<Vote> $votes who said what; empty where nobody was asked
     */
    public function __construct(
        public readonly int $code,
        public readonly string $verdict,
        public readonly string $action,
        public readonly string $reason,
        public readonly string $text,
        public readonly int $elapsedMs,
        public readonly array $votes,
    ) {
    }

    /**
     * Whether the connection may go on.
     *
     * @return bool whether the code is 0
     */
    public function isGood(): bool
    {
        return $this->code === 0;
    }
}
