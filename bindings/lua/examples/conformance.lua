-- SPDX-License-Identifier: MIT
-- Answers the conformance table of all client libraries: a case a line from standard input, 9 fields
-- separated by tabs, an outcome of 6 fields for each on standard output.
local converge = require "converge"

local function fields_of(line)
   local fields = {}
   for field in (line .. "\t"):gmatch("([^\t]*)\t") do
      fields[#fields + 1] = field
   end
   return fields
end

local function given(field)
   if field ~= "-" then
      return field
   end
end

local function octets(path)
   local file = assert(io.open(path, "rb"))
   local der = file:read("*a")
   file:close()
   return der
end

local function check(field)
   local options = { pki_result = tonumber(field[7]) }
   if given(field[6]) then
      options.timeout = tonumber(field[6]) / 1000
   end
   if given(field[8]) then
      options.certificate = octets(field[8])
   end
   if given(field[9]) then
      options.start_agent = field[9] ~= "0"
   end
   local result = converge.check(field[3], tonumber(field[4]), given(field[5]), options)
   local votes = {}
   for i, vote in ipairs(result.votes) do
      votes[i] = vote.notary .. ":" .. vote.answer .. (vote.error ~= "" and "(" .. vote.error .. ")" or "")
   end
   table.sort(votes)
   return result.code, result.verdict, result.action, result.reason,
      #votes > 0 and table.concat(votes, ",") or "-"
end

io.stdout:setvbuf("line")
for line in io.lines() do
   local field = fields_of(line)
   local outcome
   if field[2] == "check" then
      outcome = { check(field) }
   else
      outcome = { converge.converge(field[3], tonumber(field[4]), given(field[5])), "-", "-", "-", "-" }
   end
   io.write(field[1], "\t", table.concat(outcome, "\t"), "\n")
end
