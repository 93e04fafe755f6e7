-- SPDX-License-Identifier: MIT
-- Fetches https://HOST:PORT/ over LuaSec after PKI and the notaries have accepted the certificate:
-- nothing is sent before both have.
--
--   lua https-get.lua HOST [PORT [CA-FILE]]
local converge = require "converge"
local socket = require "socket"
local ssl = require "ssl"

local host, port, ca_file = arg[1], tonumber(arg[2] or 443), arg[3]
if not host then
   error("usage: https-get.lua HOST [PORT [CA-FILE]]", 0)
end

local tcp = assert(socket.connect(host, port))
tcp:settimeout(10)
local connection = assert(ssl.wrap(tcp, {
   mode = "client", protocol = "any", options = { "all", "no_sslv3", "no_tlsv1", "no_tlsv1_1" },
   verify = "peer", cafile = ca_file or "/etc/ssl/certs/ca-certificates.crt",
}))
connection:sni(host)
assert(connection:dohandshake()) -- PKI's own check, which refuses an unknown authority

-- LuaSec does not look at the certificate's name. The notaries do: they say what this very host shows.
-- For that reason there is no pki_result here: who is not asked about (an address of the local network)
-- is refused, for nobody vouches for it.
local fingerprint = connection:getpeercertificate():digest("sha256")
local good, message = converge.verify(host, port, fingerprint)
if not good then
   connection:close()
   error(host .. ":" .. port .. ": " .. message, 0)
end

connection:send("GET / HTTP/1.0\r\nHost: " .. host .. "\r\n\r\n")
repeat
   local data, problem, rest = connection:receive(4096)
   io.write(data or rest or "")
until problem
connection:close()
