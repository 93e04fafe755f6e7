<?php
// SPDX-License-Identifier: MIT
// For opcache.preload: where ffi.enable is "preload", only what was preloaded may use FFI.
declare(strict_types=1);

foreach (['Vote', 'Result', 'NotConfirmedException', 'UnavailableException', 'Library', 'Converge'] as $class) {
    require_once __DIR__ . '/src/' . $class . '.php';
}
