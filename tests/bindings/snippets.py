# SPDX-License-Identifier: MIT
"""The code shown in documents, run: what a reader copies must work. doc/integrating.md has two blocks
in each language: its shortest call, and a test of a program with a faked answer."""
import os
import re
import subprocess

from packagelab import toolbox

INTEGRATING = "doc/integrating.md"
GOOD = "59 41 1 alpha=yes beta=yes"     # for the agent of tests/common/libconverge to say
REFUSED = "4e 52 1 alpha=no beta=no"
FINGERPRINT = "00" * 32
COMMAND_S = 120


def blocks(document, language):
    """Every fenced block in that language, in the order of the document."""
    with open(os.path.join(toolbox.SOURCE, document), encoding="utf-8") as file:
        return re.findall(rf"^```{language}\n(.*?)^```$", file.read(), re.M | re.S)


class Asked(toolbox.Installation):
    """An installation whose agent gives one answer."""

    def __init__(self, answer=GOOD):
        super().__init__()
        self.write("answer", answer)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def variables(self):
        return {"CONVERGE_CONFIG_DIR": self.directory,
                "CONVERGE_AGENT": os.path.abspath(toolbox.FAKE_AGENT)}


class Snippets:
    """integrating.md's two blocks in one language: saved as PATH and run by ARGV."""

    def __init__(self, tap, language, path, argv, environment):
        self.tap, self.path, self.argv, self.environment = tap, path, argv, environment
        self.shortest_block, self.faked_block = blocks(INTEGRATING, language)

    def _run(self, text, **variables):
        with open(self.path, "w", encoding="utf-8") as file:
            file.write(text)
        result = subprocess.run(self.argv, env={**self.environment, **variables}, check=False,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, timeout=COMMAND_S)
        return result.returncode, result.stdout.decode("utf-8", "replace")

    def faked(self, opening="", said=""):
        """As it stands, but for what opens a file of that language."""
        def case():
            status, output = self._run(opening + self.faked_block,
                                       CONVERGE_CONFIG_DIR="/nonexistent")
            toolbox.same(status, 0, output)
            toolbox.contains(output, said)
        self.tap.case(f"{INTEGRATING}: an answer faked in a test", case)

    def runs(self, frame):
        """The shortest call in the place of %s in FRAME, where it does not ask yet."""
        def case():
            status, output = self._run(frame.replace("%s", self.shortest_block))
            toolbox.same(status, 0, output)
        self.tap.case(f"{INTEGRATING}: the shortest code runs", case)

    def shortest(self, frame):
        """The same of a call that asks: the program must end well where the agent says yes, and
        only there."""
        def case():
            for answer, good in ((GOOD, True), (REFUSED, False)):
                with Asked(answer) as installation:
                    status, output = self._run(frame.replace("%s", self.shortest_block),
                                               **installation.variables())
                    toolbox.contains(installation.read("questions"), "host=www.example.org port=443 ")
                assert (status == 0) == good, f"exit status {status}: {output}"
                assert good or "the fake agent says so" in output or status == 28, output
        self.tap.case(f"{INTEGRATING}: the shortest call", case)
