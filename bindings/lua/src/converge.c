/* SPDX-License-Identifier: MIT */
/* The Lua module: checks types and ranges, so that nothing is truncated on its way to C, and makes
 * tables of what comes back. One source for Lua 5.1 to 5.4 and LuaJIT. */

/***
Ask notaries, which the user has chosen, whether they see the same TLS certificate for a site.

Which notaries, how many, and what happens when they cannot be reached is the user's configuration
(converge.conf); cache and network are the agent's, which is started if none is running. A question
blocks its thread, and with it every coroutine, until the answer is there, at most for its timeout.

    local converge = require "converge"
    assert(converge.verify("www.example.org", 443, fingerprint))

@module converge
@license MIT
*/
#include <lauxlib.h>
#include <limits.h>
#include <lua.h>
#include <string.h>

#include <converge.h>

#define RESULT          "converge.result"
#define BOX             "converge.box"
#define TIMEOUT_MIN_S   0.1
#define TIMEOUT_MAX_S   60.0
#define CERTIFICATE_MAX 65536
#define PORT_MAX        65535

/* What C has allocated, as long as Lua's own errors can jump over us. */
struct box {
    converge_options *options;
    converge_result *result;
};

static int box_free(lua_State *L)
{
    struct box *box = luaL_checkudata(L, 1, BOX);

    converge_options_free(box->options);
    converge_result_free(box->result);
    box->options = NULL;
    box->result = NULL;
    return 0;
}

static struct box *box_push(lua_State *L)
{
    struct box *box = lua_newuserdata(L, sizeof *box);

    memset(box, 0, sizeof *box);
    luaL_getmetatable(L, BOX);
    lua_setmetatable(L, -2);
    box->options = converge_options_new();
    if (box->options == NULL)
        luaL_error(L, "out of memory");
    return box;
}

static void require_type(lua_State *L, int index, int type)
{
    if (lua_type(L, index) != type)
        luaL_argerror(L, index,
                      lua_pushfstring(L, "%s expected, got %s", lua_typename(L, type),
                                      luaL_typename(L, index)));
}

/* The text, or NULL, which is malformed, where C would see less of it than Lua does. */
static const char *whole_text(lua_State *L, int index)
{
    size_t len;
    const char *text;

    require_type(L, index, LUA_TSTRING);
    text = lua_tolstring(L, index, &len);
    return memchr(text, '\0', len) == NULL ? text : NULL;
}

/* Whether it is a number without a fraction between min and max; not a number is not. */
static int is_integer(lua_Number number, lua_Number min, lua_Number max)
{
    return number >= min && number <= max && number == (lua_Number)(long)number;
}

/* The library says no to port 0, and so to whatever is not a port. */
static int port_at(lua_State *L, int index)
{
    lua_Number port;

    require_type(L, index, LUA_TNUMBER);
    port = lua_tonumber(L, index);
    return is_integer(port, 1, PORT_MAX) ? (int)port : 0;
}

static int bad_option(lua_State *L, const char *name, const char *what)
{
    return luaL_error(L, "bad option '%s' (%s)", name, what);
}

static void set_timeout(lua_State *L, converge_options *options)
{
    lua_Number seconds = lua_type(L, -1) == LUA_TNUMBER ? lua_tonumber(L, -1) : 0;

    if (!(seconds >= TIMEOUT_MIN_S && seconds <= TIMEOUT_MAX_S) ||
        converge_options_set_timeout_ms(options, (unsigned)(seconds * 1000 + 0.5)) != 0)
        bad_option(L, "timeout", "0.1 to 60 seconds expected");
}

static void set_certificate(lua_State *L, converge_options *options)
{
    size_t len = 0;
    const char *der = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &len) : NULL;

    if (der == NULL || len == 0 || len > CERTIFICATE_MAX)
        bad_option(L, "certificate", "1 to 65536 octets of DER expected");
    if (converge_options_set_certificate(options, der, len) != 0)
        luaL_error(L, "out of memory");
}

static void set_pki_result(lua_State *L, converge_options *options)
{
    lua_Number value = lua_type(L, -1) == LUA_TNUMBER ? lua_tonumber(L, -1) : -1;

    if (!is_integer(value, 0, INT_MAX) || converge_options_set_pki_result(options, (int)value) != 0)
        bad_option(L, "pki_result", "an X509_V_* value expected");
}

