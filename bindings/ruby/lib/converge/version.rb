# frozen_string_literal: true

# SPDX-License-Identifier: MIT
module Converge
  # The version of this gem.
  VERSION = '0.1.0'
end
