<?php
// SPDX-License-Identifier: MIT
// PSR-4 for those who do not use Composer.
declare(strict_types=1);

spl_autoload_register(static function (string $class): void {
    if (str_starts_with($class, 'Converge\\') && !str_contains($class, '..')) {
        $file = __DIR__ . '/src/' . str_replace('\\', '/', substr($class, strlen('Converge\\'))) . '.php';
        if (is_file($file)) {
            require $file;
        }
    }
});
