<?php
// SPDX-License-Identifier: MIT
// Reads a page over a TLS connection that PKI trusts and that the notaries see, too:
//     php fetch.php HOST [PORT [CA-FILE]]
// Nothing is sent before both have said so. Exit status: 0 read, 1 not confirmed, 2 anything else.
declare(strict_types=1);

use Converge\Converge;
use Converge\NotConfirmedException;

require dirname(__DIR__) . '/autoload.php';

[, $host, $port, $roots] = $argv + [3 => null] + [2 => '443'];
$tls = ['capture_peer_cert' => true, 'peer_name' => $host] + ($roots === null ? [] : ['cafile' => $roots]);
$stream = stream_socket_client(
    "ssl://$host:$port",
    $number,
    $message,
    10.0,
    STREAM_CLIENT_CONNECT,
    stream_context_create(['ssl' => $tls]),
);
if ($stream === false) {
    fwrite(STDERR, "$message\n");
    exit(2);
}
$certificate = stream_context_get_params($stream)['options']['ssl']['peer_certificate'];
try {
    // PHP has checked the chain and the name: 0 is what PKI said.
    Converge::verify($host, (int) $port, certificate: $certificate, pkiResult: 0);
} catch (NotConfirmedException $refused) {
    fwrite(STDERR, $refused->getMessage() . "\n");
    foreach ($refused->result->votes as $vote) {
        fwrite(STDERR, "  $vote->notary: $vote->answer\n");
    }
    exit(1);
}
fwrite($stream, "GET / HTTP/1.0\r\nHost: $host\r\n\r\n");
echo stream_get_contents($stream);
