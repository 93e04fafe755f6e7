# frozen_string_literal: true

# SPDX-License-Identifier: MIT
# libconverge's functions, and what they return as Ruby's objects. Nobody else touches a pointer.
require 'fiddle'

module Converge
  # @private
  module Library
    HANDLE = begin
      Fiddle.dlopen('libconverge.so.0')
    rescue Fiddle::DLError => e
      raise LoadError, "the gem converge needs libconverge: #{e.message}"
    end

    POINTER = Fiddle::TYPE_VOIDP
    STRING = Fiddle::TYPE_CONST_STRING
    INT = Fiddle::TYPE_INT
    UNSIGNED = -Fiddle::TYPE_INT
    SIZE = Fiddle::TYPE_SIZE_T

    # need_gvl: false lets other threads run meanwhile: for the one call that waits.
    def self.function(name, arguments, returned, need_gvl: true)
      Fiddle::Function.new(HANDLE[name], arguments, returned, name: name, need_gvl: need_gvl)
    end
    private_class_method :function

    CHECK = function('converge_check', [STRING, INT, STRING, POINTER, POINTER], INT, need_gvl: false)
    STRERROR = function('converge_strerror', [INT], STRING)
    VERSION = function('converge_version', [], STRING)

    OPTIONS_NEW = function('converge_options_new', [], POINTER)
    OPTIONS_FREE = function('converge_options_free', [POINTER], Fiddle::TYPE_VOID)
    SET_TIMEOUT_MS = function('converge_options_set_timeout_ms', [POINTER, UNSIGNED], INT)
    SET_CERTIFICATE = function('converge_options_set_certificate', [POINTER, POINTER, SIZE], INT)
    SET_PKI_RESULT = function('converge_options_set_pki_result', [POINTER, INT], INT)
    SET_START_AGENT = function('converge_options_set_start_agent', [POINTER, INT], INT)

    RESULT_FREE = function('converge_result_free', [POINTER], Fiddle::TYPE_VOID)
    RESULT_TEXTS = %i[verdict action reason text].to_h do |name|
      [name, function("converge_result_#{name}", [POINTER], STRING)]
    end
    RESULT_ELAPSED_MS = function('converge_result_elapsed_ms', [POINTER], UNSIGNED)
    VOTE_COUNT = function('converge_result_vote_count', [POINTER], SIZE)
    VOTE_TEXTS = %i[notary answer error].to_h do |name|
      [name, function("converge_result_vote_#{name}", [POINTER, SIZE], STRING)]
    end
    VOTE_ELAPSED_MS = function('converge_result_vote_elapsed_ms', [POINTER, SIZE], UNSIGNED)
    VOTE_BOUNCED = function('converge_result_vote_bounced', [POINTER, SIZE], INT)

    module_function

    # host and fingerprint: whole texts in UTF-8, or nil. settings: functions and their arguments.
    # Whatever is raised meanwhile (Timeout, Thread#raise), both are freed.
    def check(host, port, fingerprint, settings)
      ret_result = Fiddle::Pointer.malloc(Fiddle::SIZEOF_VOIDP, Fiddle::RUBY_FREE)
      ret_result[0, Fiddle::SIZEOF_VOIDP] = "\0" * Fiddle::SIZEOF_VOIDP
      options = options_with(settings)
      code = CHECK.call(host, port, fingerprint, options, ret_result)
      raise NoMemoryError, 'libconverge' if ret_result.ptr.null?

      result_of(code, ret_result.ptr)
    ensure
      RESULT_FREE.call(ret_result.ptr) if ret_result
      options&.call_free
    end

    def options_with(settings)
      options = OPTIONS_NEW.call
      raise NoMemoryError, 'libconverge' if options.null?

      options.free = OPTIONS_FREE
      settings.each do |function, arguments|
        raise ArgumentError, 'an option is out of range' if function.call(options, *arguments) != 0
      end
      options
    end

    def result_of(code, result)
      texts = RESULT_TEXTS.transform_values { |function| text(function.call(result)) }
      votes = Array.new(VOTE_COUNT.call(result)) { |index| vote_of(result, index) }
      Result.new(code: code, **texts, elapsed_ms: RESULT_ELAPSED_MS.call(result), votes: votes)
    end

    def vote_of(result, index)
      texts = VOTE_TEXTS.transform_values { |function| text(function.call(result, index)) }
      Vote.new(**texts, elapsed_ms: VOTE_ELAPSED_MS.call(result, index),
                        bounced: VOTE_BOUNCED.call(result, index) != 0)
    end

    def text(octets)
      String.new(octets.to_s, encoding: Encoding::UTF_8).freeze
    end
  end
  private_constant :Library
end
