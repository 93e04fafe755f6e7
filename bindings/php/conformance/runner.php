<?php
// SPDX-License-Identifier: MIT
// The conformance table's runner: cases on standard input, what the library says on standard output.
declare(strict_types=1);

use Converge\Converge;
use Converge\Result;
use Converge\Vote;

require dirname(__DIR__) . '/autoload.php';

/** @return list<string> verdict, action, reason and votes */
function said(Result $result): array
{
    $votes = array_map(static fn (Vote $vote): string => $vote->notary . ':' . $vote->answer
        . ($vote->error === '' ? '' : "($vote->error)"), $result->votes);
    sort($votes, SORT_STRING);
    return [$result->verdict, $result->action, $result->reason, $votes === [] ? '-' : implode(',', $votes)];
}

while (($line = fgets(STDIN)) !== false) {
    [$name, $call, $host, $port, $fingerprint, $timeout, $pki, $certificate, $start] =
        explode("\t", rtrim($line, "\n"));
    $fingerprint = $fingerprint === '-' ? null : $fingerprint;
    if ($call === 'converge') {
        echo implode("\t", [$name, Converge::converge($host, (int) $port, $fingerprint), '-', '-', '-', '-']), "\n";
        continue;
    }
    $result = Converge::check(
        $host,
        (int) $port,
        $fingerprint,
        timeout: $timeout === '-' ? null : (int) $timeout / 1000,
        certificate: $certificate === '-' ? null : (string) file_get_contents($certificate),
        pkiResult: $pki === '-' ? null : (int) $pki,
        startAgent: $start !== '0',
    );
    echo implode("\t", [$name, $result->code, ...said($result)]), "\n";
}
