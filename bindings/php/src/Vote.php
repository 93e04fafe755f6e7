<?php
// SPDX-License-Identifier: MIT
declare(strict_types=1);

namespace Converge;

/** What one notary said. */
final class Vote
{
    /**
     * @param string $notary the notary's name
     * @param string $answer "yes", "no", "aside" or "silent"
     * @param int $elapsedMs how long it took, in milliseconds
     * @param string $error why a silent one gave no answer ("timeout", "pin" ...); else empty
     * @param bool $bounced whether it was asked through another notary
     */
    public function __construct(
        public readonly string $notary,
        public readonly string $answer,
        public readonly int $elapsedMs,
        public readonly string $error,
        public readonly bool $bounced,
    ) {
    }
}
