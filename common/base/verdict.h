/* SPDX-License-Identifier: MIT */
/* Verdicts: what the notaries say together, and what follows for the program that asked.
 *
 * Zero is never "trusted" in any of these types, and the values that let a connection go on are
 * spread so that a flipped bit or a stray byte does not make one of them. */
#ifndef CVG_BASE_VERDICT_H
#define CVG_BASE_VERDICT_H

#include <stdbool.h>

/* The outcome of a vote, or the reason why there was none. */
enum cvg_verdict {
    CVG_VERDICT_NONE = 0,         /* nothing decided: an error, never trusted */
    CVG_VERDICT_AGREE = 0x59,     /* enough notaries see this certificate there */
    CVG_VERDICT_DISAGREE = 0x4e,  /* not enough do, and at least one sees another */
    CVG_VERDICT_UNDECIDED = 0x55, /* not enough answers to say either */
    CVG_VERDICT_EXEMPT = 0x45     /* the policy asks nobody about this endpoint */
};

/* What the asking program's handshake should do. */
enum cvg_action {
    CVG_ACTION_NONE = 0,         /* no decision: the asker applies on_unreachable */
    CVG_ACTION_ACCEPT = 0x41,    /* go on; in `replace` mode also where PKI said no */
    CVG_ACTION_REFUSE = 0x52,    /* fail the handshake */
    CVG_ACTION_UNCHANGED = 0x2d, /* as without us: PKI's result stands */
};

/* Why: one word for logs, messages and tests. */
enum cvg_reason {
    CVG_REASON_NONE = 0,
    CVG_REASON_VOTE,            /* the notaries voted */
    CVG_REASON_CACHE,           /* a remembered vote */
    CVG_REASON_UNREACHABLE,     /* too few answers; on_unreachable decided */
    CVG_REASON_KNOWN_KEY,       /* too few answers; the key was verified before */
    CVG_REASON_PKI_FAILED,      /* PKI refused and the mode leaves that alone */
    CVG_REASON_EXEMPT_NAME,     /* single label, special use, or the administrator's pattern */
    CVG_REASON_EXEMPT_ADDRESS,  /* special-purpose address */
    CVG_REASON_EXEMPT_PORT,     /* port 25 */
    CVG_REASON_EXEMPT_PRIVATE_PKI, /* the chain ends in an anchor that is not public */
    CVG_REASON_EXEMPT_NOT_PUBLIC,  /* enough notaries say the name is not public */
    CVG_REASON_EXCLUDED_PROGRAM,   /* the program is on the exclusion list */
    CVG_REASON_NOT_APPLICABLE,     /* neither a name nor a TCP socket */
    CVG_REASON_NO_NOTARIES,     /* none configured */
    CVG_REASON_NO_AGENT,        /* no agent, or none that can be believed */
    CVG_REASON_BUDGET,          /* the asking user's budget is used up */
    CVG_REASON_DEADLINE,        /* the deadline passed */
    CVG_REASON_BAD_QUESTION,    /* the question could not be understood */
    CVG_REASON_INTERNAL,        /* memory, a system call, a bug */
    CVG_REASON_CAPTIVE_PORTAL,  /* too few answers, and a portal is on the way; as UNREACHABLE */
    CVG_REASON_COUNT
};

enum cvg_mode {
    CVG_MODE_AUGMENT = 0, /* the default */
    CVG_MODE_MONITOR,
    CVG_MODE_REPLACE
};

enum cvg_unreachable {
    CVG_UNREACHABLE_DENY = 0, /* the default */
    CVG_UNREACHABLE_KNOWN,
    CVG_UNREACHABLE_ALLOW
};

/* The table of modes (doc/architecture.md): what follows from a verdict.
 * pki_ok: PKI accepted the chain. pki_trust_error: it failed for a reason of trust, not of name,
 * time or purpose (only those can be overruled, in replace mode). known_key: a public key that was
 * verified before for this endpoint; counts only with on_unreachable = known.
 * CVG_VERDICT_NONE and values out of range are treated as undecided; EXEMPT gives UNCHANGED.
 * Pure; any thread. */
enum cvg_action cvg_action_of(enum cvg_mode mode, enum cvg_verdict verdict,
                              enum cvg_unreachable on_unreachable, bool pki_ok,
                              bool pki_trust_error, bool known_key);

/* Lower-case words for logs and JSON ("agree", "accept", "vote", "augment", "deny"); static, never
 * NULL, "?" for values out of range, "unknown" for reasons that are (a newer agent may give them). */
const char *cvg_verdict_name(enum cvg_verdict verdict);
const char *cvg_action_name(enum cvg_action action);
const char *cvg_reason_name(enum cvg_reason reason);
const char *cvg_mode_name(enum cvg_mode mode);
const char *cvg_unreachable_name(enum cvg_unreachable policy);

/* Whether a byte from outside is a member of the enumeration. */
bool cvg_verdict_valid(unsigned value);
bool cvg_action_valid(unsigned value);
bool cvg_reason_valid(unsigned value);

#endif