static void set_start_agent(lua_State *L, converge_options *options)
{
    if (lua_type(L, -1) != LUA_TBOOLEAN ||
        converge_options_set_start_agent(options, lua_toboolean(L, -1)) != 0)
        bad_option(L, "start_agent", "boolean expected");
}

/* Sets the value on top of the stack. */
static void set_option(lua_State *L, const char *name, converge_options *options)
{
    static const struct {
        const char *name;
        void (*set)(lua_State *L, converge_options *options);
    } settings[] = {{"timeout", set_timeout},
                    {"certificate", set_certificate},
                    {"pki_result", set_pki_result},
                    {"start_agent", set_start_agent}};

    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
        if (strcmp(settings[i].name, name) == 0) {
            settings[i].set(L, options);
            return;
        }
    bad_option(L, name, "there is no such option");
}

static void set_options(lua_State *L, int index, converge_options *options)
{
    if (lua_isnoneornil(L, index))
        return;
    require_type(L, index, LUA_TTABLE);
    lua_pushnil(L);
    while (lua_next(L, index) != 0) {
        if (lua_type(L, -2) != LUA_TSTRING || whole_text(L, -2) == NULL)
            luaL_argerror(L, index, "names of options are strings");
        set_option(L, lua_tostring(L, -2), options);
        lua_pop(L, 1);
    }
}

static void set_text(lua_State *L, const char *key, const char *value)
{
    lua_pushstring(L, value);
    lua_setfield(L, -2, key);
}

static void set_integer(lua_State *L, const char *key, lua_Integer value)
{
    lua_pushinteger(L, value);
    lua_setfield(L, -2, key);
}

static void set_boolean(lua_State *L, const char *key, int value)
{
    lua_pushboolean(L, value);
    lua_setfield(L, -2, key);
}

static void push_vote(lua_State *L, const converge_result *result, size_t i)
{
    lua_createtable(L, 0, 5);
    set_text(L, "notary", converge_result_vote_notary(result, i));
    set_text(L, "answer", converge_result_vote_answer(result, i));
    set_text(L, "error", converge_result_vote_error(result, i));
    set_integer(L, "elapsed_ms", (lua_Integer)converge_result_vote_elapsed_ms(result, i));
    set_boolean(L, "bounced", converge_result_vote_bounced(result, i));
}

static void push_result(lua_State *L, int code, const converge_result *result)
{
    size_t count = converge_result_vote_count(result);

    lua_createtable(L, 0, 8);
    set_integer(L, "code", code);
    set_boolean(L, "good", code == 0);
    set_text(L, "verdict", converge_result_verdict(result));
    set_text(L, "action", converge_result_action(result));
    set_text(L, "reason", converge_result_reason(result));
    set_text(L, "text", converge_result_text(result));
    set_integer(L, "elapsed_ms", (lua_Integer)converge_result_elapsed_ms(result));
    lua_createtable(L, (int)count, 0);
    for (size_t i = 0; i < count; i++) {
        push_vote(L, result, i);
        lua_rawseti(L, -2, (int)i + 1);
    }
    lua_setfield(L, -2, "votes");
    luaL_getmetatable(L, RESULT);
    lua_setmetatable(L, -2);
}

/* Asks about the arguments at 1 to 4; the result's table is on top of the stack. */
static int ask(lua_State *L)
{
    const char *host, *fingerprint = NULL;
    int port, code;
    struct box *box;

    lua_settop(L, 4);
    host = whole_text(L, 1);
    port = port_at(L, 2);
    if (!lua_isnil(L, 3) && (fingerprint = whole_text(L, 3)) == NULL)
        host = NULL; /* malformed, also where a certificate makes it superfluous */
    box = box_push(L);
    set_options(L, 4, box->options);
    code = converge_check(host, port, fingerprint, box->options, &box->result);
    if (box->result == NULL)
        luaL_error(L, "out of memory");
    push_result(L, code, box->result);
    converge_options_free(box->options);
    converge_result_free(box->result);
    box->options = NULL;
    box->result = NULL;
    return code;
}

/***
The drop-in for LuaSec's `getpeerverification`.

It never fails for what a server or a notary did.
@function converge
@string host a name or an IP address, also an international name in UTF-8
@int port 1 to 65535
@string sha1sum SHA-1 or SHA-256 of the DER certificate in hexadecimal, with or without colons
@treturn int 0 if the notaries agree that the server shows this certificate, or the configuration
accepts without; 28 if they see another one; 50 if they could not decide, or nobody vouches for it;
1 for a malformed argument: also a port out of range or with a fraction, no fingerprint (nil), and a
string with a NUL in it
@raise for arguments of the wrong type
*/
static int l_converge(lua_State *L)
{
    lua_settop(L, 3);
    lua_pushinteger(L, ask(L));
    return 1;
}

