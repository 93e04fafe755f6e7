-- SPDX-License-Identifier: MIT
-- The module's own tests, in TAP, for every Lua. CONVERGE_TEST_DIR is a configuration directory of the
-- tests' own, which CONVERGE_CONFIG_DIR names as well, with an agent (CONVERGE_AGENT) that reads its
-- answers from there; what needs one is skipped without.
local converge = require "converge"

local directory = os.getenv("CONVERGE_TEST_DIR")
local HOST = "site.converge.example"
local SHA1 = "AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD"
local AGREE, DISAGREE = "59 41 1", "4e 52 1 alpha=no beta=no"
local INFINITY = math.huge
local count, failed = 0, 0

local function write(name, text)
   local file = assert(io.open(directory .. "/" .. name, "w"))
   file:write(text, "\n")
   file:close()
end

local function read(name)
   local file = io.open(directory .. "/" .. name)
   local text = file and file:read("*a") or ""
   if file then
      file:close()
   end
   return text
end

local function case(name, body)
   count = count + 1
   local ok, message = xpcall(body, debug.traceback)
   if not ok then
      failed = failed + 1
   end
   print((ok and "ok " or "not ok ") .. count .. " - " .. name)
   if not ok then
      print("# " .. tostring(message):gsub("\n", "\n# "))
   end
end

local function with_agent(name, body)
   if directory then
      return case(name, body)
   end
   count = count + 1
   print("ok " .. count .. " - " .. name .. " # SKIP CONVERGE_TEST_DIR names no directory")
end

local function same(got, wanted, what)
   if got ~= wanted then
      error(tostring(what or "") .. ": got " .. tostring(got) .. ", wanted " .. tostring(wanted), 2)
   end
end

local function raises(what, pattern, ...)
   local ok, message = pcall(...)
   if ok or not tostring(message):find(pattern) then
      error(what .. ": " .. tostring(message), 2)
   end
end

if directory then
   write("answer", AGREE) -- to whatever is asked
end

