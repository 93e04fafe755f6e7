<?php
// SPDX-License-Identifier: MIT
// Holds the doc comments against what they describe, as phpDocumentor would read them.
declare(strict_types=1);

namespace Converge\Tests;

use PHPUnit\Framework\TestCase;

final class DocumentationTest extends TestCase
{
    /** @return list<array{class-string}> */
    public function classes(): array
    {
        $files = glob(dirname(__DIR__) . '/src/*.php') ?: [];
        return array_map(static fn (string $file): array => ['Converge\\' . basename($file, '.php')], $files);
    }

    /** @dataProvider classes */
    public function testEveryPublicPartIsDescribed(string $name): void
    {
        $class = new \ReflectionClass($name);
        self::assertNotFalse($class->getDocComment(), "$name has no comment");
        foreach ($class->getMethods(\ReflectionMethod::IS_PUBLIC) as $method) {
            if ($method->getDeclaringClass()->getName() === $name) {
                self::described($method);
            }
        }
    }

    private static function described(\ReflectionMethod $method): void
    {
        $name = $method->class . '::' . $method->name;
        $comment = (string) $method->getDocComment();
        preg_match_all('/@param\s+\S+\s+\$(\w+)\s+\S/', $comment, $told);
        $names = array_map(static fn (\ReflectionParameter $one): string => $one->name, $method->getParameters());
        self::assertSame($names, $told[1], $name);
        if ((string) $method->getReturnType() !== '') {
            self::assertMatchesRegularExpression('/@return\s+\S+\s+\S/', $comment, $name);
        }
    }
}
