/* SPDX-License-Identifier: MIT */
/* The table of modes, and the words for verdicts. */
#include "common/base/verdict.h"

#include <stddef.h>

static enum cvg_action action_when_undecided(enum cvg_unreachable on_unreachable, bool known_key)
{
    if (on_unreachable == CVG_UNREACHABLE_ALLOW)
        return CVG_ACTION_ACCEPT;
    if (on_unreachable == CVG_UNREACHABLE_KNOWN && known_key)
        return CVG_ACTION_ACCEPT;
    return CVG_ACTION_REFUSE;
}

enum cvg_action cvg_action_of(enum cvg_mode mode, enum cvg_verdict verdict,
                              enum cvg_unreachable on_unreachable, bool pki_ok,
                              bool pki_trust_error, bool known_key)
{
    if (verdict == CVG_VERDICT_EXEMPT)
        return CVG_ACTION_UNCHANGED;
    if (!pki_ok) {
        if (mode == CVG_MODE_MONITOR || !pki_trust_error)
            return CVG_ACTION_UNCHANGED;
        if (mode == CVG_MODE_REPLACE && verdict == CVG_VERDICT_AGREE)
            return CVG_ACTION_ACCEPT;
        return CVG_ACTION_REFUSE;
    }
    if (mode == CVG_MODE_MONITOR || verdict == CVG_VERDICT_AGREE)
        return CVG_ACTION_ACCEPT;
    if (verdict == CVG_VERDICT_DISAGREE)
        return CVG_ACTION_REFUSE;
    return action_when_undecided(on_unreachable, known_key);
}

const char *cvg_verdict_name(enum cvg_verdict verdict)
{
    switch (verdict) {
    case CVG_VERDICT_NONE:
        return "none";
    case CVG_VERDICT_AGREE:
        return "agree";
    case CVG_VERDICT_DISAGREE:
        return "disagree";
    case CVG_VERDICT_UNDECIDED:
        return "undecided";
    case CVG_VERDICT_EXEMPT:
        return "exempt";
    }
    return "?";
}

const char *cvg_action_name(enum cvg_action action)
{
    switch (action) {
    case CVG_ACTION_NONE:
        return "none";
    case CVG_ACTION_ACCEPT:
        return "accept";
    case CVG_ACTION_REFUSE:
        return "refuse";
    case CVG_ACTION_UNCHANGED:
        return "unchanged";
    }
    return "?";
}

const char *cvg_reason_name(enum cvg_reason reason)
{
    static const char *const names[CVG_REASON_COUNT] = {
        [CVG_REASON_NONE] = "none",
        [CVG_REASON_VOTE] = "vote",
        [CVG_REASON_CACHE] = "cache",
        [CVG_REASON_UNREACHABLE] = "unreachable",
        [CVG_REASON_KNOWN_KEY] = "known-key",
        [CVG_REASON_PKI_FAILED] = "pki-failed",
        [CVG_REASON_EXEMPT_NAME] = "exempt-name",
        [CVG_REASON_EXEMPT_ADDRESS] = "exempt-address",
        [CVG_REASON_EXEMPT_PORT] = "exempt-port",
        [CVG_REASON_EXEMPT_PRIVATE_PKI] = "private-pki",
        [CVG_REASON_EXEMPT_NOT_PUBLIC] = "not-public",
        [CVG_REASON_EXCLUDED_PROGRAM] = "excluded-program",
        [CVG_REASON_NOT_APPLICABLE] = "not-applicable",
        [CVG_REASON_NO_NOTARIES] = "no-notaries",
        [CVG_REASON_NO_AGENT] = "no-agent",
        [CVG_REASON_BUDGET] = "budget",
        [CVG_REASON_DEADLINE] = "deadline",
        [CVG_REASON_BAD_QUESTION] = "bad-question",
        [CVG_REASON_INTERNAL] = "internal",
        [CVG_REASON_CAPTIVE_PORTAL] = "captive-portal",
    };

    return cvg_reason_valid(reason) ? names[reason] : "unknown";
}

const char *cvg_mode_name(enum cvg_mode mode)
{
    switch (mode) {
    case CVG_MODE_AUGMENT:
        return "augment";
    case CVG_MODE_MONITOR:
        return "monitor";
    case CVG_MODE_REPLACE:
        return "replace";
    }
    return "?";
}

const char *cvg_unreachable_name(enum cvg_unreachable policy)
{
    switch (policy) {
    case CVG_UNREACHABLE_DENY:
        return "deny";
    case CVG_UNREACHABLE_KNOWN:
        return "known";
    case CVG_UNREACHABLE_ALLOW:
        return "allow";
    }
    return "?";
}

bool cvg_verdict_valid(unsigned value)
{
    return value == CVG_VERDICT_NONE || value == CVG_VERDICT_AGREE ||
           value == CVG_VERDICT_DISAGREE || value == CVG_VERDICT_UNDECIDED ||
           value == CVG_VERDICT_EXEMPT;
}

bool cvg_action_valid(unsigned value)
{
    return value == CVG_ACTION_NONE || value == CVG_ACTION_ACCEPT || value == CVG_ACTION_REFUSE ||
           value == CVG_ACTION_UNCHANGED;
}

bool cvg_reason_valid(unsigned value)
{
    return value < CVG_REASON_COUNT;
}
