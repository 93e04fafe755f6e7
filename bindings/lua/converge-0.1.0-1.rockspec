-- SPDX-License-Identifier: MIT
-- luarocks make, in this directory; where libconverge is not in the usual places:
--   luarocks make CONVERGE_INCDIR=/where/include CONVERGE_LIBDIR=/where/lib
rockspec_format = "3.0"
package = "converge"
version = "0.1.0-1"
source = {
   url = "converge-lua-0.1.0.tar.gz",
}
description = {
   summary = "Ask notaries whether they see the same TLS certificate",
   detailed = [[
      A client library for Converge, over libconverge: notaries that the user has chosen say whether
      they see the same certificate for a site.
   ]],
   license = "MIT",
   labels = { "tls", "security" },
}
dependencies = {
   "lua >= 5.1, < 5.5",
}
external_dependencies = {
   CONVERGE = { header = "converge.h", library = "converge" },
}
build = {
   type = "builtin",
   modules = {
      converge = {
         sources = { "src/converge.c" },
         libraries = { "converge" },
         incdirs = { "$(CONVERGE_INCDIR)" },
         libdirs = { "$(CONVERGE_LIBDIR)" },
      },
   },
   copy_directories = { "examples" },
}
test = {
   type = "command",
   script = "test/test.lua",
}
