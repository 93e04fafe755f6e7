<?php
// SPDX-License-Identifier: MIT
// What needs no notaries: malformed questions, options out of range, phrases.
declare(strict_types=1);

namespace Converge\Tests;

use Converge\Converge;
use Converge\NotConfirmedException;
use PHPUnit\Framework\TestCase;

final class ConvergeTest extends TestCase
{
    private const HOST = 'site.example.org';
    private const SHA1 = '0000000000000000000000000000000000000000';

    /** @return array<string, array{string, int, ?string}> */
    public function malformed(): array
    {
        return [
            'empty host' => ['', 443, self::SHA1],
            'only a NUL' => ["\0", 443, self::SHA1],
            'NUL behind the host' => [self::HOST . "\0", 443, self::SHA1],
            'NUL within' => [self::HOST . "\0.evil.example", 443, self::SHA1],
            'not UTF-8' => ["\xff\xfe.example.org", 443, self::SHA1],
            'a surrogate' => ["\xed\xa0\x80.example.org", 443, self::SHA1],
            'cut UTF-8' => ["b\xc3", 443, self::SHA1],
            'port 0' => [self::HOST, 0, self::SHA1],
            'negative port' => [self::HOST, -443, self::SHA1],
            'port of 17 bits' => [self::HOST, 65536 + 443, self::SHA1],
            'port of 33 bits' => [self::HOST, (1 << 32) + 443, self::SHA1],
            'negative port of 33 bits' => [self::HOST, -(1 << 32) + 443, self::SHA1],
            'largest port' => [self::HOST, PHP_INT_MAX, self::SHA1],
            'smallest port' => [self::HOST, PHP_INT_MIN, self::SHA1],
            'no fingerprint' => [self::HOST, 443, null],
            'empty fingerprint' => [self::HOST, 443, ''],
            'NUL behind the fingerprint' => [self::HOST, 443, self::SHA1 . "\0"],
            'not UTF-8 in the fingerprint' => [self::HOST, 443, self::SHA1 . "\xff"],
        ];
    }

    /** @dataProvider malformed */
    public function testMalformedQuestionsAreCodeOne(string $host, int $port, ?string $fingerprint): void
    {
        $result = Converge::check($host, $port, $fingerprint, pkiResult: 0);
        self::assertSame(1, Converge::converge($host, $port, $fingerprint));
        self::assertSame([1, 'none', 'refuse', 'bad-question', []], [
            $result->code, $result->verdict, $result->action, $result->reason, $result->votes]);
        self::assertFalse($result->isGood());
        self::assertNotSame('', $result->text);
    }

    public function testANulIsNotMadeGoodByACertificate(): void
    {
        self::assertSame(1, Converge::check(self::HOST . "\0", 443, certificate: 'x')->code);
        self::assertSame(1, Converge::check(self::HOST, 443, self::SHA1 . "\0", certificate: 'x')->code);
    }

    /** @return list<array{array<string, mixed>}> */
    public function wrongOptions(): array
    {
        return [[['timeout' => 0.0]], [['timeout' => 0.0994]], [['timeout' => 60.1]], [['timeout' => -1.0]],
            [['timeout' => NAN]], [['timeout' => INF]], [['timeout' => 4294967.396]],
            [['pkiResult' => -1]], [['pkiResult' => 1 << 32]], [['certificate' => '']],
            [['certificate' => str_repeat('x', 65537)]]];
    }

    /**
     * @dataProvider wrongOptions
     * @param array<string, mixed> $options
     */
    public function testOptionsOutOfRangeAreErrorsOfTheCaller(array $options): void
    {
        $this->expectException(\ValueError::class);
        Converge::check(self::HOST, 443, self::SHA1, ...$options);
    }

    public function testWrongTypesAreErrorsOfTheCaller(): void
    {
        $this->expectException(\TypeError::class);
        Converge::converge(self::HOST, '443', self::SHA1); // @phpstan-ignore-line
    }

    public function testVerifyThrowsWithTheResult(): void
    {
        try {
            Converge::verify("a\nb", 443, self::SHA1);
            self::fail('nothing was thrown');
        } catch (NotConfirmedException $thrown) {
            self::assertSame(1, $thrown->result->code);
            self::assertSame(1, $thrown->getCode());
            self::assertStringStartsWith('a?b port 443: ', $thrown->getMessage());
        }
    }

    public function testResultsCannotBeChanged(): void
    {
        $result = Converge::check('', 443, self::SHA1);
        $this->expectException(\Error::class);
        $result->code = 0; // @phpstan-ignore-line
    }

    public function testPhrasesAndVersion(): void
    {
        self::assertSame('the notaries agree', Converge::strerror(0));
        self::assertNotSame(Converge::strerror(0), Converge::strerror(1 << 32));
        self::assertMatchesRegularExpression('/^\d+\.\d+\.\d+$/', Converge::version());
    }

    public function testNothingIsKeptByThousandsOfCalls(): void
    {
        $before = memory_get_usage();
        for ($i = 0; $i < 5000; $i++) {
            Converge::check('a..b', 443, self::SHA1, certificate: 'x');
        }
        self::assertLessThan(65536, memory_get_usage() - $before);
    }
}
