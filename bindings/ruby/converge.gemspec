# frozen_string_literal: true

# SPDX-License-Identifier: MIT
# The gem: plain Ruby, nothing to compile.
require_relative 'lib/converge/version'

Gem::Specification.new do |spec|
  spec.name = 'converge'
  spec.version = Converge::VERSION
  spec.summary = 'Ask notaries whether they see the same TLS certificate'
  spec.description = 'A client library for Converge, over libconverge: notaries that the user has ' \
                     'chosen say whether they see the same certificate for a site.'
  spec.authors = ['The Converge authors']
  spec.license = 'MIT'
  spec.required_ruby_version = '>= 3.0'
  spec.files = Dir['lib/**/*.rb', 'sig/*.rbs', 'examples/*.rb', 'README.md', 'LICENSE', '.yardopts']
  spec.require_paths = ['lib']
  spec.metadata['rubygems_mfa_required'] = 'true'
end