/***
Like `converge`, and tells who said what.
@function check
@string host as for `converge`
@int port as for `converge`
@tparam ?string fingerprint as for `converge`; may be nil if there is a certificate
@tparam ?options options
@treturn result
@raise for arguments of the wrong type, unknown options, and options out of range
*/
static int l_check(lua_State *L)
{
    ask(L);
    return 1;
}

/***
Like `check`, for `assert`.
@function verify
@string host as for `converge`
@int port as for `converge`
@tparam ?string fingerprint as for `check`
@tparam ?options options
@treturn[1] result whose code is 0
@treturn[2] nil for any other code
@treturn[2] string one sentence
@treturn[2] result
@raise as `check`
*/
static int l_verify(lua_State *L)
{
    if (ask(L) == 0)
        return 1;
    lua_pushnil(L);
    lua_getfield(L, -2, "text");
    lua_pushvalue(L, -3);
    return 3;
}

/***
A phrase for a code.
@function strerror
@int code
@treturn string
*/
static int l_strerror(lua_State *L)
{
    lua_Number code;

    require_type(L, 1, LUA_TNUMBER);
    code = lua_tonumber(L, 1);
    luaL_argcheck(L, is_integer(code, INT_MIN, INT_MAX), 1, "a result is an integer");
    lua_pushstring(L, converge_strerror((int)code));
    return 1;
}

/***
The version of libconverge.
@function version
@treturn string
*/
static int l_version(lua_State *L)
{
    lua_pushstring(L, converge_version());
    return 1;
}

/***
What a question may say besides.
@table options
@field timeout seconds to wait at most, 0.1 to 60; the configuration's deadline is the default
@field certificate a whole certificate, as a string of DER octets (at most 65536)
@field pki_result what PKI said: 0 or an X509_V_ERR_* value. Unless given, the notaries alone
decide. Once given, it is also the code where no notary is asked (an exempt endpoint) or PKI keeps
its say (a wrong name; any failure outside `mode = replace`)
@field start_agent false: start no agent where there is none
*/

/***
What came out of a question. `tostring` gives its text.
@table result
@field code 0, or an X509_V_ERR_* value as `converge` returns it
@field good whether the code is 0
@field verdict `agree`, `disagree`, `undecided`, `exempt` or `none`
@field action what follows: `accept`, `refuse` or `unchanged`
@field reason `vote`, `cache`, `unreachable`, `bad-question`, `no-agent` and others
@field text one sentence for people
@field elapsed_ms milliseconds from question to answer
@field votes a list with a @{vote} for each notary
*/

/***
What one notary said.
@table vote
@field notary its name
@field answer `yes`, `no`, `aside` or `silent`
@field elapsed_ms milliseconds
@field error why it was silent (`timeout`, `pin` ...); empty for all others
@field bounced whether it was asked through another notary
*/
static int result_tostring(lua_State *L)
{
    require_type(L, 1, LUA_TTABLE);
    lua_pushliteral(L, "text");
    lua_rawget(L, 1);
    return 1;
}

static void make_class(lua_State *L, const char *name, const char *event, lua_CFunction function)
{
    luaL_newmetatable(L, name);
    lua_pushcfunction(L, function);
    lua_setfield(L, -2, event);
    set_text(L, "__name", name);
    set_boolean(L, "__metatable", 0);
    lua_pop(L, 1);
}

__attribute__((visibility("default"))) int luaopen_converge(lua_State *L);

int luaopen_converge(lua_State *L)
{
    static const luaL_Reg functions[] = {{"converge", l_converge}, {"check", l_check},
                                         {"verify", l_verify},     {"strerror", l_strerror},
                                         {"version", l_version},   {NULL, NULL}};

    make_class(L, BOX, "__gc", box_free);
    make_class(L, RESULT, "__tostring", result_tostring);
    lua_newtable(L);
    for (const luaL_Reg *one = functions; one->name != NULL; one++) {
        lua_pushcfunction(L, one->func);
        lua_setfield(L, -2, one->name);
    }
    set_text(L, "_VERSION", "converge 0.1.0");
    return 1;
}
