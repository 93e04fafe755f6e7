<?php
// SPDX-License-Identifier: MIT
declare(strict_types=1);

namespace Converge;

/** The library cannot be used here: no FFI, FFI switched off, or no libconverge.so.0. */
final class UnavailableException extends \RuntimeException
{
}