with_agent("without an agent nothing is good", function()
   local result = converge.check(HOST, 443, SHA1, { start_agent = false })
   same(result.code, 50)
   same(result.good, false)
   same(result.reason, "no-agent")
   same(#result.votes, 0)
end)

case("malformed is code 1", function()
   local malformed = {
      { "empty host", "", 443, SHA1 },
      { "NUL in the host", HOST .. "\0.evil", 443, SHA1 },
      { "host is a NUL", "\0", 443, SHA1 },
      { "not UTF-8", "a\255", 443, SHA1 },
      { "not a name", "\226\128\174.example", 443, SHA1 },
      { "port 0", HOST, 0, SHA1 },
      { "negative port", HOST, -1, SHA1 },
      { "port that wraps", HOST, 65536 + 443, SHA1 },
      { "port of 33 bits", HOST, 4294967296 + 443, SHA1 },
      { "port of 64 bits", HOST, 9223372036854775807, SHA1 },
      { "negative port of 64 bits", HOST, -9223372036854775807 - 1, SHA1 },
      { "port of 65 bits", HOST, 18446744073709551616 + 443, SHA1 },
      { "port with a fraction", HOST, 443.5, SHA1 },
      { "port with a tiny one", HOST, 443.0000000000001, SHA1 },
      { "infinite port", HOST, INFINITY, SHA1 },
      { "port that is no number", HOST, INFINITY - INFINITY, SHA1 },
      { "no fingerprint", HOST, 443, nil },
      { "empty fingerprint", HOST, 443, "" },
      { "NUL behind the fingerprint", HOST, 443, SHA1 .. "\0" },
      { "short fingerprint", HOST, 443, SHA1:sub(4) },
   }
   for _, one in ipairs(malformed) do
      same(converge.converge(one[2], one[3], one[4]), 1, one[1])
      local result = converge.check(one[2], one[3], one[4])
      same(result.code, 1, one[1])
      same(result.verdict, "none", one[1])
      same(result.reason, "bad-question", one[1])
   end
   same(converge.check(HOST, 443, SHA1 .. "\0", { certificate = "der" }).code, 1)
   same(converge.check(HOST, 443).code, 1)
end)

case("wrong types raise", function()
   local print_ = print
   for _, call in ipairs { converge.converge, converge.check, converge.verify } do
      raises("no host", "#1", call)
      raises("host a number", "#1", call, 9999, 443, SHA1)
      raises("no port", "#2", call, HOST, nil, SHA1)
      raises("port a string", "#2", call, HOST, "443", SHA1)
      raises("port a string with more", "#2", call, HOST, "443\0", SHA1)
      raises("fingerprint a number", "#3", call, HOST, 443, 0)
      raises("fingerprint false", "#3", call, HOST, 443, false)
      raises("fingerprint a function", "#3", call, HOST, 443, print_)
   end
   raises("options a number", "#4", converge.check, HOST, 443, SHA1, 5)
end)

case("options out of range raise", function()
   local bad = {
      { timeout = 0.099 }, { timeout = 60.001 }, { timeout = -1 }, { timeout = 4294968.296 },
      { timeout = INFINITY }, { timeout = INFINITY - INFINITY }, { timeout = "1" }, { timeout = {} },
      { certificate = "" }, { certificate = ("x"):rep(65537) }, { certificate = 48 },
      { pki_result = -1 }, { pki_result = 0.5 }, { pki_result = 4294967296 }, { pki_result = "0" },
      { start_agent = 0 }, { time_out = 1 }, { 5 }, { [true] = 1 },
      { ["timeout\0"] = 1 },
   }
   for i, options in ipairs(bad) do
      raises("number " .. i, "option", converge.check, HOST, 443, SHA1, options)
   end
   -- Also where something was set before.
   raises("mixed", "option", converge.check, HOST, 443, SHA1,
      { certificate = "der", timeout = 1, pki_result = -1 })
end)

with_agent("and nobody was asked", function()
   same(read("questions"), "")
end)

with_agent("each verdict has its code", function()
   same(converge.converge(HOST, 443, SHA1), 0)
   same(converge.converge(HOST, 443.0, SHA1), 0)
   write("answer", DISAGREE)
   same(converge.converge(HOST, 443, SHA1), 28)
   same(converge.converge(HOST, 443, SHA1, { pki_result = "ignored, as it is no parameter" }), 28)
   write("answer", "55 52 3")
   same(converge.converge(HOST, 443, SHA1), 50)
   write("answer", "45 2d 6")
   same(converge.converge(HOST, 443, SHA1), 50)
   same(converge.check(HOST, 443, SHA1, { pki_result = 0 }).code, 0)
   same(converge.check(HOST, 443, SHA1, { pki_result = 20 }).code, 20)
end)

with_agent("the result says who said what", function()
   write("answer", "4e 52 1 alpha=yes beta=no gamma=silent delta=aside")
   local result = converge.check(HOST, 443, SHA1, { timeout = 5 })
   same(result.code, 28)
   same(result.good, false)
   same(result.verdict, "disagree")
   same(result.action, "refuse")
   same(result.reason, "vote")
   same(result.elapsed_ms, 7)
   same(tostring(result), "the fake agent says so")
   same(#result.votes, 4)
   same(result.votes[1].notary, "alpha")
   same(result.votes[1].answer, "yes")
   same(result.votes[2].elapsed_ms, 12)
   same(result.votes[3].error, "timeout")
   same(result.votes[4].error, "")
   same(result.votes[4].bounced, false)
   same(tostring(result.code), "28")
end)

with_agent("verify is for assert", function()
   write("answer", DISAGREE)
   local good, message, result = converge.verify(HOST, 443, SHA1)
   same(good, nil)
   same(message, "the fake agent says so")
   same(result.verdict, "disagree")
   raises("assert", "the fake agent says so", function()
      assert(converge.verify(HOST, 443, SHA1))
   end)
   write("answer", AGREE)
   same(assert(converge.verify(HOST, 443, SHA1)).code, 0)
end)

with_agent("a certificate goes whole, a name in UTF-8", function()
   write("answer", AGREE)
   write("questions", "")
   local der = ("\48\0\255"):rep(100)
   same(converge.check("b\195\188cher.converge.example", 8443, nil, { certificate = der, timeout = 2.5 }).code, 0)
   assert(read("questions"):find("host=xn%-%-bcher%-kva%.converge%.example port=8443.*leaf=300 "), read("questions"))
   assert(read("questions"):find("timeout_ms=2%d%d%d "), read("questions"))
end)

with_agent("coroutines ask in turn", function()
   write("answer", DISAGREE)
   local codes, threads = {}, {}
   for i = 1, 4 do
      threads[i] = coroutine.create(function()
         for _ = 1, 5 do
            local result = converge.check("site" .. i .. ".converge.example", 443, SHA1)
            coroutine.yield()
            codes[#codes + 1] = result.code + #result.votes
         end
         return select(2, pcall(converge.check, HOST, "443", SHA1))
      end)
   end
   for _ = 1, 6 do
      for i = 1, 4 do
         local ok, message = coroutine.resume(threads[i])
         assert(ok, message)
      end
   end
   same(#codes, 20)
   for _, code in ipairs(codes) do
      same(code, 30)
   end
end)

case("what is Lua's stays Lua's", function()
   local result = converge.check(HOST, 0, SHA1)
   same(getmetatable(result), false)
   result.mine = true
   same(result.mine, true)
   assert(not pcall(setmetatable, result, {}))
   same(tostring(setmetatable({}, nil)):sub(1, 6), "table:")
end)

case("phrases and version", function()
   assert(converge.strerror(28):find("another certificate"))
   assert(converge.strerror(0) ~= converge.strerror(50))
   raises("half a code", "#1", converge.strerror, 28.5)
   raises("a large code", "#1", converge.strerror, 4294967296)
   raises("a word", "#1", converge.strerror, "28")
   same(converge._VERSION, "converge " .. converge.version())
end)

with_agent("nothing grows", function()
   local function resident_kib()
      collectgarbage()
      collectgarbage()
      local status = io.open("/proc/self/status")
      local text = status:read("*a")
      status:close()
      return tonumber(text:match("VmRSS:%s+(%d+)"))
   end
   local function ask(times)
      local der = ("x"):rep(10000)
      local unknown = { "a", "bb", "ccc", "dddd", "eeeee", "ffffff", "ggggggg", "hhhhhhhh" }
      for _ = 1, times do
         converge.check(HOST, 443, SHA1, { certificate = der })
         pcall(converge.check, HOST, 443, SHA1, { certificate = der, pki_result = -1 })
         for _, name in ipairs(unknown) do -- some come before the certificate, some after it
            pcall(converge.check, HOST, 443, SHA1, { certificate = der, [name] = 1 })
         end
         converge.verify(HOST, 0, SHA1)
      end
   end
   local times = tonumber(os.getenv("CONVERGE_TEST_TIMES")) or 1000
   write("answer", "4e 52 1 alpha=no beta=no gamma=silent")
   ask(times / 4)
   local before = resident_kib()
   ask(times)
   -- Where somebody else counts (valgrind), resident memory tells nothing.
   local grown = resident_kib() - before
   assert(grown < 2048 or os.getenv("CONVERGE_TEST_TIMES"), grown)
end)

print("1.." .. count)
os.exit(failed == 0 and 0 or 1, true)
