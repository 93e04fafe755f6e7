# SPDX-License-Identifier: MIT
"""A site for the examples of client libraries that real notaries look at."""
import subprocess

import conformance_world
import toolbox


class Guarded:
    """A web site on the loopback that two real notaries look at, and an installation with them.
    With `other` they are two that saw another certificate there."""

    def __init__(self, cast, other=False):
        self.site = toolbox.Site(cast.directory, conformance_world.HOST)
        names = ["liar", "perjurer"] if other else ["alpha", "beta"]
        self.world = conformance_world.World(cast, names, {}, True)

    def run(self, *command, **more):
        """Runs an example in the installation: its exit status, output and messages."""
        result = subprocess.run(command, env=self.world.environment(more),
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, timeout=120, check=False)
        return result.returncode, result.stdout, result.stderr

    def close(self):
        self.world.close()
